"""Errors of every room grow from two families; `streams` is the room that all others stand on.

NoctuleError
├── Transient        retried by the one supervisor
│   ├── ConnectFailed
│   └── StreamLost
│       └── StreamStalled
└── Permanent        stops this part and tells the operator what to do
    ├── ConfigInvalid
    ├── SourceUnreadable
    └── AccessDenied
"""

from __future__ import annotations


class NoctuleError(Exception):
    """Base of all errors that carry a sentence for the operator: what happened, what to do."""


class Transient(NoctuleError):
    """May pass by itself: the supervisor tries again."""


class Permanent(NoctuleError):
    """Does not pass by itself: somebody has to act."""


class ConnectFailed(Transient):
    """A camera could not be reached."""


class StreamLost(Transient):
    """A camera that was seen stopped sending."""


class StreamStalled(StreamLost):
    """A camera keeps its connection open but sends nothing."""


class ConfigInvalid(Permanent):
    """The configuration cannot be used; the message names the file, the line and the key."""


class SourceUnreadable(Permanent):
    """A file or folder is missing, empty, truncated beyond use or not a picture or video."""


class AccessDenied(Permanent):
    """The camera refuses user name or password."""
