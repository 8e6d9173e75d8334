"""Errors of remembering.

Transient
└── DatabaseBusy         locked by another short writer
Permanent
├── DatabaseUnusable     missing, malformed, not ours, unreachable
├── SchemaMismatch       older (upgrade) or newer (use a newer program) than this program
├── AlreadyRunning       another watcher holds this database
├── DiskFull             evidence cannot be written
├── EvidenceDamaged      a picture is not what was put there
├── AuditFailed          a question about people could not be written down, so it is refused
├── IndexUnavailable     the library for searching vectors is not installed
└── NotFound             no such identity, sighting or camera
"""

from __future__ import annotations

from streams.errors import Permanent, Transient


class DatabaseBusy(Transient):
    """Another writer holds the database for the moment."""


class DatabaseUnusable(Permanent):
    """The database cannot be opened or is damaged."""


class SchemaMismatch(Permanent):
    """The database's schema is not the one this program was written for."""


class AlreadyRunning(Permanent):
    """A second watcher on the same database is refused."""


class DiskFull(Permanent):
    """Evidence could not be written."""


class EvidenceDamaged(Permanent):
    """A file of the evidence folder is not the picture that its name promises."""


class AuditFailed(Permanent):
    """What was asked or done could not be written down."""


class IndexUnavailable(Permanent):
    """FAISS is not installed."""


class NotFound(Permanent):
    """Nothing in the database has this name or number."""
