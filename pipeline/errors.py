"""Errors of thinking and talking.

Permanent
├── UsageInvalid   a command or argument that cannot be carried out
├── TruthInvalid   a file of true people that is none, or of something else
├── SpoolDamaged   a visit that waited on the disk cannot be read
└── SpoolFull      no more visits can wait for the database
"""

from __future__ import annotations

from streams.errors import Permanent


class UsageInvalid(Permanent):
    """The command cannot be carried out as it was given."""


class TruthInvalid(Permanent):
    """A file of true people cannot be read as such, or is of something else."""


class SpoolDamaged(Permanent):
    """A file of the spool is torn or changed."""


class SpoolFull(Permanent):
    """A visit can neither be written to the database nor wait for it."""
