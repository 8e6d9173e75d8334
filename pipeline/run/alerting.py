"""The watcher's alerts: pictures are judged where they are looked at, alerts written elsewhere.

    pictures, gaps -> rules over scenes -> findings -.
    visits ------------------------------------------+-> [queue] -> rules over visits and vitals
    how cameras, disks and thinking are doing -------'              -> one alert per visit -> rows

In recordings the second thread waits for each visit where it was announced, so that the same
footage gives the same alerts. Live it never waits: alerts come when they come.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self, TypeAlias
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from pipeline.alerts.engine import Broken, Watchmen
from pipeline.alerts.schedule import Calendar
from pipeline.alerts.settings import RuleSettings, Site
from pipeline.alerts.types import CameraSign, DiskSign, LagSign, Scene, Visit
from pipeline.alerts.visits import Told, Visits
from pipeline.config import SiteConfig
from pipeline.linking.evidence import Calibrated
from pipeline.run.perceive import Perception
from pipeline.run.raising import Raising
from pipeline.run.remember import Remembered
from pipeline.run.rulebook import Book, RuleBook
from pipeline.run.scenes import Found, Pictures
from pipeline.run.spool_files import Closed
from pipeline.run.vitals import camera_signs, disks, lag_sign, look_at, places_of
from pipeline.run.writing import until_written
from pipeline.stage import Stage
from pipeline.types import TrackKey, Tracklet
from storage.database import Database
from storage.desk.alerts import NewAlert
from storage.desk.names import names_of
from storage.desk.types import AlertSeverity
from storage.errors import DiskFull
from storage.evidence import EvidenceStore
from streams.clock import Clock
from streams.errors import Transient
from streams.feed import CameraHealth
from streams.pictures import to_jpeg
from streams.types import CameraId, Frame, Gap

logger = logging.getLogger(__name__)

_CAPACITY = 256
_SIGN_EVERY_US = 1_000_000
_POLL_S, _ESCALATE_S, _DISKS_S, _WAIT_S = 2.0, 10.0, 10.0, 0.2
BROKEN = "rule cannot be evaluated"
"""Kind of the alert that tells so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Announced:
    """A visit that will be recorded: in recordings its turn is here."""

    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tick:
    """Time passes: there may be something to write, to read or to escalate."""


_Item: TypeAlias = Found | _Announced | _Tick | Visit | CameraSign | DiskSign | LagSign


