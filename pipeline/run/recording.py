"""What the watcher does about recordings: index them, find lost ones, delete what is due."""

from __future__ import annotations

import logging
import shutil
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

from pipeline.background import Background
from pipeline.config import SiteConfig
from storage.database import Database
from storage.desk.segments import (
    StoredSegment,
    forget_segments,
    known_paths,
    oldest_unlocked,
    record_segments,
    recorded_bytes,
)
from streams.clock import Clock
from streams.errors import NoctuleError, Transient
from streams.recording.played import note_played, played_file
from streams.recording.salvage import read_segment, recorded_files, salvage_camera
from streams.recording.types import RecordingJob, Segment
from streams.types import CameraId

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
EXPIRE_EVERY_S = 60.0
COUNT_EVERY_S = 3600.0
MOST_WAITING = 100_000
"""Segments that wait for the database; the files of more are found at the next start."""
_DAY_US = 86_400_000_000
_BYTES_PER_GB = 1_000_000_000
_BYTES_PER_MB = 1_000_000
_AT_ONCE = 100
_HEADROOM_BYTES = 200 * _BYTES_PER_MB
"""Freed beyond the reserve, so that not every segment begins with a full disk."""


class Recording(Background):
    """Keeps the index of recordings in step with their files while the block lasts.

    Entering finishes files that a killed process left. What goes wrong is logged and tried again:
    recording never stops watching.
    """

    def __init__(self, config: SiteConfig, database: Database, clock: Clock) -> None:
        super().__init__("recording")
        self._config = config.recording
        self._reserve_bytes = config.storage.reserve_mb * _BYTES_PER_MB
        self._folder = config.recordings_folder.absolute()
        self._database = database
        self._clock = clock
        self._waiting: deque[Segment] = deque(maxlen=MOST_WAITING)
        self._next_expiry_s = clock.monotonic_s()
        self._is_away = False
        self._bytes: int | None = None
        self._counted_s = clock.monotonic_s()

    @property
    def job(self) -> RecordingJob | None:
        """What the capture processes are to do; None: nothing is recorded."""
        if self._config.mode == "off":
            return None
        return RecordingJob(
            folder=self._folder,
            segment_s=self._config.segment_s,
            reserve_bytes=self._reserve_bytes,
        )

    def __enter__(self) -> Self:
        for camera in sorted(self._folder.glob("*/")):
            try:
                self.put(list(salvage_camera(self._folder, CameraId(camera.name))))
            except OSError as error:
                logger.error("recordings of %s cannot be finished: %s", camera.name, error.strerror)
        return super().__enter__()

    def __exit__(self, *trouble: object) -> None:
        super().__exit__(*trouble)
        self._write()

    def put(self, segments: Sequence[Segment]) -> None:
        """Finished files, to be put into the index soon."""
        self._waiting.extend(segments)

    def _loop(self) -> None:
        self._find_lost()
        while not self._stopping.wait(LOOK_EVERY_S):
            self._write()
            if self._clock.monotonic_s() >= self._next_expiry_s:
                self._next_expiry_s = self._clock.monotonic_s() + EXPIRE_EVERY_S
                self.expire()

    def _write(self) -> None:
        """Write all that wait; what cannot be written goes on waiting."""
        some = [self._waiting.popleft() for _ in range(len(self._waiting))]
        if not some:
            return
        try:
            record_segments(self._database, some)
        except NoctuleError as error:
            self._waiting.extendleft(reversed(some))
            if not self._is_away:
                logger.warning("recordings are kept, and put into the index later: %s", error)
            self._is_away = True
        else:
            self._is_away = False
            if self._bytes is not None:
                self._bytes += sum(each.n_bytes for each in some)

    def _find_lost(self) -> None:
        """Put files into the index that are whole but not in it."""
        n_found = 0
        try:
            for places in _in_groups(recorded_files(self._folder)):
                names = {place.relative_to(self._folder).as_posix(): place for place in places}
                unknown = sorted(set(names) - known_paths(self._database, names))
                if self._stopping.is_set():
                    return
                found = [read_segment(self._folder, names[name]) for name in unknown]
                n_found += record_segments(self._database, [each for each in found if each])
        except (NoctuleError, OSError) as error:
            logger.warning("lost recordings are looked for at the next start: %s", error)
        if n_found:
            logger.info("%d recordings that were not in the index are now", n_found)

    def expire(self) -> int:
        """Delete what is too old, or more than there is room for; how many files."""
        n_gone = 0
        try:
            while not self._stopping.is_set():
                due = self._due()
                gone = forget_segments(
                    self._database, [each.id for each in due], now_us=self._clock.now_us()
                )
                for name in gone:
                    _delete(self._folder, name)
                if self._bytes is not None:
                    self._bytes -= sum(e.segment.n_bytes for e in due if e.segment.path in gone)
                n_gone += len(gone)
                if not gone:
                    break
        except Transient as error:
            logger.info("recordings that are due are deleted later: %s", error)
        except (NoctuleError, OSError) as error:
            logger.error("recordings that are due cannot be deleted: %s", error)
        if n_gone:
            logger.info("%d recordings expired", n_gone)
        return n_gone

    def _due(self) -> list[StoredSegment]:
        now_us = self._clock.now_us()
        if self._config.days is not None:
            before_us = now_us - round(self._config.days * _DAY_US)
            old = oldest_unlocked(
                self._database, now_us=now_us, before_us=before_us, limit=_AT_ONCE
            )
            if old:
                return old
        excess = self._excess_bytes()
        if excess <= 0:
            return []
        chosen: list[StoredSegment] = []
        for each in oldest_unlocked(self._database, now_us=now_us, limit=_AT_ONCE):
            if excess <= 0:
                break
            chosen.append(each)
            excess -= each.segment.n_bytes
        return chosen

    def _excess_bytes(self) -> int:
        """How much is to be freed; without a quota, so that the disk keeps its reserve."""
        if self._config.quota_gb is not None:
            return self._count_bytes() - round(self._config.quota_gb * _BYTES_PER_GB)
        if self._config.mode == "off" or not self._folder.is_dir():
            return 0
        free = shutil.disk_usage(self._folder).free
        return self._reserve_bytes + _HEADROOM_BYTES - free

    def _count_bytes(self) -> int:
        """Room that recordings take; counted anew now and then, since that reads every row."""
        now_s = self._clock.monotonic_s()
        if self._bytes is None or now_s - self._counted_s > COUNT_EVERY_S:
            self._bytes = recorded_bytes(self._database)
            self._counted_s = now_s
        return self._bytes


def note_recorded(config: SiteConfig) -> None:
    """Remember which files were watched as which camera: they serve as its recordings."""
    for camera in config.cameras:
        try:
            note_played(config.recordings_folder.absolute(), played_file(camera))
        except OSError as error:
            logger.warning("camera %s cannot be replayed in pages: %s", camera.name, error.strerror)
        except NoctuleError:  # told already when it was opened
            continue


def _in_groups(places: Iterator[Path]) -> Iterator[list[Path]]:
    group: list[Path] = []
    for place in places:
        group.append(place)
        if len(group) == _AT_ONCE:
            yield group
            group = []
    if group:
        yield group


def _delete(folder: Path, name: str) -> None:
    """Delete a file that the index does not know any more; its day's folder when it is empty."""
    place = folder / name
    if not place.resolve().is_relative_to(folder.resolve()):
        logger.error("%s is not deleted: it is outside of %s", name, folder)
        return
    place.unlink(missing_ok=True)
    try:
        place.parent.rmdir()
    except OSError:  # there are others of that day
        return
