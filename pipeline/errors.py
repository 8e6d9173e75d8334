"""Errors of thinking and talking.

Permanent
└── UsageInvalid   a command or argument that cannot be carried out
"""

from __future__ import annotations

from streams.errors import Permanent


class UsageInvalid(Permanent):
    """The command cannot be carried out as it was given."""
