"""Errors of thinking and talking.

Transient
└── SendFailed     a message was not accepted by a channel; it is tried again
Permanent
├── SendRefused    a channel will never accept this message
├── UsageInvalid   a command or argument that cannot be carried out
├── TruthInvalid   a file of true people that is none, or of something else
├── RuleUnusable   a rule of alerting that cannot be evaluated as things stand
├── FileUnwritable a file of settings cannot be written
├── SpoolDamaged   a visit that waited on the disk cannot be read
└── SpoolFull      no more visits can wait for the database
"""

from __future__ import annotations

from streams.errors import Permanent, Transient


class SendFailed(Transient):
    """A channel did not take a message; the words hold no secret and nothing the other side said.

    Attributes:
        retry_after_s: How long the other side asks to be left alone, seconds, or None.
    """

    def __init__(self, words: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(words)
        self.retry_after_s = retry_after_s


class SendRefused(Permanent):
    """A channel will not take this message, however often it is sent."""


class UsageInvalid(Permanent):
    """The command cannot be carried out as it was given."""


class TruthInvalid(Permanent):
    """A file of true people cannot be read as such, or is of something else."""


class RuleUnusable(Permanent):
    """A rule names a zone, line, camera or person that there is none of."""


class FileUnwritable(Permanent):
    """A file of settings cannot be written."""


class SpoolDamaged(Permanent):
    """A file of the spool is torn or changed."""


class SpoolFull(Permanent):
    """A visit can neither be written to the database nor wait for it."""
