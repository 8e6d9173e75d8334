"""How much waits on its way from camera to message: what the watcher says, what is on the disk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pipeline.api.answers import Answer
from pipeline.api.desk import Desk
from pipeline.api.live import FRESH_US, SEEING, LiveState
from pipeline.api.visitors import Visitor
from storage.desk.deliveries import outbox
from streams.types import CameraId


class Behind(Answer):
    """The camera whose newest picture waits longest to be looked at."""

    camera: str
    behind_s: float


class Queues(Answer):
    """How much waits.

    Attributes:
        slowest: None: no live camera is watched now.
        n_seen: Pictures of all cameras, since the watcher's start.
        n_dropped: Of these, that nobody had time to look at.
        n_visits: That wait to be recognised and recorded; None: nothing is heard of the watcher.
        n_spooled: Of these, files that wait on the disk for the database.
        oldest_message_us: When the message that waits longest was queued.
    """

    slowest: Behind | None
    n_seen: int
    n_dropped: int
    n_visits: int | None
    n_spooled: int
    spooled_bytes: int
    spool_limit_bytes: int
    n_messages: int
    oldest_message_us: int | None
    n_dead: int


def queues(desk: Desk, visitor: Visitor) -> Queues:
    """All of it, for who sees all cameras."""
    now_us = desk.clock.now_us()
    states = {
        name: state
        for name, camera in desk.configured(visitor).items()
        if camera.is_live
        and (state := desk.live.state(name)) is not None
        and now_us - (state.written_at_us or 0) <= FRESH_US
    }
    waiting = [n for each in states.values() if (n := _number(each, "n_waiting")) is not None]
    sizes = _sizes(desk.config.storage.spool)
    box = outbox(desk.database)
    return Queues(
        slowest=_slowest(states),
        n_seen=sum(_number(each, "n_frames") or 0 for each in states.values()),
        n_dropped=sum(_number(each, "n_dropped") or 0 for each in states.values()),
        n_visits=max(waiting, default=None),
        n_spooled=len(sizes),
        spooled_bytes=sum(sizes),
        spool_limit_bytes=desk.config.storage.spool_mb * 1_000_000,
        n_messages=box.n_waiting,
        oldest_message_us=box.oldest_waiting_us,
        n_dead=box.n_dead,
    )


def behind_s(state: LiveState | None) -> float | None:
    """How old the newest picture was that was looked at, when the watcher said so; live cameras."""
    searched_us = None if state is None else _number(state, "searched_at_us")
    if state is None or searched_us is None or state.written_at_us is None:
        return None
    return max(0.0, (state.written_at_us - searched_us) / 1e6)


def _slowest(states: Mapping[CameraId, LiveState]) -> Behind | None:
    found = {
        name: lag
        for name, state in states.items()
        if state.health in SEEING and (lag := behind_s(state)) is not None
    }
    if not found:
        return None
    name = max(found, key=lambda each: found[each])
    return Behind(camera=name, behind_s=round(found[name], 1))


def _sizes(spool: Path) -> list[int]:
    """Of the files that the watcher's spool left there; those that go meanwhile are left out."""
    found: list[int] = []
    for file in spool.glob("*.visit"):
        try:
            found.append(file.stat().st_size)
        except FileNotFoundError:
            continue
    return found


def _number(state: LiveState, name: str) -> int | None:
    found = state.values.get(name)
    return found if isinstance(found, int) else None
