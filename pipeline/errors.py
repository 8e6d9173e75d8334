"""Errors of thinking and talking.

Permanent
├── UsageInvalid   a command or argument that cannot be carried out
└── TruthInvalid   a file of true people that is none, or of something else
"""

from __future__ import annotations

from streams.errors import Permanent


class UsageInvalid(Permanent):
    """The command cannot be carried out as it was given."""


class TruthInvalid(Permanent):
    """A file of true people cannot be read as such, or is of something else."""
