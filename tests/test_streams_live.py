"""Live cameras against a real RTSP server, with everything that happens to cameras."""

from __future__ import annotations

import logging
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import SecretStr

from streams.backoff import Backoff
from streams.config import CameraConfig
from streams.errors import ConfigInvalid
from streams.live import LiveFeeds
from streams.supervisor import CameraState
from streams.types import Frame, Gap, GapReason, Modality
from tests.processes import children_of_this_process, is_running, wait_for
from tests.rtsp import RtspServer
from tests.streams_builders import film, picture, write_video

QUICK = Backoff(first_s=0.2, longest_s=0.5)
CANARY = "canary@:/#?%&7391"


def camera(name: str, url: str, **settings: object) -> CameraConfig:
    """A camera that is waited for, as long as a busy machine needs, unless `settings` say not."""
    fields = {"name": name, "source": url, "stall_after_s": 10.0, "open_timeout_s": 30.0}
    return CameraConfig.model_validate({**fields, **settings})


class Seen:
    """What came from `LiveFeeds` so far, with the moment it was taken."""

    def __init__(self, feeds: LiveFeeds) -> None:
        self._feeds = feeds
        self.frames: list[tuple[float, Frame]] = []
        self.gaps: list[Gap] = []

    def until(self, condition: Callable[[Seen], bool], *, within_s: float = 90.0) -> None:
        """Take what comes until `condition` holds; the test fails when it does not in time."""
        end_s = time.monotonic() + within_s
        while not condition(self):
            if time.monotonic() > end_s:
                pytest.fail(f"not within {within_s} s: {self.gaps} {self._feeds.health()}")
            for each in self._feeds.take(0.2):
                if isinstance(each, Frame):
                    self.frames.append((time.monotonic(), each))
                else:
                    self.gaps.append(each)

    def of(self, name: str, *, run: int | None = None) -> list[Frame]:
        return [f for _, f in self.frames if f.camera == name and run in (None, f.run)]


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("films")
    hevc = write_video(folder / "hevc.mp4", map(picture, range(40)), codec="libx265")
    mjpeg = write_video(folder / "mjpeg.mp4", map(picture, range(20)), codec="mjpeg")
    return {
        "day": film(folder / "day.mp4"),
        "night": film(folder / "night.mp4", infrared=True),
        "hevc": hevc,
        "mjpeg": mjpeg,
    }


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_four_cameras_of_every_codec_are_seen_at_once_over_tcp_and_udp(
    films: dict[str, Path],
) -> None:
    with RtspServer(films, user="operator", password=CANARY) as server:
        cameras = [
            camera("day", server.url("day")),
            camera("night", server.url("night"), transport="udp"),
            camera("hevc", server.url("hevc")),
            camera("mjpeg", server.url("mjpeg"), transport="udp"),
        ]
        with LiveFeeds(cameras) as feeds:
            seen = Seen(feeds)
            seen.until(lambda s: all(len(s.of(c.name)) >= 12 for c in cameras))
            seen.until(lambda _: all(8 < each.fps < 12 for each in feeds.health()))
            health = feeds.health()

    assert seen.gaps == []
    assert [each.state for each in health] == [CameraState.LIVE] * 4
    assert {f.camera: f.modality for _, f in seen.frames} == {
        "day": Modality.VISIBLE,
        "night": Modality.INFRARED,
        "hevc": Modality.VISIBLE,
        "mjpeg": Modality.VISIBLE,
    }
    assert {f.pixels.shape for _, f in seen.frames} == {(96, 160, 3)}


def test_times_are_those_of_capture_and_only_grow(films: dict[str, Path]) -> None:
    with (
        RtspServer({"day": films["day"]}) as server,
        LiveFeeds([camera("day", server.url("day"))]) as feeds,
    ):
        seen = Seen(feeds)
        seen.until(lambda s: len(s.of("day")) >= 60)
    now_us = time.time_ns() // 1000

    times = [frame.captured_at_us for frame in seen.of("day")]
    steps = [
        (b.captured_at_us - a.captured_at_us) / (b.sequence - a.sequence)
        for a, b in pairwise(seen.of("day"))
    ]
    assert times[-1] <= now_us
    assert now_us - times[-1] < 10_000_000
    assert all(a < b for a, b in pairwise(times))
    assert all(70_000 < step < 130_000 for step in steps)


@pytest.mark.parametrize("digest", [True, False], ids=["digest", "basic"])
def test_a_wrong_password_is_told_at_once_and_not_tried_again_soon(
    films: dict[str, Path], digest: bool
) -> None:
    with RtspServer(
        {"day": films["day"]}, user="operator", password=CANARY, digest=digest
    ) as server:
        wrong = server.url("day").replace("7391", "7390")
        cameras = [camera("right", server.url("day")), camera("wrong", wrong)]
        with LiveFeeds(cameras, backoff=QUICK) as feeds:
            seen = Seen(feeds)
            seen.until(lambda s: bool(s.gaps) and len(s.of("right")) >= 20)
            right, denied = feeds.health()

    (gap,) = seen.gaps
    assert (gap.camera, gap.reason, gap.to_us) == ("wrong", GapReason.ACCESS_DENIED, None)
    assert (denied.state, denied.n_reconnects) == (CameraState.DENIED, 0)
    assert "refuses user or password" in str(denied.last_error)
    assert right.state is CameraState.LIVE


