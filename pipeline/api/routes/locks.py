"""Evidence locks: recordings that stay, whatever retention says."""

from __future__ import annotations

from pydantic import Field

from pipeline.api.answers import Answer
from pipeline.api.desk import DeskOf
from pipeline.api.errors import QuestionInvalid
from pipeline.api.routes.recordings import TimeField, asked_span
from pipeline.api.routing import Routes
from pipeline.api.times import read_time
from pipeline.api.visitors import VisitorOf
from pipeline.api.words import CameraPath, Needed
from storage.desk.segments import lock_segments, unlock_segments
from storage.desk.types import Role

routes = Routes("recordings")
_LONGEST_LOCK_US = 3660 * 86_400_000_000


class Lock(Answer):
    """What is to stay, and until when."""

    from_: TimeField = Field(alias="from")
    to: TimeField
    until: TimeField
    reason: Needed


class Unlock(Answer):
    """What may go again."""

    from_: TimeField = Field(alias="from")
    to: TimeField
    reason: Needed


class Locked(Answer):
    """What was locked, or let go."""

    n_segments: int
    from_us: int | None
    to_us: int | None


@routes.post("/cameras/{camera}/recordings/lock", least=Role.OPERATOR)
def lock(camera: CameraPath, asked: Lock, visitor: VisitorOf, desk: DeskOf) -> Locked:
    """Evidence lock: what was recorded stays until then, whatever retention says."""
    name = desk.require_camera(visitor, camera)
    now_us, until_us = desk.clock.now_us(), read_time(asked.until)
    if not now_us < until_us <= now_us + _LONGEST_LOCK_US:
        raise QuestionInvalid("until: expected a time to come, within ten years")
    done = lock_segments(
        desk.database,
        name,
        span=asked_span(asked.from_, asked.to),
        until_us=until_us,
        reason=asked.reason,
        made_by=visitor.name,
        now_us=now_us,
    )
    return Locked(n_segments=done.n_segments, from_us=done.from_us, to_us=done.to_us)


@routes.post("/cameras/{camera}/recordings/unlock", least=Role.ADMIN)
def unlock(camera: CameraPath, asked: Unlock, visitor: VisitorOf, desk: DeskOf) -> Locked:
    """End an evidence lock."""
    name = desk.require_camera(visitor, camera)
    done = unlock_segments(
        desk.database,
        name,
        span=asked_span(asked.from_, asked.to),
        reason=asked.reason,
        made_by=visitor.name,
        now_us=desk.clock.now_us(),
    )
    return Locked(n_segments=done.n_segments, from_us=done.from_us, to_us=done.to_us)
