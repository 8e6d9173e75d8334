"""Live cameras, over a real RTSP server, into the database; one that dies leaves a gap."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from benchmarks.sites import into_folder
from pipeline.config import SiteConfig
from pipeline.run.watch import Progress, watch
from storage.check import check
from storage.database import open_database
from storage.errors import AlreadyRunning
from storage.evidence import EvidenceStore
from storage.gaps import gaps
from storage.sightings import sightings
from streams.config import CameraConfig
from streams.errors import NoctuleError
from tests.rtsp import RtspServer

FOOTAGE = Path(__file__).parents[1] / "simulator" / "footage" / "demo"
PATIENCE_S = 240.0


def site_of(folder: Path, **urls: str) -> SiteConfig:
    cameras = tuple(
        CameraConfig(name=name, source=SecretStr(url), stall_after_s=10, open_timeout_s=30)
        for name, url in urls.items()
    )
    return into_folder(SiteConfig(cameras=cameras), folder)


def watch_until(site: SiteConfig, enough: Callable[[Progress], bool]) -> Progress:
    """Watch live until `enough` says so, or patience ends."""
    stop = threading.Event()
    give_up_s = time.monotonic() + PATIENCE_S

    def report(progress: Progress) -> None:
        if enough(progress) or time.monotonic() > give_up_s:
            stop.set()

    return watch(site, stop=stop, report=report)


def test_two_live_cameras_are_watched_and_remembered(tmp_path: Path) -> None:
    films = {"gate": FOOTAGE / "gate.mp4", "dock": FOOTAGE / "dock.mp4"}
    with RtspServer(films, user="op", password="p@ss:w/rd") as server:
        site = site_of(tmp_path, gate=server.url("gate"), dock=server.url("dock"))

        done = watch_until(site, lambda p: p.n_sightings >= 2)

    assert done.n_sightings >= 2
    with open_database(site.storage.database.get_secret_value()) as database:
        found = sightings(database, limit=None)
        assert check(database, EvidenceStore(site.storage.evidence, reserve_mb=0)) == []
    now_us = time.time_ns() // 1000
    assert all(0 <= now_us - s.last_seen_us < 300_000_000 for s in found)
    assert all(s.modality == ("visible" if s.camera == "gate" else "infrared") for s in found)


def test_a_camera_that_dies_leaves_a_gap_while_the_other_goes_on(tmp_path: Path) -> None:
    with (
        RtspServer({"gate": FOOTAGE / "gate.mp4"}) as mortal,
        RtspServer({"dock": FOOTAGE / "dock.mp4"}) as steady,
    ):
        site = site_of(tmp_path, gate=mortal.url("gate"), dock=steady.url("dock"))
        frames_at_death: list[int] = []

        def enough(progress: Progress) -> bool:
            seeing = {h.camera for h in progress.health if h.state == "live"}
            if not frames_at_death and {"gate", "dock"} <= seeing:
                mortal.kill()
                frames_at_death.append(progress.n_frames)
            is_blind = bool(frames_at_death) and "gate" not in seeing
            return is_blind and progress.n_frames > frames_at_death[0] + 20

        watch_until(site, enough)

    with open_database(site.storage.database.get_secret_value()) as database:
        blind = gaps(database)
    assert [gap.camera for gap in blind] == ["gate"]


def test_a_second_watcher_on_the_same_database_is_refused(tmp_path: Path) -> None:
    with RtspServer({"gate": FOOTAGE / "gate.mp4"}) as server:
        site = site_of(tmp_path, gate=server.url("gate"))
        refused: list[str] = []

        def enough(_: Progress) -> bool:
            if refused:
                return True
            with pytest.raises(AlreadyRunning) as refusal:
                watch(site, stop=threading.Event(), report=lambda _: None)
            refused.append(str(refusal.value))
            return True

        watch_until(site, enough)

    assert refused


def test_a_killed_watcher_loses_nothing_and_can_go_on(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(
        f"cameras: [{{name: gate, source: '{FOOTAGE / 'gate.mp4'}', "
        "starts_at: 2026-06-01T14:00:00Z}]\nstorage: {reserve_mb: 0}\n"
    )
    command = [sys.executable, "-m", "pipeline.cli", "run", "--config", str(config)]
    database_file = tmp_path / "site" / "noctule.db"

    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    kept = _wait_for_sightings(database_file, at_least=2, process=process)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    with open_database(f"sqlite:///{database_file}") as database:
        after_kill = {s.key for s in sightings(database, limit=None)}
        assert check(database, EvidenceStore(tmp_path / "site" / "evidence")) == []
    again = subprocess.run(command, capture_output=True, text=True, check=False)

    assert kept <= after_kill
    assert again.returncode == 0, again.stderr
    assert "stand as an earlier run recorded them" in again.stdout
    with open_database(f"sqlite:///{database_file}") as database:
        found = sightings(database, limit=None)
        assert check(database, EvidenceStore(tmp_path / "site" / "evidence")) == []
    assert after_kill < {s.key for s in found}


def _wait_for_sightings(file: Path, *, at_least: int, process: subprocess.Popen[bytes]) -> set[str]:
    give_up_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < give_up_s and process.poll() is None:
        time.sleep(0.1)
        if file.exists():
            try:
                with open_database(f"sqlite:///{file}") as database:
                    keys = {s.key for s in sightings(database, limit=None)}
            except NoctuleError:  # still being made
                continue
            if len(keys) >= at_least:
                return keys
    pytest.fail("the watcher wrote no sightings in time")
