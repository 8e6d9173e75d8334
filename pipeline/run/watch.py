"""The watcher: builds the stages, runs them until the footage ends or somebody says stop."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version

from models.detect.load import load_detector
from models.fetch import Received
from pipeline.config import SiteConfig
from pipeline.errors import UsageInvalid
from pipeline.run.alerting import Alerting
from pipeline.run.expiring import Expiring
from pipeline.run.first_look import FirstLooks
from pipeline.run.minds import Minds
from pipeline.run.perceive import Perception, batches
from pipeline.run.publish import Publisher
from pipeline.run.recording import Recording, note_recorded
from pipeline.run.remember import Remembered
from pipeline.run.spool import Spool
from pipeline.run.spool_files import Closed
from pipeline.stage import Stage
from storage.cameras import record_camera
from storage.claims import claim_watcher
from storage.database import Database, open_database
from storage.evidence import EvidenceStore
from storage.gaps import close_open_gaps, record_gap
from storage.runs import record_run, record_run_end
from storage.types import Decision, NewLink, Recorded
from streams.address import shown
from streams.clock import Clock, SystemClock
from streams.errors import NoctuleError
from streams.feed import CameraHealth
from streams.live import LiveFeeds
from streams.replay import Replay
from streams.types import CameraId, Frame, Gap

logger = logging.getLogger(__name__)

_BATCH = 8
_TRACKLETS_WAITING = 64
_TAKE_S = 0.5
_REPORT_EVERY_S = 0.25


@dataclass(slots=True)
class Progress:
    """How far the watcher has come; read by the command line.

    Attributes:
        n_expected: Frames there will be, None when nobody knows (live, or undocumented length).
        first_us: Time of the first frame of this run, microseconds UTC.
        now_us: Time of the newest frame, microseconds UTC.
        was_stopped: Recordings were not watched to their end; open visits were not written.
    """

    n_frames: int = 0
    n_expected: int | None = None
    n_still: int = 0
    first_us: int | None = None
    now_us: int | None = None
    was_stopped: bool = False
    decisions: Counter[Decision] = field(default_factory=Counter)
    n_known: int = 0
    health: tuple[CameraHealth, ...] = ()
    failures: dict[CameraId, NoctuleError] = field(default_factory=dict)

    @property
    def n_sightings(self) -> int:
        """Sightings written in this run."""
        return self.decisions.total()


Report = Callable[[Progress], None]
Fetching = Callable[[Received], None]


def watch(
    config: SiteConfig,
    *,
    stop: threading.Event,
    report: Report,
    fetching: Fetching | None = None,
    clock: Clock | None = None,
) -> Progress:
    """Watch all cameras of a site until recorded footage ends or `stop` is set.

    Args:
        report: Told a few times a second how far we are.
        fetching: Told about a download of weights, if one is needed.

    Raises:
        UsageInvalid: No camera, or live and recorded cameras mixed.
        Permanent: What has to be mended first: weights, database, configuration.
    """
    clock = clock or SystemClock()
    live = _is_live(config)
    progress = Progress()

    def heard(recorded: Recorded, link: NewLink) -> None:
        publisher.heard(recorded, link)
        if recorded.was_known:
            progress.n_known += 1
        else:
            progress.decisions[link.decision] += 1

    with ExitStack() as stack:
        replay = None if live else _opened(config, stack, progress)
        database = stack.enter_context(
            open_database(
                config.storage.database.get_secret_value(),
                create=True,
                connections=config.storage.connections,
            )
        )
        stack.enter_context(claim_watcher(database))
        perception = Perception(config, load_detector(config.detector, progress=fetching))
        spool = Spool(
            config.storage.spool,
            limit_mb=config.storage.spool_mb,
            capacity=_TRACKLETS_WAITING,
            stop=stop,
        )
        minds = Minds(config, database, listener=heard, writing=spool.until_written)
        close_open_gaps(database, clock.now_us())
        run = record_run(
            database,
            program=version("noctule"),
            config_hash=config.fingerprint(),
            now_us=clock.now_us(),
        )
        for camera in config.cameras:
            address = shown(camera.source.get_secret_value())
            record_camera(database, CameraId(camera.name), description=address)
        publisher = stack.enter_context(Publisher(config, live=live, clock=clock))
        first_looks = FirstLooks(minds, publisher, n_to_remember=spool.qsize)
        if live:
            stack.enter_context(_expiring(config, database, clock))
        else:
            note_recorded(config)
        alerting = stack.enter_context(
            Alerting(
                config,
                database,
                live=live,
                clock=clock,
                model=minds.model,
                calibration=minds.calibration,
            )
        )
        told = _Teller(progress, perception, report, publisher, first_looks, alerting)

        def remember(item: Closed) -> Remembered | None:
            if isinstance(item, Gap):
                spool.until_written(partial(record_gap, database, item))
                return None
            first_looks.told(item)
            publisher.about(item.track)
            return minds.remember(item)

        def idle() -> None:
            first_looks.look()
            if live:
                minds.idle()

        stack.callback(spool.keep)
        with Stage(
            "remember",
            spool.working(alerting.following(remember)),
            waiting=spool,
            closing=spool.closing,
            idle=idle,
        ) as stage:
            if replay is None:
                try:
                    with Recording(config, database, clock) as recording:
                        _watch_live(config, perception, stage, told, stop, recording)
                finally:
                    _put_all(stage, perception.cut_all())
            elif _watch_recorded(replay, perception, stage, told, stop):
                cut = perception.cut_all()
                _put_all(stage, cut)
                alerting.announce(cut)
            else:  # what was cut short would stand for the whole visit: the next run tells it
                progress.was_stopped = True
        if replay is not None and not progress.was_stopped:
            minds.conclude()
        record_run_end(database, run, now_us=clock.now_us())
    told.tell(force=True)
    return progress


def _is_live(config: SiteConfig) -> bool:
    kinds = {camera.is_live for camera in config.cameras}
    if not kinds:
        raise UsageInvalid(
            "no camera is configured; add one in the pages, or under `cameras:` in config.yaml"
        )
    if len(kinds) > 1:
        raise UsageInvalid(
            "live and recorded cameras cannot be watched together, their clocks differ; "
            "use `noctule replay FILE` for the recorded ones"
        )
    return kinds.pop()


def _expiring(config: SiteConfig, database: Database, clock: Clock) -> Expiring:
    return Expiring(
        database,
        EvidenceStore(config.storage.evidence),
        config.retention,
        index=config.storage.index_folder,
        clock=clock,
    )


class _Teller:
    """Reports progress often enough for a person, seldom enough for a computer."""

    def __init__(
        self,
        progress: Progress,
        perception: Perception,
        report: Report,
        publisher: Publisher,
        first_looks: FirstLooks,
        alerting: Alerting,
    ) -> None:
        self.progress = progress
        self.publisher = publisher
        self.first_looks = first_looks
        self.alerting = alerting
        self._perception = perception
        self._report = report
        self._last_s = 0.0

    def tell(self, *, force: bool = False) -> None:
        now_s = time.monotonic()
        if force or now_s - self._last_s >= _REPORT_EVERY_S:
            self._last_s = now_s
            self.progress.n_frames = self._perception.n_frames
            self.progress.n_still = self._perception.n_still
            self._report(self.progress)


def _opened(config: SiteConfig, stack: ExitStack, progress: Progress) -> Replay:
    """All recordings, opened; before anything else is, since a wrong name is found at once.

    Raises:
        NoctuleError: Not one of them can be opened.
    """
    replay = stack.enter_context(Replay(config.cameras))
    if len(replay.failures) == len(config.cameras):
        raise next(iter(replay.failures.values()))
    progress.n_expected = replay.n_frames
    return replay


def _watch_recorded(
    replay: Replay,
    perception: Perception,
    stage: Stage[Closed],
    told: _Teller,
    stop: threading.Event,
) -> bool:
    """Every frame of every file, in the order of time; a broken file does not end the others.

    Returns:
        Whether the end was reached.
    """
    for batch in batches(replay, size=_BATCH):
        if stop.is_set():
            return False
        if told.progress.first_us is None:
            told.progress.first_us = batch[0].captured_at_us
        tracklets = perception.perceive(batch)
        _put_all(stage, tracklets)
        told.publisher.saw(batch, perception)
        told.first_looks.saw(batch, perception)
        told.alerting.announce(tracklets)
        told.alerting.saw(batch, perception)
        told.alerting.tick()
        told.progress.now_us = batch[-1].captured_at_us
        told.tell()
    told.progress.failures.update(replay.failures)
    return True


def _watch_live(
    config: SiteConfig,
    perception: Perception,
    stage: Stage[Closed],
    told: _Teller,
    stop: threading.Event,
    recording: Recording,
) -> None:
    """The newest frame of every camera, until somebody says stop."""
    feeds = LiveFeeds(config.cameras, recording=recording.job)
    with feeds:
        while not stop.is_set():
            events = feeds.take(_TAKE_S)
            for gap in (event for event in events if isinstance(event, Gap)):
                stage.put(gap)
                told.publisher.gap(gap)
                told.alerting.gap(gap)
                _put_all(stage, perception.cut(gap.camera))
            frames = [event for event in events if isinstance(event, Frame)]
            if frames:
                _put_all(stage, perception.perceive(frames))
                told.publisher.saw(frames, perception)
                told.first_looks.saw(frames, perception)
                told.alerting.saw(frames, perception)
                if told.progress.first_us is None:
                    told.progress.first_us = min(frame.captured_at_us for frame in frames)
                told.progress.now_us = max(frame.captured_at_us for frame in frames)
            told.progress.health = tuple(feeds.health())
            told.publisher.health(told.progress.health, n_waiting=stage.n_waiting)
            told.alerting.tick(told.progress.health, n_waiting=stage.n_waiting)
            recording.put(feeds.segments())
            told.tell()
    recording.put(feeds.segments())


def _put_all(stage: Stage[Closed], items: Sequence[Closed]) -> None:
    for item in items:
        stage.put(item)
