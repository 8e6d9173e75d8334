"""Errors of remembering.

Transient
├── DatabaseBusy         locked by another short writer
└── EvidenceBusy         pictures are being exported, or deleted
Permanent
├── DatabaseUnusable     missing, malformed, not ours, unreachable
├── SchemaMismatch       older (upgrade) or newer (use a newer program) than this program
├── AlreadyRunning       another watcher holds this database
├── DiskFull             evidence cannot be written
├── EvidenceDamaged      a picture is not what was put there
├── BackupDamaged        a backup is torn, changed or incomplete
├── AuditFailed          a question about people could not be written down, so it is refused
├── VerdictRefused       an operator's verdict that means nothing or was carried out already
├── IndexDamaged         a file of the vector index is torn; it is made anew from the database
├── IndexUnavailable     the library for searching vectors is not installed
├── ErasureRefused       the person is under legal hold
├── DeskRefused          an operator's wish that cannot be fulfilled now: name taken, done before
├── BadCursor            the next page was asked for with something that is no cursor
├── AccountRefused       an account that cannot be made or changed like that
└── NotFound             no such identity, sighting or camera
    └── PersonErased     was once, and was erased
"""

from __future__ import annotations

from streams.errors import Permanent, Transient


class DatabaseBusy(Transient):
    """Another writer holds the database for the moment."""


class EvidenceBusy(Transient):
    """Pictures are being read out, or deleted, for the moment."""


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


class BackupDamaged(Permanent):
    """A folder is no backup, or not what it was when it was made."""


class AuditFailed(Permanent):
    """What was asked or done could not be written down."""


class VerdictRefused(Permanent):
    """An operator's verdict that cannot be carried out as it was given."""


class IndexDamaged(Permanent):
    """A file of the vector index is not what was written; the database has all that was in it."""


class IndexUnavailable(Permanent):
    """FAISS is not installed."""


class ErasureRefused(Permanent):
    """What must stay cannot be erased."""


class AccountRefused(Permanent):
    """An account cannot be made or changed as it was said."""


class DeskRefused(Permanent):
    """What an operator asked of an alert, rule or shape cannot be done as things stand."""


class BadCursor(Permanent):
    """A page was asked for with something that no page before gave."""


class NotFound(Permanent):
    """Nothing in the database has this name or number."""


class PersonErased(NotFound):
    """The person was erased; the message says when, by whom and why."""
