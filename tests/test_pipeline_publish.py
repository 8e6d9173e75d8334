"""The newest picture and boxes of each camera, in files, for whoever looks."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import SecretStr

from benchmarks.sites import into_folder
from models.types import Detections, ModelId
from pipeline.config import SiteConfig
from pipeline.live import LiveConfig, is_wanted, want
from pipeline.run.perceive import Perception
from pipeline.run.publish import Publisher
from pipeline.run.watch import Progress, watch
from pipeline.types import TrackKey
from storage.database import open_database
from storage.desk.segments import segments
from storage.types import Decision, IdentityId, NewLink, Recorded, SightingId
from streams.clock import SystemClock
from streams.config import CameraConfig
from streams.disk import sha256_of
from streams.errors import NoctuleError
from streams.feed import CameraHealth
from streams.images import read_image
from streams.recording.config import RecordingConfig
from streams.supervisor import CameraState
from streams.types import CameraId, Frame, Gap, GapReason
from tests.processes import wait_for
from tests.rtsp import RtspServer
from tests.streams_builders import DEMO_FOOTAGE
from tests.tracking_builders import START_US, Walker, footage

GATE = CameraId("gate")


class Knowing:
    """A detector that was told where people are."""

    def __init__(self, detections: Sequence[Detections]) -> None:
        self._by_time = {each.captured_at_us: each for each in detections}

    @property
    def model(self) -> ModelId:
        return ModelId("knowing@000000000000")

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        return [self._by_time[frame.captured_at_us] for frame in frames]


def site_of(folder: Path, **live: object) -> SiteConfig:
    cameras = (CameraConfig(name="gate", source=SecretStr("rtsp://gate/live")),)
    config = LiveConfig.model_validate({"folder": folder / "live", **live})
    return SiteConfig(cameras=cameras, live=config)


def read_state(folder: Path, camera: str = "gate") -> dict[str, Any]:
    file = folder / "live" / f"{camera}.json"
    return json.loads(file.read_text()) if file.exists() else {}


def read_width(folder: Path) -> int:
    picture = read_image(folder / "live" / "gate.jpg")
    return 0 if picture is None else picture.shape[1]


def link_to(identity: int | None, *, candidate: int, probability: float) -> NewLink:
    return NewLink(
        decision=Decision.UNSURE if identity is None else Decision.LINK,
        identity=None if identity is None else IdentityId(identity),
        candidate=IdentityId(candidate),
        probability=probability,
        threshold=0.9,
        runner_up=None,
        runner_up_probability=None,
        reason="",
        calibration="test",
    )


def recorded(identity: int | None) -> Recorded:
    who = None if identity is None else IdentityId(identity)
    return Recorded(sighting=SightingId(1), identity=who, was_known=False)


def test_pictures_and_boxes_with_names_are_there_while_somebody_looks(tmp_path: Path) -> None:
    site = site_of(tmp_path, fps=30, width=320)
    film = list(footage([Walker(x_px=100, speed_px_s=40), Walker(x_px=500)], seconds=3))
    perception = Perception(site, Knowing([found for _, found in film]))
    want(site.live_folder)

    with Publisher(site, live=True, clock=SystemClock()) as publisher:
        for frame, _ in film:
            perception.perceive([frame])
            publisher.saw([frame], perception)
            for number, track in enumerate(perception.in_view(GATE)):
                publisher.about(track.track)
                identity = 7 if number == 0 else None
                probability = 0.97 if number == 0 else 0.6
                publisher.heard(
                    recorded(identity), link_to(identity, candidate=7, probability=probability)
                )
            time.sleep(0.04)
        newest = film[-1][0].captured_at_us
        assert wait_for(
            lambda: newest - (read_state(tmp_path).get("captured_at_us") or 0) <= 200_000,
        )
        state = read_state(tmp_path)
        width_px = read_width(tmp_path)

    assert width_px == 320
    assert state["modality"] == "visible"
    first, second = state["boxes"]
    at_s = (state["captured_at_us"] - START_US) / 1e6
    x0 = (100 + 40 * at_s) / 640
    assert first["xyxy"] == pytest.approx([x0, 100 / 360, x0 + 40 / 640, 200 / 360], abs=1e-3)
    assert (first["person"], first["candidate"], first["probability"]) == ("P-0007", None, 0.97)
    assert (second["person"], second["candidate"], second["probability"]) == (None, "P-0007", 0.6)
    assert read_state(tmp_path)["health"] == "ended"
    assert not list((tmp_path / "live").glob(".*"))


def test_while_nobody_looks_there_is_one_picture_in_a_while(tmp_path: Path) -> None:
    site = site_of(tmp_path, fps=30)
    film = list(footage([Walker(x_px=100)], seconds=2))
    perception = Perception(site, Knowing([found for _, found in film]))
    shown: set[int] = set()

    with Publisher(site, live=True, clock=SystemClock()) as publisher:
        for frame, _ in film:
            perception.perceive([frame])
            publisher.saw([frame], perception)
            time.sleep(0.05)
            shown.add(read_state(tmp_path).get("captured_at_us") or 0)

    assert shown - {0} == {START_US}
    assert read_state(tmp_path)["searched_at_us"] == film[-1][0].captured_at_us


def test_a_wish_to_look_ends_by_itself(tmp_path: Path) -> None:
    assert not is_wanted(tmp_path)
    want(tmp_path)
    assert is_wanted(tmp_path)
    old_s = time.time() - 31
    os.utime(tmp_path / "wanted", (old_s, old_s))
    assert not is_wanted(tmp_path)


def test_a_blind_camera_says_since_when_and_why(tmp_path: Path) -> None:
    site = site_of(tmp_path)
    blind = Gap(camera=GATE, from_us=START_US, to_us=None, reason=GapReason.STALLED)
    sick = CameraHealth(
        camera=GATE,
        state=CameraState.LOST,
        last_frame_us=START_US,
        n_frames=1,
        n_dropped=0,
        n_reconnects=1,
        fps=0.0,
        last_error="no picture came for 4 s",
        recording_error="the disk is full",
    )

    with Publisher(site, live=True, clock=SystemClock()) as publisher:
        publisher.gap(blind)
        publisher.health([sick], n_waiting=5)
        assert wait_for(lambda: read_state(tmp_path).get("health") == "lost")
        state = read_state(tmp_path)
        publisher.gap(replace(blind, to_us=START_US + 1))
        publisher.health([replace(sick, state=CameraState.LIVE, recording_error=None)])
        assert wait_for(lambda: read_state(tmp_path)["health"] == "live")
        well = read_state(tmp_path)

    assert state["blind_since_us"] == START_US
    assert state["n_waiting"] == 5
    assert state["last_error"] == "no picture came for 4 s"
    assert (state["recording"], state["recording_error"]) == ("stopped", "the disk is full")
    assert (well["blind_since_us"], well["recording"]) == (None, "off")


def test_a_folder_that_cannot_be_written_costs_only_the_pictures(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "live").write_text("not a folder")
    site = site_of(tmp_path)
    film = list(footage([Walker(x_px=100)], seconds=0.5))
    perception = Perception(site, Knowing([found for _, found in film]))

    with Publisher(site, live=True, clock=SystemClock()) as publisher:
        for frame, _ in film:
            perception.perceive([frame])
            publisher.saw([frame], perception)
            time.sleep(0.02)

    assert caplog.text.count("live pictures cannot be written") == 1


def test_publishing_at_the_defaults_costs_little(tmp_path: Path) -> None:
    site = site_of(tmp_path)
    film = list(footage([Walker(x_px=100)], seconds=0.1))
    perception = Perception(site, Knowing([found for _, found in film]))
    wide = np.repeat(np.repeat(film[0][0].pixels, 3, axis=0), 3, axis=1)  # 1920 x 1080
    want(site.live_folder)

    with Publisher(site, live=True, clock=SystemClock()) as publisher:
        before_s, start_s = time.process_time(), time.monotonic()
        while time.monotonic() - start_s < 4:
            publisher.saw([replace(film[0][0], pixels=wide)], perception)
            time.sleep(0.04)
        cost_s = time.process_time() - before_s

    assert cost_s / 4 < 0.05


def test_a_live_site_records_and_shows_itself(tmp_path: Path) -> None:
    with RtspServer({"gate": DEMO_FOOTAGE / "gate.mp4"}) as server:
        camera = CameraConfig(name="gate", source=SecretStr(server.url("gate")))
        site = into_folder(SiteConfig(cameras=(camera,)), tmp_path)
        site = site.model_copy(
            update={"recording": RecordingConfig(mode="always", segment_s=2), "live": LiveConfig()}
        )
        stop = threading.Event()
        states: list[dict[str, Any]] = []
        give_up_s = time.monotonic() + 240

        def report(_: Progress) -> None:
            want(site.live_folder)
            state = read_state(tmp_path)
            if state.get("captured_at_us"):
                states.append(state)
            is_recorded = len({s["captured_at_us"] for s in states}) > 8 and any(
                place.suffix == ".mp4" for place in site.recordings_folder.rglob("*")
            )
            if (is_recorded and _indexed(site)) or time.monotonic() > give_up_s:
                stop.set()

        watch(site, stop=stop, report=report)

    with open_database(site.storage.database.get_secret_value()) as database:
        found = segments(database)
    assert len(found) >= 2
    for each in found:
        place = site.recordings_folder / each.segment.path
        assert sha256_of(place) == each.segment.sha256
    assert {state["recording"] for state in states} == {"on"}
    assert "live" in {state["health"] for state in states}
    assert read_width(tmp_path) == 640


def _indexed(site: SiteConfig) -> bool:
    try:
        with open_database(site.storage.database.get_secret_value()) as database:
            return len(segments(database)) >= 1
    except NoctuleError:  # still being made
        return False


def test_names_of_tracks_do_not_pile_up(tmp_path: Path) -> None:
    publisher = Publisher(site_of(tmp_path), live=True, clock=SystemClock())

    for number in range(5000):
        publisher.about(TrackKey(f"gate/1/{number}"))
        publisher.heard(recorded(1), link_to(1, candidate=1, probability=0.99))

    assert publisher.n_remembered <= 4096
