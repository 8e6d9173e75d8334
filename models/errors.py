"""Errors of recognition.

Permanent
├── WeightsUnavailable   no source delivered the file
├── WeightsRefused       a file is there but its sha256, format or architecture is wrong
└── PictureInvalid       a picture cannot be embedded or searched
"""

from __future__ import annotations

from streams.errors import Permanent


class WeightsUnavailable(Permanent):
    """No source of a weights file answered."""


class WeightsRefused(Permanent):
    """A weights file is not the one that the manifest or its loader expects."""


class PictureInvalid(Permanent):
    """A picture is not one that can be used."""