def test_what_cannot_be_reached_says_why_while_the_others_go_on(
    films: dict[str, Path], silent_port: int
) -> None:
    with RtspServer({"day": films["day"]}) as server:
        cameras = [
            camera("host", "rtsp://no-such-host.invalid/live"),
            camera("path", server.url("nowhere")),
            camera("port", "rtsp://127.0.0.1:1/live"),
            camera("mute", f"rtsp://127.0.0.1:{silent_port}/live", open_timeout_s=1.0),
            camera("good", server.url("day")),
        ]
        with LiveFeeds(cameras) as feeds:
            seen = Seen(feeds)
            seen.until(lambda s: len(s.gaps) >= 4 and len(s.of("good")) >= 20)
            errors = {str(each.camera): str(each.last_error) for each in feeds.health()}

    assert {gap.camera for gap in seen.gaps} == {"host", "path", "port", "mute"}
    assert {gap.reason for gap in seen.gaps} == {GapReason.CONNECT_FAILED}
    assert "host's name" in errors["host"]
    assert "does not know this path" in errors["path"]
    assert "refuses connections" in errors["port"]
    assert "within 1 s" in errors["mute"]


def test_a_server_that_dies_and_returns_leaves_a_gap_with_both_ends(
    films: dict[str, Path],
) -> None:
    with RtspServer({"day": films["day"], "night": films["night"]}) as server:
        cameras = [camera(name, server.url(name)) for name in ("day", "night")]
        with LiveFeeds(cameras, backoff=QUICK) as feeds:
            seen = Seen(feeds)
            seen.until(lambda s: bool(s.of("day")) and bool(s.of("night")))

            server.kill()
            killed_us = time.time_ns() // 1000
            killed_s = time.monotonic()
            seen.until(lambda s: len(s.gaps) == 2)
            noticed_s = time.monotonic() - killed_s
            server.start()
            seen.until(lambda s: s.of("day")[-1].run > 0 and s.of("night")[-1].run > 0)

    opened, closed = seen.gaps[:2], seen.gaps[2:]
    assert noticed_s < 8  # by the end of its connection, not by our patience
    assert {gap.camera for gap in opened} == {gap.camera for gap in closed} == {"day", "night"}
    assert {gap.reason for gap in seen.gaps} <= {GapReason.STREAM_ENDED, GapReason.STALLED}
    for gap in closed:
        before = next(each for each in opened if each.camera == gap.camera)
        after = next(f for f in seen.of(gap.camera) if f.run > 0)
        assert (before.from_us, before.to_us) == (gap.from_us, None)
        assert abs(gap.from_us - killed_us) < 5_000_000
        assert gap.to_us is not None
        assert 0 <= after.captured_at_us - gap.to_us < 10_000_000


def test_a_camera_that_falls_silent_is_noticed_while_the_others_go_on(
    films: dict[str, Path],
) -> None:
    with RtspServer({"day": films["day"]}) as mute, RtspServer({"day": films["day"]}) as good:
        cameras = [
            camera("mute", mute.url("day"), stall_after_s=3.0),
            camera("mute_udp", mute.url("day"), transport="udp", stall_after_s=3.0),
            camera("good", good.url("day")),
        ]
        with LiveFeeds(cameras, backoff=QUICK) as feeds:
            seen = Seen(feeds)
            seen.until(lambda s: all(s.of(c.name) for c in cameras))

            mute.freeze()
            frozen_s = time.monotonic()
            seen.until(lambda s: len(s.gaps) == 2)
            noticed_s = time.monotonic() - frozen_s
            seen.until(lambda _: time.monotonic() - frozen_s > 5)
            mute.thaw()
            seen.until(lambda s: all(s.of(c.name)[-1].run > 0 for c in cameras[:2]))

    good_times_s = [at_s for at_s, frame in seen.frames if frame.camera == "good"]
    assert {gap.reason for gap in seen.gaps} == {GapReason.STALLED}
    assert noticed_s < 15  # twice the patience, where the decoder held a picture back, and some
    assert max(b - a for a, b in pairwise(good_times_s)) < 3
    assert {f.run for f in seen.of("good")} == {0}


