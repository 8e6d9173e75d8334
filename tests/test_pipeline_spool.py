"""Visits wait on the disk while the database is away: in order, whole, bounded, once."""

from __future__ import annotations

import dataclasses
import queue
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from pipeline.errors import SpoolFull
from pipeline.run.spool import Spool
from pipeline.run.spool_files import Closed, from_bytes, read_file, to_bytes, write_file
from pipeline.stage import Stage
from pipeline.types import Tracklet
from storage.check import check
from storage.database import open_database
from storage.errors import DatabaseBusy, DiskFull
from storage.sightings import sightings
from streams.types import CameraId, Gap, GapReason
from tests.processes import PATIENCE_S, wait_for
from tests.spool_builders import tracklet
from tests.storage_builders import ROOT

if TYPE_CHECKING:
    from tests.storage_fixtures import Power

pytest_plugins = ["tests.storage_fixtures"]


def spool_in(folder: Path, *, limit_mb: int = 100, capacity: int = 4) -> Spool:
    return Spool(folder, limit_mb=limit_mb, capacity=capacity, stop=threading.Event())


class Memory:
    """Remembers tracks, unless the database is away."""

    def __init__(self, spool: Spool) -> None:
        self.tracks: list[str] = []
        self.is_away = threading.Event()
        self._spool = spool

    def remember(self, item: Closed) -> None:
        assert isinstance(item, Tracklet)
        self._spool.until_written(lambda: self._write(item.track))

    def _write(self, track: str) -> None:
        if self.is_away.is_set():
            raise DatabaseBusy("away")
        self.tracks.append(track)


def stage_of(spool: Spool, memory: Memory) -> Stage[Closed]:
    work = spool.working(memory.remember)
    return Stage("remember", work, waiting=spool, closing=spool.closing)


@pytest.mark.parametrize(
    "item",
    [
        tracklet("gate/1", n_crops=2),
        tracklet("☾", n_crops=0),
        Gap(camera=CameraId("gate"), from_us=5, to_us=9, reason=GapReason.STALLED),
        Gap(camera=CameraId("gate"), from_us=5, to_us=None, reason=GapReason.STREAM_ENDED),
    ],
    ids=["visit", "no pictures", "gap", "gap that lasts"],
)
def test_an_item_comes_back_as_it_was(item: Closed) -> None:
    assert_same(from_bytes(to_bytes(item)), item)


def assert_same(found: object, expected: object) -> None:
    assert type(found) is type(expected)
    if dataclasses.is_dataclass(expected):
        for field in dataclasses.fields(expected):
            assert_same(getattr(found, field.name), getattr(expected, field.name))
    elif isinstance(expected, np.ndarray):
        assert isinstance(found, np.ndarray)
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)
    elif isinstance(expected, tuple):
        assert isinstance(found, tuple)
        assert len(found) == len(expected)
        for mine, theirs in zip(found, expected, strict=True):
            assert_same(mine, theirs)
    else:
        assert found == expected


def test_nothing_touches_the_disk_while_the_database_answers(tmp_path: Path) -> None:
    spool = spool_in(tmp_path / "spool")
    memory = Memory(spool)

    with stage_of(spool, memory) as stage:
        for number in range(20):
            stage.put(tracklet(str(number)))

    assert memory.tracks == [str(number) for number in range(20)]
    assert not (tmp_path / "spool").exists()


def test_visits_wait_in_files_and_follow_in_order_when_the_database_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.run.spool._FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr("pipeline.run.spool._LONGEST_PAUSE_S", 0.01)
    spool = spool_in(tmp_path)
    memory = Memory(spool)
    memory.is_away.set()

    with stage_of(spool, memory) as stage:
        for number in range(10):
            stage.put(tracklet(str(number)))
        assert wait_for(lambda: spool.n_on_disk == 10)
        memory.is_away.clear()
        for number in range(10, 15):
            stage.put(tracklet(str(number)))

    assert memory.tracks == [str(number) for number in range(15)]
    assert list(tmp_path.iterdir()) == []


def test_what_waits_when_the_watcher_stops_comes_first_the_next_time(tmp_path: Path) -> None:
    memory = Memory(spool := spool_in(tmp_path))
    memory.is_away.set()

    def stop_while_away() -> None:
        with stage_of(spool, memory) as stage:
            for number in range(6):
                stage.put(tracklet(str(number)))
            assert wait_for(lambda: spool.n_on_disk == 6)

    with pytest.raises(DatabaseBusy, match=r"6 visits wait in .* written at the next start"):
        stop_while_away()

    memory = Memory(spool := spool_in(tmp_path))
    with stage_of(spool, memory) as stage:
        stage.put(tracklet("new"))
    assert memory.tracks == ["0", "1", "2", "3", "4", "5", "new"]


