"""Errors of filming.

Permanent
├── OrderInvalid    (a ConfigInvalid) what was asked for cannot be filmed
├── ToolMissing     a package or command that filming needs is not installed
└── FilmingFailed   a video could not be written
"""

from __future__ import annotations

from streams.errors import ConfigInvalid, Permanent


class OrderInvalid(ConfigInvalid):
    """What was asked for cannot be filmed; the message says what can."""


class ToolMissing(Permanent):
    """Something that has to be installed first; the message says how."""


class FilmingFailed(Permanent):
    """A video could not be written; the message says why."""
