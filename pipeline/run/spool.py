"""Closed visits wait on the disk while the database does not answer, and are written in order.

    cameras -> put -> [memory, or files while the database is away] -> get -> work -> done

As long as the database answers nothing touches the disk. When a write fails for the moment, the
visit in hand and those in memory become files, and so does every later one, until all files are
written to the database. What a killed process left is written first at the next start. A visit's
key is recorded once, so a file that was written but not yet deleted does no harm.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pipeline.errors import SpoolDamaged, SpoolFull
from pipeline.run.spool_files import UNFINISHED_SUFFIX, Closed, read_file, write_file
from storage.errors import DatabaseBusy
from streams.errors import NoctuleError, Transient

logger = logging.getLogger(__name__)

T = TypeVar("T")

BYTES_PER_MB = 1_000_000
_SUFFIX, _DAMAGED_SUFFIX = ".visit", ".damaged"
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 10.0


class Spool:
    """What waits between the cameras and the database: in memory, or in files. For one `Stage`.

    Args:
        folder: Of the files; made when it is needed.
        limit_mb: Most that the files may take; then `put` waits, and cameras drop pictures.
        capacity: Items in memory at most.
        stop: Somebody wants to end: nothing waits for room any more.
    """

    def __init__(
        self, folder: Path, *, limit_mb: int, capacity: int, stop: threading.Event
    ) -> None:
        self.folder = folder
        self.closing = threading.Event()
        self._limit_bytes = limit_mb * BYTES_PER_MB
        self._capacity = capacity
        self._stop = stop
        self._changed = threading.Condition()
        self._memory: deque[Closed] = deque()
        self._files = deque(sorted(folder.glob(f"*{_SUFFIX}")))
        self._n_bytes = sum(file.stat().st_size for file in self._files)
        self._number = int(self._files[-1].stem) + 1 if self._files else 1
        self._in_hand: Closed | None = None
        self._its_file: Path | None = None
        self._is_away = False
        self._was_full = False
        for unfinished in folder.glob(f"*{UNFINISHED_SUFFIX}"):  # of a killed process
            unfinished.unlink()
        if self._files:
            logger.info("%d visits wait in %s from earlier", len(self._files), folder)

    @property
    def n_on_disk(self) -> int:
        """Items that are in files, the one in hand included."""
        with self._changed:
            return len(self._files) + (self._its_file is not None)

    def qsize(self) -> int:
        """Items that wait for their turn."""
        with self._changed:
            return len(self._memory) + len(self._files)

    def put(self, item: Closed, *, timeout: float) -> None:
        """Let an item wait. When this returns while the database is away, it is on the disk.

        Raises:
            queue.Full: No room within `timeout` seconds.
            SpoolFull: No room, and nobody wants to wait for it.
        """
        with self._changed:
            kept = self._put_file(item) if self._uses_files() else self._put_memory(item)
            if kept:
                self._changed.notify_all()
                return
            self._changed.wait(timeout)
        raise queue.Full

    def get(self, *, timeout: float) -> Closed:
        """The item that waits longest; `done` must be told when it is in the database.

        Raises:
            queue.Empty: None came within `timeout` seconds.
        """
        with self._changed:
            if not self._memory and not self._files:
                self._changed.wait(timeout)
            while not self._memory and self._files:
                self._its_file = self._files.popleft()
                try:
                    self._in_hand = read_file(self._its_file)
                except SpoolDamaged as error:
                    self._set_aside(self._its_file, error)
                    continue
                return self._in_hand
            if not self._memory:
                raise queue.Empty
            self._in_hand = self._memory.popleft()
            self._changed.notify_all()
            return self._in_hand

    def done(self) -> None:
        """The item in hand is in the database."""
        with self._changed:
            self._in_hand = None
            if self._its_file is not None:
                self._forget(self._its_file)
                self._its_file.unlink(missing_ok=True)
                self._its_file = None
            if self._is_away:
                n = len(self._files)
                logger.info("the database answers again; %d visits that waited follow", n)
            self._is_away = self._was_full = False
            self._changed.notify_all()

    def working(self, work: Callable[[Closed], None]) -> Callable[[Closed], None]:
        """`work`, told of its outcome; what makes it fail by a fault of ours is set aside."""

        def work_and_tell(item: Closed) -> None:
            is_fault = True
            try:
                work(item)
                is_fault = False
            except NoctuleError:
                is_fault = False
                raise
            finally:
                if is_fault:
                    self._drop()
            self.done()

        return work_and_tell

    def keep(self) -> None:
        """The stage has ended: what it left, if it failed, is written at the next start."""
        with self._changed:
            self._in_hand_to_disk()
            while self._memory and self._put_file(self._memory[0]):
                self._memory.popleft()

    def until_written(self, write: Callable[[], T]) -> T:
        """What `write` returns, tried again while the database is busy or away.

        Raises:
            DatabaseBusy: It is still away, and the stage is closing: the files stay.
        """
        pause_s = _FIRST_PAUSE_S
        while True:
            is_last_try = self.closing.is_set()
            try:
                return write()
            except Transient as error:
                self._move_to_disk(error)
                if is_last_try:
                    raise DatabaseBusy(
                        f"{error}; {self.n_on_disk} visits wait in {self.folder} and are written "
                        "at the next start"
                    ) from error
                logger.warning("nothing is lost, next try in %.1f s: %s", pause_s, error)
            self.closing.wait(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _uses_files(self) -> bool:
        return self._is_away or bool(self._files) or self._its_file is not None

    def _put_memory(self, item: Closed) -> bool:
        if len(self._memory) >= self._capacity:
            return False
        self._memory.append(item)
        return True

    def _put_file(self, item: Closed) -> bool:
        """Whether there was room for it."""
        if self._n_bytes >= self._limit_bytes:
            self._tell_full(f"{self._n_bytes // BYTES_PER_MB} MB wait in it (storage.spool_mb)")
            return False
        place = self.folder / f"{self._number:012d}{_SUFFIX}"
        try:
            n_bytes = write_file(place, item)
        except OSError as error:
            self._tell_full(f"it cannot be written ({error.strerror})")
            return False
        self._number += 1
        self._n_bytes += n_bytes
        self._files.append(place)
        return True

    def _tell_full(self, why: str) -> None:
        words = f"no more visits fit into {self.folder}: {why}; the database does not answer"
        if self._stop.is_set() or self.closing.is_set():
            raise SpoolFull(f"{words}, and the last visits are lost")
        if not self._was_full:
            logger.error("%s; cameras drop pictures until it does", words)
        self._was_full = True

    def _move_to_disk(self, error: Transient) -> None:
        """The item in hand and those in memory, in this order."""
        with self._changed:
            if self._is_away:
                return
            logger.warning("visits wait in %s while the database is away: %s", self.folder, error)
            self._is_away = True
            self.keep()

    def _in_hand_to_disk(self) -> None:
        if self._its_file is None and self._in_hand is not None and self._put_file(self._in_hand):
            self._its_file = self._files.pop()

    def _drop(self) -> None:
        """Forget the item in hand: it would end the next run, too."""
        with self._changed:
            if self._its_file is not None:
                self._set_aside(self._its_file, "it ended the watcher")
            self._in_hand = None

    def _forget(self, file: Path) -> None:
        self._n_bytes -= file.stat().st_size if file.exists() else 0

    def _set_aside(self, file: Path, why: SpoolDamaged | str) -> None:
        logger.error("a visit is lost, its file is kept as %s: %s", _DAMAGED_SUFFIX, why)
        self._forget(file)
        file.rename(file.with_suffix(_DAMAGED_SUFFIX))
        self._its_file = None
