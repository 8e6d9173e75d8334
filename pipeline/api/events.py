"""What happens, told to all who listen: one look at database and files for everybody.

While anybody listens, one task asks the database once a second, and looks at the watcher's files
four times; what it finds is put into each listener's queue, as far as they may see it. A listener
who is too slow loses the oldest, and is told to load anew.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.api.live import LiveState
from pipeline.api.times import iso_or_none
from storage.browsing import newest_sighting, sightings_since
from storage.changes import Cursor, changes, newest
from storage.desk.alerts import (
    Alert,
    AlertEvent,
    alert,
    alert_events_since,
    alert_name,
    newest_alert_event,
)
from storage.errors import DatabaseBusy, NotFound
from storage.scope import cameras_of
from storage.types import Sighting, SightingId, person_name, sighting_name
from streams.moments import iso_time
from streams.types import CameraId

if TYPE_CHECKING:
    from pipeline.api.desk import Desk

BOXES = "boxes"
LOOK_S = 0.25
LOOKS_PER_QUESTION = 4
MOST_WAITING = 200
MOST_AT_ONCE = 200
_TOLD = ("modality", "health", "fps", "blind_since_us", "recording", "written_at_us")
_OF_ITSELF = ("xyxy", "track", "person", "last_seen_us")
"""What a box says that does not come from comparing with people who may be hidden."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened.

    Attributes:
        kind: boxes, sighting, changed, alert, or reload.
        cameras: Who sees one of these may be told; empty: who sees all; None: everybody.
        narrow: What is told to who may see only some cameras; None: the same.
        id: What `Last-Event-ID` repeats; empty: nothing to go on from.
    """

    kind: str
    cameras: frozenset[CameraId] | None
    values: Mapping[str, Any]
    id: str = ""
    narrow: Mapping[str, Any] | None = None

    def encode(self, *, sees_all: bool) -> bytes:
        """As server-sent event."""
        head = f"id: {self.id}\n" if self.id else ""
        told = self.values if sees_all or self.narrow is None else self.narrow
        data = json.dumps(told, separators=(",", ":"))
        return f"{head}event: {self.kind}\ndata: {data}\n\n".encode()


RELOAD = Event(kind="reload", cameras=None, values={})
"""Too much happened to tell."""


class Listener:
    """Somebody who listens, in one event loop."""

    def __init__(self) -> None:
        self._waiting: deque[Event] = deque()
        self._has_lost = False
        self._something = asyncio.Event()

    def put(self, event: Event) -> None:
        """Let them know; boxes replace older boxes of the same camera."""
        if event.kind == BOXES:
            self._drop_boxes(event)
        if len(self._waiting) >= MOST_WAITING:
            self._waiting.popleft()
            self._has_lost = True
        self._waiting.append(event)
        self._something.set()

    async def take(self, *, wait_s: float) -> list[Event]:
        """What came; [] if nothing did within `wait_s`."""
        try:
            await asyncio.wait_for(self._something.wait(), wait_s)
        except TimeoutError:
            return []
        self._something.clear()
        found = list(self._waiting)
        self._waiting.clear()
        if self._has_lost:
            self._has_lost = False
            found.insert(0, RELOAD)
        return found

    def _drop_boxes(self, newer: Event) -> None:
        for event in list(self._waiting):
            if event.kind == BOXES and event.cameras == newer.cameras:
                self._waiting.remove(event)


class Broadcast:
    """Looks for all listeners; lives in the server's event loop."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._listeners: set[Listener] = set()
        self._task: asyncio.Task[None] | None = None
        self._looking = _Looking(desk)

    @contextmanager
    def listening(self) -> Iterator[Listener]:
        """Be told what happens from now on."""
        listener = Listener()
        self._listeners.add(listener)
        self._looking.tell_all_boxes()
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._look_on())
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    async def _look_on(self) -> None:
        await asyncio.to_thread(self._looking.begin)
        n_looks = 0
        while self._listeners and not self._desk.is_closing.is_set():
            look: Callable[[], Collection[Event]] = self._looking.files
            if n_looks % LOOKS_PER_QUESTION == 0:
                look = self._looking.everything
            n_looks += 1
            for event in await asyncio.to_thread(look):
                for listener in list(self._listeners):
                    listener.put(event)
            await asyncio.sleep(LOOK_S)


