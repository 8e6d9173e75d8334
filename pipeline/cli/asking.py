"""Questions about people are written down before they are answered."""

from __future__ import annotations

from pipeline.cli.options import name_operator
from pipeline.errors import UsageInvalid
from storage.audit import audited
from storage.cameras import find_camera
from storage.database import Database
from storage.errors import NotFound
from storage.identities import read_number
from storage.types import IdentityId, person_name
from streams.clock import SystemClock
from streams.types import CameraId


def write_down(
    database: Database, operator: str | None, action: str, subject: str | None, **detail: object
) -> None:
    """Write into the audit what is about to be asked.

    Args:
        operator: As given by `--as`.
        subject: The person or camera asked about, as typed.
        detail: What else was asked; None is left out.

    Raises:
        AuditFailed: It could not be written, so it must not be answered.
        UsageInvalid: Nobody knows who asks.
    """
    audited(
        database,
        who=name_operator(operator),
        action=action,
        subject=subject or "",
        detail={name: value for name, value in detail.items() if value is not None},
        now_us=SystemClock().now_us(),
    )


def typed_person(typed: str) -> IdentityId:
    """The number in a person's name; whether there is such a person is not asked.

    Raises:
        UsageInvalid: That is no person's name.

    >>> typed_person("p-7")
    7
    """
    try:
        return read_number(typed)
    except NotFound as error:
        raise UsageInvalid(str(error)) from None


def typed_camera(database: Database, typed: str | None) -> CameraId | None:
    """The camera of `--camera`; None if it was not given.

    Raises:
        NotFound: There is no such camera; names those that there are.
    """
    return None if typed is None else find_camera(database, typed)


def as_person(typed: str) -> str:
    """The name of the person that `typed` means, or just that.

    >>> as_person("7"), as_person("somebody")
    ('P-0007', 'somebody')
    """
    try:
        return person_name(read_number(typed))
    except NotFound:
        return typed
