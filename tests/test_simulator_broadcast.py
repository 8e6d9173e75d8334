"""Simulated folders on air, over the real RTSP server, seen by the real reader."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import yaml
from pydantic import SecretStr

from pipeline.config import SiteConfig
from simulator import rtsp
from simulator.broadcast import find_films, on_air, serve, time_lapse
from simulator.rtsp import RtspServer, ServerUnavailable, why_no_server
from streams.config import CameraConfig
from streams.errors import ConfigInvalid, SourceUnreadable
from streams.source import open_source
from streams.types import Frame
from tests.processes import PATIENCE_S, is_running, wait_for
from tests.streams_builders import film, write_video

FPS = 10


@pytest.fixture(scope="module", autouse=True)
def _server() -> None:
    missing = why_no_server()
    if missing:
        pytest.skip(missing)


def clock_face(second: float) -> npt.NDArray[np.uint8]:
    """A picture whose brightness tells the time in its film: 15 levels a second from 20."""
    return np.full((96, 160, 3), 20 + round(15 * second), np.uint8)


def time_told(frame: Frame) -> float:
    """Seconds that a `clock_face` shows."""
    return (float(frame.pixels.mean()) - 20) / 15


@pytest.fixture(scope="module")
def clocks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two films of 12 s that tell the same time."""
    folder = tmp_path_factory.mktemp("clocks")
    for name in ("east", "west"):
        write_video(folder / f"{name}.mp4", (clock_face(k / FPS) for k in range(12 * FPS)))
    return folder


def live(url: str) -> CameraConfig:
    return CameraConfig(name="seen", source=SecretStr(url), open_timeout_s=30, stall_after_s=10)


def watch(url: str, n: int) -> list[Frame]:
    """The first `n` frames of a live camera."""
    with open_source(live(url)) as source:
        return list(islice(source.frames(), n))


def test_every_film_of_a_folder_is_a_live_camera_that_goes_on_after_its_end(
    tmp_path: Path,
) -> None:
    for name in ("gate", "dock"):
        film(tmp_path / f"{name}.mp4", n=12, infrared=name == "dock")

    with on_air(tmp_path) as server:
        seen = {name: watch(server.url(name), 20) for name in find_films(tmp_path)}

    assert sorted(seen) == ["dock", "gate"]
    assert [str(seen[name][-1].modality) for name in ("gate", "dock")] == ["visible", "infrared"]


def test_who_comes_later_sees_the_same_moment(clocks: Path) -> None:
    with on_air(clocks) as server, open_source(live(server.url("east"))) as early:
        east = early.frames()
        for _ in range(25):
            next(east)
        with open_source(live(server.url("west"))) as late:
            west = late.frames()
            for _ in range(20):  # what was late has hurried by then
                left, right = next(east), next(west)

    # The one waited for is at most a picture or two behind the one that waits in its buffer.
    assert time_told(right) > 3
    apart_s = (right.captured_at_us - left.captured_at_us) / 1e6
    assert time_told(right) - time_told(left) == pytest.approx(apart_s, abs=0.35)


def test_time_lapse_runs_faster_at_the_cameras_pictures_per_second(clocks: Path) -> None:
    with on_air(clocks, accelerate=4) as server:
        seen = watch(server.url("east"), 25)

    told_s = np.unwrap([time_told(frame) for frame in seen], period=12)
    taken_s = np.array([frame.captured_at_us for frame in seen]) / 1e6
    steady = slice(5, None)
    speed = np.polyfit(taken_s[steady] - taken_s[0], told_s[steady], 1)[0]
    assert speed == pytest.approx(4, rel=0.15)
    assert np.median(np.diff(told_s)) == pytest.approx(4 / FPS, abs=0.07)


def test_a_film_that_time_lapse_leaves_nothing_of_is_refused(clocks: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match=r"at most 12 for east\.mp4"):
        time_lapse(clocks / "east.mp4", tmp_path / "out.mp4", accelerate=13)


@pytest.mark.parametrize("factor", [0.0, -2.0, float("nan")])
def test_time_lapse_needs_a_factor(clocks: Path, factor: float) -> None:
    with pytest.raises(ConfigInvalid, match="above 0"):
        serve(clocks, accelerate=factor)


def test_a_folder_without_films_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match="noctule simulate"):
        serve(tmp_path)


def test_a_taken_port_is_refused_with_a_word(clocks: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]

        with pytest.raises(ServerUnavailable, match=f"127.0.0.1:{port}"):
            serve(clocks, port=port)


def test_a_missing_server_names_the_packages(clocks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rtsp, "SYSTEM_PYTHON", sys.executable)  # knows nothing of GStreamer
    monkeypatch.setattr(rtsp, "why_no_server", rtsp.why_no_server.__wrapped__)

    with pytest.raises(ServerUnavailable, match=r"apt-get install gir1\.2-gst-rtsp-server-1\.0"):
        RtspServer({"east": clocks / "east.mp4"}).start()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serving_prints_a_configuration_and_ends_with_its_server_when_told(
    clocks: Path, number: signal.Signals
) -> None:
    process = serving(clocks)
    assert process.stdout is not None
    told = "".join(process.stdout.readline() for _ in range(6))
    port = int(re.findall(r":(\d+)/east", told)[0])
    server = child_of(process.pid)

    process.send_signal(number)

    assert process.wait(PATIENCE_S) == 0
    assert wait_for(lambda: not is_running(server))
    site = SiteConfig.model_validate(yaml.safe_load(told))
    assert [(c.name, c.source.get_secret_value()) for c in site.cameras] == [
        (name, f"rtsp://127.0.0.1:{port}/{name}") for name in ("east", "west")
    ]


def test_who_is_told_to_end_while_it_re_times_leaves_nothing_behind(
    clocks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    process = serving(clocks, accelerate=0.01)  # twenty minutes each: takes seconds
    assert wait_for(lambda: any(tmp_path.glob("*/*.mp4")))

    process.send_signal(signal.SIGTERM)

    assert process.wait(PATIENCE_S) == 0
    assert list(tmp_path.iterdir()) == []


def test_the_server_ends_when_who_serves_is_killed(clocks: Path) -> None:
    process = serving(clocks)
    assert process.stdout is not None
    process.stdout.readline()
    server = child_of(process.pid)

    process.kill()

    process.wait(PATIENCE_S)
    assert wait_for(lambda: not is_running(server))


def serving(folder: Path, **options: object) -> subprocess.Popen[str]:
    """A process that does nothing but `serve` a folder, at any free port."""
    told = "".join(f", {name}={value!r}" for name, value in options.items())
    program = (
        "from pathlib import Path; from simulator.broadcast import serve; "
        f"serve(Path({str(folder)!r}), port=0{told})"
    )
    return subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)


def child_of(parent: int) -> int:
    """Id of the only child of a process."""
    (child,) = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return int(child)