def test_a_torn_file_is_set_aside_and_the_others_are_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    leave_on_disk(tmp_path, 4)
    files = sorted(tmp_path.iterdir())
    files[1].write_bytes(files[1].read_bytes()[:-30])
    changed = bytearray(files[2].read_bytes())
    changed[len(changed) // 3] ^= 1
    files[2].write_bytes(changed)
    (tmp_path / "000000000009.part").write_bytes(b"of a killed process")

    memory = Memory(spool := spool_in(tmp_path))
    with stage_of(spool, memory):
        pass

    assert memory.tracks == ["0", "3"]
    assert sorted(file.suffix for file in tmp_path.iterdir()) == [".damaged", ".damaged"]
    assert caplog.text.count("a visit is lost") == 2


def leave_on_disk(folder: Path, n: int) -> None:
    for number in range(n):
        write_file(folder / f"{number + 1:012d}.visit", tracklet(str(number)))


def test_a_full_spool_makes_cameras_wait_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.run.spool._FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr("pipeline.run.spool._LONGEST_PAUSE_S", 0.01)
    stop = threading.Event()
    spool = Spool(tmp_path, limit_mb=1, capacity=4, stop=stop)
    memory = Memory(spool)
    memory.is_away.set()

    with stage_of(spool, memory) as stage:
        stage.put(tracklet("0"))
        assert wait_for(lambda: spool.n_on_disk == 1)
        n = 1
        for n in range(1, 100):  # each takes about 190 kB: noise does not compress
            try:
                spool.put(tracklet(str(n), side_px=250), timeout=0.01)
            except queue.Full:
                break
        assert 5 <= n <= 8
        assert caplog.text.count("cameras drop pictures until it does") == 1
        stop.set()
        with pytest.raises(SpoolFull, match=r"storage\.spool_mb"):
            stage.put(tracklet("late"))
        memory.is_away.clear()

    assert memory.tracks == [str(number) for number in range(n)]


def test_a_stage_that_fails_leaves_what_it_had_for_the_next_start(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)
    go = threading.Event()

    def refuse(item: Closed) -> None:
        go.wait()
        raise DiskFull(f"no space left for {item}")

    def run() -> None:
        with Stage("remember", spool.working(refuse), waiting=spool) as stage:
            for number in range(3):
                stage.put(tracklet(str(number)))
            go.set()

    with pytest.raises(DiskFull):
        run()
    spool.keep()

    kept = [read_file(file) for file in sorted(tmp_path.iterdir())]
    assert [item.track for item in kept if isinstance(item, Tracklet)] == ["0", "1", "2"]


def test_a_visit_that_breaks_the_program_does_not_break_it_again(tmp_path: Path) -> None:
    spool = spool_in(tmp_path)

    def run() -> None:
        with Stage("remember", spool.working(divide), waiting=spool) as stage:
            stage.put(tracklet("0"))

    def divide(item: Closed) -> None:
        raise ZeroDivisionError(item)

    with pytest.raises(ZeroDivisionError):
        run()
    spool.keep()

    assert list(tmp_path.iterdir()) == []


def test_a_process_killed_while_the_database_is_away_loses_and_doubles_nothing(
    postgresql_address: str, power: Power, tmp_path: Path
) -> None:
    acknowledged: list[str] = []
    for turn in range(2):
        child = run_filler(postgresql_address, tmp_path, "fill")
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        power.off()
        child.stdin.write("go\n")
        child.stdin.flush()
        seen = [child.stdout.readline().strip() for _ in range(7 + turn)]
        child.send_signal(signal.SIGKILL)
        seen += child.stdout.read().split("\n")[:-1]
        child.wait()
        acknowledged += seen
        power.on()

        assert run_filler(postgresql_address, tmp_path, "drain").wait(timeout=2 * PATIENCE_S) == 0

    with open_database(postgresql_address) as database:
        found = [visit.key for visit in sorted(sightings(database), key=lambda visit: visit.id)]
        assert check(database, None) == []
    assert len(set(found)) == len(found)
    assert [key for key in dict.fromkeys(acknowledged) if key not in found] == []
    assert len(found) <= len(set(acknowledged)) + 1  # one may be on the disk and not yet told
    assert list(tmp_path.iterdir()) == []


def run_filler(address: str, folder: Path, what: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "tests.spool_filler", address, str(folder), what],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
