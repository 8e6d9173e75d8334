"""What all who answer share: the site's configuration, its database, its files, its time."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated, cast

from fastapi import Depends, Request

from pipeline.api.answers import Told, mentioned, named_in_words
from pipeline.api.errors import Busy
from pipeline.api.events import Broadcast
from pipeline.api.live import LiveFiles
from pipeline.api.looking import Looking
from pipeline.api.metrics import Metrics
from pipeline.api.passwords import Passwords
from pipeline.api.searcher import Searcher
from pipeline.api.site_now import SiteNow
from pipeline.api.throttle import Throttle
from pipeline.api.turns import Turns
from pipeline.api.viewing import Viewings
from pipeline.api.visitors import Visitor, no_camera
from pipeline.config import SiteConfig
from pipeline.linking.topology import Topology
from pipeline.recordings import Recordings
from pipeline.transit_times import learn_topology
from storage.cameras import cameras
from storage.database import Database
from storage.desk.names import names_of
from storage.evidence import EvidenceStore
from storage.scope import people_within
from storage.types import IdentityId, Sighting
from streams.clock import Clock
from streams.config import CameraConfig
from streams.types import CameraId

_LEARNED_AGAIN_S = 600.0
_DECODE_AT_ONCE, _DECODE_WAITING, _DECODE_WAIT_S = 2, 14, 20.0
_PER_VISITOR = 24
"""Streams that one account may have open: a wall of cameras, some events, a second browser."""


class Desk:
    """The front desk. Threads share it; whoever made it closes it.

    Args:
        has_watcher: Whether the watcher runs beside it, and starts anew when cameras change.
    """

    def __init__(
        self,
        config: SiteConfig,
        database: Database,
        clock: Clock,
        *,
        passwords: Passwords | None = None,
        has_watcher: bool = False,
    ) -> None:
        self.now = SiteNow(config)
        self.looking = Looking()
        self.has_watcher = has_watcher
        self.database = database
        self.clock = clock
        self.evidence = EvidenceStore(config.storage.evidence, reserve_mb=config.storage.reserve_mb)
        self.live = LiveFiles(config.live_folder)
        self.passwords = passwords or Passwords()
        self.throttle = Throttle(clock)
        self.viewings = Viewings(database, clock)
        self.searcher = Searcher(config, database)
        self.metrics = Metrics()
        self.broadcast = Broadcast(self)
        self.is_closing = threading.Event()
        self._recordings = (self.config, Recordings(self.config, database))
        self._streams: dict[str, int] = {}
        self._lock = threading.Lock()
        self._learned: Topology | None = None
        self._learned_s = 0.0
        self._learning = threading.Lock()
        self._decoding = Turns(
            at_once=_DECODE_AT_ONCE,
            waiting=_DECODE_WAITING,
            wait_s=_DECODE_WAIT_S,
            words="too many pictures and recordings are read at once; try again in a moment",
        )

    @property
    def config(self) -> SiteConfig:
        """The configuration, with the cameras as they are now."""
        return self.now.config

    @property
    def recordings(self) -> Recordings:
        """What the cameras recorded."""
        config, recordings = self._recordings
        if config is not self.config:
            config = self.config
            recordings = Recordings(config, self.database)
            self._recordings = (config, recordings)
        return recordings

    @property
    def idle_us(self) -> int:
        """How long a session may ask nothing."""
        return round(self.config.front_desk.idle_minutes * 60e6)

    def cameras(self, visitor: Visitor) -> dict[CameraId, CameraConfig | None]:
        """Cameras that are configured, or ever recorded something, and that may be seen, by name.

        None: it is not configured any more.
        """
        found = self.all_cameras()
        return {name: found[name] for name in sorted(found) if visitor.sees(name)}

    def configured(self, visitor: Visitor) -> dict[CameraId, CameraConfig]:
        """Those of them that are configured, by name; asks no database."""
        found = {CameraId(camera.name): camera for camera in self.config.cameras}
        return {name: found[name] for name in sorted(found) if visitor.sees(name)}

    def all_cameras(self) -> dict[CameraId, CameraConfig | None]:
        """The same for who sees all; for no answer as it is."""
        found: dict[CameraId, CameraConfig | None] = {
            camera.id: None for camera in cameras(self.database)
        }
        return found | {CameraId(camera.name): camera for camera in self.config.cameras}

    def names(self, visitor: Visitor, people: Collection[IdentityId]) -> Mapping[IdentityId, str]:
        """What operators call these persons, where it names nothing that they may not know."""
        found = names_of(self.database, people)
        told = self.told_words(visitor, found.values())
        return {who: name for who, name in found.items() if not told.is_hidden(name)}

    def told(self, visitor: Visitor, sightings: Sequence[Sighting]) -> Told:
        """What may be told to them about these visits."""
        people = mentioned(sightings)
        if visitor.cameras is None:
            return Told(names=self.names(visitor, people))
        reasons = [sighting.link.reason for sighting in sightings]
        return self._told(visitor, people | named_in_words(reasons), are_named=True)

    def told_words(self, visitor: Visitor, texts: Collection[str]) -> Told:
        """What may be told to them of words that operators wrote."""
        if visitor.cameras is None:
            return Told()
        return self._told(visitor, named_in_words(texts), are_named=False)

    def _told(self, visitor: Visitor, people: Collection[IdentityId], *, are_named: bool) -> Told:
        known = people_within(self.database, people, scope=visitor.cameras)
        cameras = self.all_cameras()
        return Told(
            seen=[camera for camera in cameras if visitor.sees(camera)],
            hidden=[camera for camera in cameras if not visitor.sees(camera)],
            people=known,
            names=self.names(visitor, known) if are_named else None,
        )

    def topology(self) -> Topology:
        """Transit times as learned and stated, some minutes old at most."""
        with self._learning:
            now_s = self.clock.monotonic_s()
            if self._learned is None or now_s - self._learned_s > _LEARNED_AGAIN_S:
                self._learned = learn_topology(self.database, self.config.linking)
                self._learned_s = now_s
            return self._learned

    def require_camera(self, visitor: Visitor, camera: str) -> CameraId:
        """A camera that there is and that may be seen.

        Raises:
            Absent: There is none for who asks.
        """
        if camera not in self.configured(visitor) and camera not in self.cameras(visitor):
            raise no_camera(camera)
        return CameraId(camera)

    @contextmanager
    def decoding(self) -> Iterator[None]:
        """Be one of the few who decode recordings or uploads.

        Raises:
            Busy: Too many do.
        """
        with self._decoding.take():
            yield

    def open_stream(self, visitor: Visitor) -> None:
        """Count one more stream of theirs; `close_stream` follows.

        Raises:
            Busy: There are too many.
        """
        who = visitor.name
        with self._lock:
            if sum(self._streams.values()) >= self.config.front_desk.streams:
                raise Busy("too many live pictures are open; close some pages")
            if self._streams.get(who, 0) >= _PER_VISITOR:
                raise Busy("you have too many live pictures open; close some pages")
            self._streams[who] = self._streams.get(who, 0) + 1
        self.metrics.streams.inc()

    def close_stream(self, who: str) -> None:
        """Count one stream of an account less."""
        with self._lock:
            self._streams[who] -= 1
            if not self._streams[who]:
                del self._streams[who]
        self.metrics.streams.dec()


async def _desk_of(request: Request) -> Desk:
    return cast(Desk, request.app.state.desk)


DeskOf = Annotated[Desk, Depends(_desk_of)]
"""The desk, in a handler."""