@pytest.mark.parametrize(
    ("number", "reason"),
    [(signal.SIGKILL, GapReason.DECODER_DIED), (signal.SIGSTOP, GapReason.STALLED)],
    ids=["crashes", "hangs"],
)
def test_a_decoder_that_fails_takes_only_its_camera_with_it_and_comes_back(
    films: dict[str, Path], number: signal.Signals, reason: GapReason
) -> None:
    with (
        RtspServer({"day": films["day"]}) as server,
        LiveFeeds([camera("good", server.url("day"))], backoff=QUICK) as others,
    ):
        Seen(others).until(lambda s: bool(s.frames))
        healthy = set(children_of_this_process())
        bad = camera("bad", server.url("day"), stall_after_s=3.0)
        with LiveFeeds([bad], backoff=QUICK) as feeds:
            seen = Seen(feeds)
            seen.until(lambda s: bool(s.frames))
            (victim,) = set(children_of_this_process()) - healthy

            os.kill(victim, number)
            seen.until(lambda s: s.of("bad")[-1].run == 1)

        (other,) = others.health()

    opened, closed = seen.gaps
    assert opened.reason is closed.reason is reason
    assert closed.to_us is not None
    assert not is_running(victim)
    assert other.n_reconnects == 0


def test_who_takes_slowly_gets_the_newest_frame_and_a_count_of_the_others(
    films: dict[str, Path],
) -> None:
    with (
        RtspServer({"day": films["day"]}) as server,
        LiveFeeds([camera("day", server.url("day"))]) as feeds,
    ):
        Seen(feeds).until(lambda s: bool(s.frames))
        (before,) = feeds.health()
        time.sleep(3.0)
        taken = feeds.take(10.0)
        now_us = time.time_ns() // 1000
        (after,) = feeds.health()

    (newest,) = taken
    assert isinstance(newest, Frame)
    assert 0 < now_us - newest.captured_at_us < 2_000_000  # not the oldest of three seconds
    assert after.n_dropped - before.n_dropped >= 15
    assert after.n_frames >= after.n_dropped + 2


def test_the_password_is_nowhere_to_be_read(
    films: dict[str, Path],
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    told: list[object] = []
    with RtspServer({"day": films["day"]}, user="operator", password=CANARY) as server:
        right = server.url("day")
        wrong = right.replace("7391", "7391x")
        lost = f"rtsp://operator:{right.partition(':')[2].partition(':')[2].partition('@')[0]}@127.0.0.1:1/x"
        cameras = [camera("right", right), camera("wrong", wrong), camera("lost", lost)]
        with LiveFeeds(cameras, backoff=QUICK) as feeds:
            seen = Seen(feeds)
            seen.until(lambda s: bool(s.of("right")) and len(s.gaps) >= 2)
            for pid in children_of_this_process(""):
                told.append(Path(f"/proc/{pid}/cmdline").read_bytes())
                told.append(Path(f"/proc/{pid}/environ").read_bytes())
            server.kill()
            seen.until(lambda s: len(s.gaps) >= 3)
            told += [feeds.health(), seen.gaps, cameras]
    captured = capfd.readouterr()
    told += [caplog.text, captured.out, captured.err]

    text = repr(told)
    assert "right" in text
    assert not re.search("canary|7391", text)
    assert captured.err == ""


def test_leaving_ends_every_process_and_thread_soon(
    films: dict[str, Path], silent_port: int
) -> None:
    threads = set(threading.enumerate())
    n_open = len(list(Path("/proc/self/fd").iterdir()))
    with RtspServer({"day": films["day"]}) as server:
        cameras = [
            camera("day", server.url("day")),
            camera("mute", f"rtsp://127.0.0.1:{silent_port}/live"),
        ]
        with LiveFeeds(cameras) as feeds:
            Seen(feeds).until(lambda s: bool(s.of("day")))
            start_s = time.monotonic()
        took_s = time.monotonic() - start_s

    assert took_s < 15  # the mute one may take its time
    assert children_of_this_process() == []
    assert set(threading.enumerate()) <= threads
    assert len(list(Path("/proc/self/fd").iterdir())) <= n_open


def test_capture_processes_end_when_their_parent_is_killed(films: dict[str, Path]) -> None:
    with RtspServer({"day": films["day"]}) as server:
        parent = subprocess.Popen(
            [sys.executable, "-m", "tests.streams_live_parent"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).resolve().parents[1],
            text=True,
        )
        assert parent.stdin is not None
        assert parent.stdout is not None
        with parent.stdin, parent.stdout:
            parent.stdin.write(server.url("day") + "\n")
            parent.stdin.flush()
            orphans = [int(pid) for pid in parent.stdout.readline().split()]
            parent.kill()
            parent.wait()

        assert orphans
        assert wait_for(lambda: not any(map(is_running, orphans)))


@pytest.mark.parametrize(
    ("sources", "words"),
    [
        ([("gate", "rtsp://a/1"), ("gate", "rtsp://a/2")], "used twice"),
        ([("gate", "gate.mp4")], "is a recording"),
    ],
    ids=["same name", "recording"],
)
def test_what_cannot_be_watched_together_is_refused(
    sources: list[tuple[str, str]], words: str
) -> None:
    cameras = [CameraConfig(name=name, source=SecretStr(source)) for name, source in sources]

    with pytest.raises(ConfigInvalid, match=words):
        LiveFeeds(cameras)
