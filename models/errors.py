"""Errors of recognition.

Permanent
├── WeightsUnavailable   no source delivered the file
├── WeightsRefused       a file is there but its sha256, format or architecture is wrong
├── PictureInvalid       a picture cannot be embedded or searched
└── RuntimeUnusable      a library cannot run this network here; another one is taken
Transient
├── SourceSilent         one source of a weights file did not deliver; the next is asked
└── MemoryShort          the device has no room for one picture now
"""

from __future__ import annotations

from streams.errors import Permanent, Transient


class WeightsUnavailable(Permanent):
    """No source of a weights file answered."""


class WeightsRefused(Permanent):
    """A weights file is not the one that the manifest or its loader expects."""


class PictureInvalid(Permanent):
    """A picture is not one that can be used."""


class RuntimeUnusable(Permanent):
    """A library that runs networks is missing, or cannot run this one as torch does."""


class SourceSilent(Transient):
    """One source of a weights file did not deliver."""


class MemoryShort(Transient):
    """The device's memory does not hold even one picture at the moment."""