class Alerting:
    """Rules of a running watcher. `saw`, `gap`, `announce` and `tick` are the cameras' thread's.

    Args:
        live: Whether the cameras are.
        model: The network in use.
        calibration: Its own.
    """

    def __init__(
        self,
        config: SiteConfig,
        database: Database,
        *,
        live: bool,
        clock: Clock,
        model: str,
        calibration: Calibrated,
    ) -> None:
        alerts = config.alerts
        self._live = live
        self._clock = clock
        self._database = database
        self._evidence = EvidenceStore(
            config.storage.evidence, reserve_mb=config.storage.reserve_mb
        )
        self._calendar = Calendar(ZoneInfo(alerts.time_zone), alerts.holidays)
        self._rulebook = RuleBook(config, database, model=model, calibration=calibration)
        self._raising = Raising(config, database, live=live, clock=clock)
        self._visits = Visits(group_s=alerts.group_s, cooldown_s=alerts.cooldown_s)
        self._places = places_of(
            config.storage.database.get_secret_value(),
            config.storage.evidence,
            config.recordings_folder if live and config.recording.mode == "always" else None,
        )
        self._book = Book(rules=(), site=Site(cameras=()), broken=())
        self._pictures = Pictures(self._book, self._calendar)
        self._watchmen = Watchmen((), self._book.site, self._calendar)
        self._broken: dict[Broken, NewAlert] = {}
        self._names_matter = False
        self._remembered: queue.SimpleQueue[Visit] = queue.SimpleQueue()
        self._is_over = threading.Event()
        self._stage: Stage[_Item] = Stage("alert", self._work, capacity=_CAPACITY)
        self._stack = ExitStack()
        self._signs: dict[CameraId, CameraSign] = {}
        self._searched_us: dict[CameraId, int] = {}
        self._next_s = dict.fromkeys(("tick", "disks", "poll", "escalate"), 0.0)

    def __enter__(self) -> Self:
        now_us = self._clock.now_us()
        until_written(lambda: self._rulebook.keep_config(now_us))
        self._read_rules()
        self._stack.callback(self._raising.close)
        self._stack.enter_context(self._stage)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_over.set()
        self._stack.__exit__(kind, error, trace)

    @property
    def rules(self) -> tuple[RuleSettings, ...]:
        """Settings of the rules that hold now, broken ones included."""
        return self._book.rules

    def saw(self, frames: Sequence[Frame], perception: Perception) -> None:
        """Frames of different cameras were searched for people."""
        self._pictures.follow(self._book)
        for frame in frames:
            self._searched_us[frame.camera] = frame.captured_at_us
            self._look(frame)
            if self._pictures.is_due(frame):
                for found in self._pictures.see(frame, perception.open_tracks(frame.camera)):
                    self._stage.put(found)

    def gap(self, gap: Gap) -> None:
        """A camera was lost, or is back."""
        self._pictures.follow(self._book)
        for found in self._pictures.gap(gap):
            self._stage.put(found)

    def announce(self, tracklets: Sequence[Tracklet]) -> None:
        """These will be recorded, in this order."""
        if not self._live:
            for tracklet in tracklets:
                self._stage.put(_Announced(key=_key_of(tracklet)))

    def tick(self, health: Sequence[CameraHealth] = (), *, n_waiting: int = 0) -> None:
        """Time passes; called often.

        Args:
            health: Of live cameras.
            n_waiting: Visits that wait to be recorded.
        """
        if not self._is_time("tick", 1.0):
            return
        self._stage.put(_Tick())
        if not self._live or self._stage.n_waiting > _CAPACITY // 2:
            return
        now_us = self._clock.now_us()
        for sign in camera_signs(health, self._signs, now_us=now_us):
            self._stage.put(sign)
        self._signs.clear()
        lag = lag_sign(health, self._searched_us, n_waiting=n_waiting, now_us=now_us)
        self._stage.put(lag)
        if self._is_time("disks", _DISKS_S):
            for disk in disks(self._places, now_us=now_us):
                self._stage.put(disk)

    def following(
        self, remember: Callable[[Closed], Remembered | None]
    ) -> Callable[[Closed], None]:
        """`remember`, whose visits are told to the rules; for the thread that remembers."""

        def remember_and_tell(item: Closed) -> None:
            is_done = False
            try:
                remembered = remember(item)
                is_done = True
            finally:
                if not is_done:  # nobody must wait for what will not come
                    self._is_over.set()
            if remembered is None:
                return
            visit = _to_visit(remembered)
            if self._live:
                self._stage.put(visit)
            else:
                self._remembered.put(visit)

        return remember_and_tell

    def _look(self, frame: Frame) -> None:
        """About once a second, how the camera itself does."""
        before = self._signs.get(frame.camera)
        if before is not None and frame.captured_at_us - before.at_us < _SIGN_EVERY_US:
            return
        if not self._pictures.watches_cameras:
            return
        self._signs[frame.camera] = sign = look_at(frame)
        if not self._live:
            self._stage.put(sign)

    def _is_time(self, what: str, every_s: float) -> bool:
        now_s = self._clock.monotonic_s()
        if now_s < self._next_s[what]:
            return False
        self._next_s[what] = now_s + every_s
        return True

    def _work(self, item: _Item) -> None:
        """On the thread of the stage."""
        if isinstance(item, Found):
            self._found(item)
        elif isinstance(item, _Announced):
            self._await(item.key)
        elif isinstance(item, Visit):
            self._visited(item)
        elif not isinstance(item, _Tick):
            for finding, rule in self._watchmen.see(item):
                self._put(self._visits.found(finding, rule))
        if self._is_time("poll", _POLL_S):
            self._read_rules()
        self._raising.flush()
        if self._live and self._is_time("escalate", _ESCALATE_S):
            self._raising.escalate(self._book.rules)

    def _await(self, key: str) -> None:
        """Take visits as they come, up to the announced one."""
        while True:
            was_over = self._is_over.is_set()
            try:
                visit = self._remembered.get(not was_over, timeout=_WAIT_S)
            except queue.Empty:
                if was_over:
                    return
                continue
            self._visited(visit)
            if visit.sighting == key:
                return

    def _visited(self, visit: Visit) -> None:
        if self._names_matter and visit.identity is not None:
            try:
                is_named = bool(names_of(self._database, [visit.identity]))
            except Transient as error:
                logger.info("nobody can say whether a person has a name: %s", error)
                is_named = True
            visit = replace(visit, is_named=is_named)
        self._put(self._visits.visited(visit))
        for finding, rule in self._watchmen.see(visit):
            self._put(self._visits.found(finding, rule))

    def _found(self, item: Found) -> None:
        told = self._visits.found(item.finding, item.rule)
        if item.pixels is not None and item.finding.cameras:
            camera = item.finding.cameras[-1]
            told = [
                self._with_picture(each, item.pixels, camera) if each.is_new else each
                for each in told
            ]
        self._put(told)

    def _with_picture(self, told: Told, pixels: npt.NDArray[np.uint8], camera: CameraId) -> Told:
        """The alert with the picture of the moment; a full disk costs the picture only."""
        if told.alert.picture is not None:
            return told
        try:
            sha256 = self._evidence.put(to_jpeg(pixels))
        except DiskFull as error:
            logger.error("an alert is raised without its picture: %s", error)
            return told
        return replace(told, alert=replace(told.alert, picture=sha256, picture_camera=camera))

    def _put(self, told: Sequence[Told]) -> None:
        for each in told:
            now_us = self._clock.now_us() if self._live else each.at_us
            self._raising.put(each.alert, channels=each.rule.channels, now_us=now_us)

    def _read_rules(self) -> None:
        """Look whether other rules hold now; a rule that cannot be evaluated is told."""
        now_us = self._clock.now_us()
        try:
            book = self._rulebook.changed(now_us)
        except Transient as error:
            logger.info("rules stay as they are, the database is away: %s", error)
            return
        if book is None:
            return
        gone = {rule.name for rule in self._book.rules} - {rule.name for rule in book.rules}
        for name in gone:
            self._visits.forget(name)
        tried = Watchmen(book.rules, book.site, self._calendar)
        elsewhere = [rule for rule in book.rules if Scene not in rule.sees]
        self._watchmen = Watchmen(elsewhere, book.site, self._calendar, before=self._watchmen)
        self._names_matter = any(getattr(rule, "known", None) == "named" for rule in elsewhere)
        self._book = book
        self._tell_broken({*book.broken, *tried.broken}, now_us)

    def _tell_broken(self, broken: set[Broken], now_us: int) -> None:
        """Rules that cannot be evaluated are alerts, which end when they can."""
        for each in sorted(set(self._broken) - broken, key=_in_order):
            alert = self._broken.pop(each)
            self._raising.put(replace(alert, ended_us=now_us), channels=(), now_us=now_us)
        for each in sorted(broken - set(self._broken), key=_in_order):
            logger.error("a rule of alerting cannot be evaluated: %s", each.why)
            self._broken[each] = NewAlert(
                key=f"{each.rule}/{BROKEN}@{now_us}",
                rule=each.rule,
                kind=BROKEN,
                severity=AlertSeverity.WARNING,
                began_us=now_us,
                sentence=each.why,
                grounds={"kind": each.kind},
            )
            self._raising.put(self._broken[each], channels=(), now_us=now_us)


def _in_order(broken: Broken) -> tuple[str, str]:
    return broken.rule, broken.why


def _key_of(tracklet: Tracklet) -> str:
    """As `NewSighting.key`."""
    return f"{tracklet.track}/{tracklet.part}"


def _to_visit(remembered: Remembered) -> Visit:
    sighting, link = remembered.sighting, remembered.sighting.link
    return Visit(
        camera=sighting.camera,
        track=TrackKey(sighting.track),
        part=sighting.part,
        sighting=sighting.key,
        first_seen_us=sighting.first_seen_us,
        last_seen_us=sighting.last_seen_us,
        modality=sighting.modality,
        decision=link.decision,
        identity=remembered.recorded.identity,
        candidate=link.candidate,
        probability=link.probability,
        means=remembered.means,
        trust=remembered.trust,
        model=sighting.model,
        evidence=tuple(e.evidence for e in sighting.exemplars if e.evidence is not None),
        is_last=remembered.is_last,
    )
