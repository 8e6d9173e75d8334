"""What `probe` finds out about cameras and recordings, and what it advises."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.config import CameraConfig
from streams.errors import AccessDenied, ConnectFailed, SourceUnreadable
from streams.probe import probe
from streams.types import Modality
from tests.rtsp import RtspServer
from tests.streams_builders import film, picture, write_video


def camera(source: str, **settings: object) -> CameraConfig:
    fields = {"name": "gate", "source": source, "stall_after_s": 10.0, "open_timeout_s": 30.0}
    return CameraConfig.model_validate({**fields, **settings})


def test_a_live_camera_is_measured_and_advised(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", map(picture, range(40)), codec="libx265", fps=10)

    with RtspServer({"gate": path}, user="operator", password="p@ss") as server:
        found = probe(camera(server.url("gate")))

    assert (found.codec, found.width_px, found.height_px) == ("hevc", 160, 96)
    assert found.fps == pytest.approx(10, rel=0.1)
    assert found.keyframe_interval_s == pytest.approx(1.0, abs=0.15)
    assert found.modality is Modality.VISIBLE
    assert found.has_sender_clock
    assert found.clock_off_s == pytest.approx(0, abs=3)
    assert 0 < found.first_frame_s < 30
    assert [
        word for word in ("too small", "H.265") if not any(word in a for a in found.advice)
    ] == []


def test_a_recording_is_measured(tmp_path: Path) -> None:
    pictures = (picture(i, width=640, height=360, infrared=True) for i in range(60))
    path = write_video(tmp_path / "a.mp4", pictures, fps=25, gop=20)

    found = probe(camera(str(path)))

    assert (found.codec, found.fps, found.modality) == ("h264", 25.0, Modality.INFRARED)
    assert found.keyframe_interval_s == pytest.approx(0.8)
    assert found.advice == ()


def test_slow_pictures_are_advised_against(tmp_path: Path) -> None:
    found = probe(camera(str(film(tmp_path / "a.mp4", n=10, fps=2))))

    assert any("2.0 pictures a second" in sentence for sentence in found.advice)


def test_what_cannot_be_opened_is_told_without_the_password(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4")
    with RtspServer({"gate": path}, user="operator", password="canary7391") as server:
        wrong = server.url("gate").replace("7391", "7390")
        with pytest.raises(AccessDenied) as denied:
            probe(camera(wrong))
        with pytest.raises(ConnectFailed, match="does not know this path") as unknown:
            probe(camera(server.url("nowhere")))
        server.freeze()
        with pytest.raises(ConnectFailed, match="did not answer") as silent:
            probe(camera(server.url("gate"), open_timeout_s=1.0))

    for caught in (denied, unknown, silent):
        error: BaseException | None = caught.value
        while error is not None:
            assert "canary" not in f"{error!r} {error}"
            error = error.__cause__ or error.__context__


def test_a_missing_recording_is_told() -> None:
    with pytest.raises(SourceUnreadable, match="does not exist"):
        probe(camera("no-such-file.mp4"))