class _Looking:
    """What is new since the last look; one thread at a time."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._versions: dict[CameraId, int] = {}
        self._is_joined = False
        self._cameras: tuple[CameraId, ...] = ()
        self._sighting = SightingId(0)
        self._said = Cursor()
        self._raised = 0

    def begin(self) -> None:
        """From now on."""
        self._cameras = tuple(self._desk.all_cameras())
        self._sighting = newest_sighting(self._desk.database)
        self._said = newest(self._desk.database)
        self._raised = newest_alert_event(self._desk.database)

    def tell_all_boxes(self) -> None:
        """At the next look also what did not change: somebody has not heard it yet."""
        self._is_joined = True

    def everything(self) -> list[Event]:
        """Of files and database; a database that is away has nothing new."""
        try:
            return [*self._sightings(), *self._changed(), *self._alerts(), *self.files()]
        except DatabaseBusy:
            return self.files()

    def files(self) -> list[Event]:
        """What the watcher wrote."""
        self._desk.live.want(self._desk.clock.monotonic_s())
        if self._is_joined:
            self._is_joined = False
            self._versions.clear()
        found = []
        for camera in self._cameras:
            state = self._desk.live.state(camera)
            if state is not None and self._versions.get(camera) != state.version:
                self._versions[camera] = state.version
                found.append(to_boxes(state))
        return found

    def _sightings(self) -> list[Event]:
        found = sightings_since(self._desk.database, self._sighting, limit=MOST_AT_ONCE)
        if found:
            self._sighting = found[-1].id
            unknown = {sighting.camera for sighting in found} - set(self._cameras)
            self._cameras += tuple(sorted(unknown))
        return [to_event(sighting) for sighting in found]

    def _alerts(self) -> list[Event]:
        found = []
        for happened in alert_events_since(self._desk.database, self._raised, limit=MOST_AT_ONCE):
            self._raised = happened.id
            with suppress(NotFound):  # it expired meanwhile
                found.append(to_alert_event(happened, alert(self._desk.database, happened.alert)))
        return found

    def _changed(self) -> list[Event]:
        said = changes(self._desk.database, self._said)
        self._said = said.next
        places = cameras_of(self._desk.database, [each.sighting for each in said.moved])
        return [
            Event(
                kind="changed",
                cameras=frozenset({places[each.sighting]}),
                values={
                    "sighting": sighting_name(each.sighting),
                    "identity": None if each.identity is None else person_name(each.identity),
                    "camera": places[each.sighting],
                },
            )
            for each in said.moved[-MOST_AT_ONCE:]
            if each.sighting in places
        ]


def to_alert_event(happened: AlertEvent, about: Alert) -> Event:
    """Something that happened to an alert; its words are asked for by who may read them."""
    values = {
        "alert": alert_name(about.id),
        "event": happened.kind.value,
        "state": about.state.value,
        "severity": about.severity.value,
        "raised_at_us": about.raised_at_us,
    }
    return Event(
        kind="alert",
        cameras=frozenset(about.cameras),
        values={**values, "rule": about.rule},
        narrow={**values, "rule": None},
    )


def to_boxes(state: LiveState) -> Event:
    """People in a camera's newest picture; whom they may be is told to who sees all."""
    values = {name: state.values.get(name) for name in _TOLD} | {
        "camera": state.camera,
        "captured_at_us": state.captured_at_us,
        "captured_at": iso_or_none(state.captured_at_us),
        "boxes": list(state.boxes),
    }
    narrow = [
        {
            **{name: box[name] for name in _OF_ITSELF if name in box},
            "candidate": None,
            "probability": box.get("probability") if box.get("person") else None,
        }
        for box in state.boxes
    ]
    return Event(
        kind=BOXES,
        cameras=frozenset({state.camera}),
        values=values,
        narrow={**values, "boxes": narrow},
    )


def to_event(sighting: Sighting) -> Event:
    """A visit that was recorded; whom it was compared with is left out, for they may be hidden."""
    values = {
        "sighting": sighting_name(sighting.id),
        "identity": None if sighting.identity is None else person_name(sighting.identity),
        "camera": sighting.camera,
        "modality": sighting.modality.value,
        "first_seen": iso_time(sighting.first_seen_us),
        "first_seen_us": sighting.first_seen_us,
        "last_seen": iso_time(sighting.last_seen_us),
        "last_seen_us": sighting.last_seen_us,
        "decision": sighting.link.decision.value,
        "probability": sighting.link.probability,
        "picture": sighting.evidence[0] if sighting.evidence else None,
    }
    is_known = sighting.identity == sighting.link.candidate
    return Event(
        kind="sighting",
        cameras=frozenset({sighting.camera}),
        id=str(sighting.id),
        values=values,
        narrow=values if is_known else {**values, "probability": None},
    )
