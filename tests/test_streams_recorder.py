"""Recording what live cameras send: segments that can be played, whatever happens."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.backoff import Backoff
from streams.config import CameraConfig
from streams.disk import sha256_of
from streams.live import LiveFeeds
from streams.recording.boxes import head_bytes, read_boxes
from streams.recording.order import DecodeOrder
from streams.recording.recorder import Recorder
from streams.recording.salvage import read_segment, salvage_camera
from streams.recording.segment import unfinished
from streams.recording.types import RecordingJob, Segment
from streams.types import CameraId, Frame
from tests.processes import children_of_this_process, wait_for
from tests.recording_builders import START_US, US, counted_film, decoded, feed, record_film
from tests.rtsp import RtspServer
from tests.streams_builders import film, picture, write_video

pytest_plugins = ["tests.storage_fixtures"]

QUICK = Backoff(first_s=0.2, longest_s=0.5)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("films")
    hevc = write_video(folder / "hevc.mp4", map(picture, range(40)), codec="libx265")
    mjpeg = write_video(folder / "mjpeg.mp4", map(picture, range(20)), codec="mjpeg")
    return {"day": film(folder / "day.mp4"), "hevc": hevc, "mjpeg": mjpeg}


def camera(name: str, url: str) -> CameraConfig:
    fields = {"name": name, "source": url, "stall_after_s": 10.0, "open_timeout_s": 30.0}
    return CameraConfig.model_validate(fields)


def take_until(feeds: LiveFeeds, enough: Callable[[list[Frame]], bool]) -> list[Frame]:
    """Pictures that come, until they are enough."""
    frames: list[Frame] = []

    def is_enough() -> bool:
        frames.extend(each for each in feeds.take(0.2) if isinstance(each, Frame))
        return enough(frames)

    assert wait_for(is_enough), feeds.health()
    return frames


def assert_playable(folder: Path, segment: Segment, *, n_least: int = 5) -> None:
    place = folder / segment.path
    with av.open(str(place)) as container:
        stream = container.streams.video[0]
        first = next(packet for packet in container.demux(stream) if packet.size)
        assert first.is_keyframe
        assert stream.codec_context.codec.canonical_name == segment.codec
    with av.open(str(place)) as container:
        assert sum(1 for _ in container.decode(video=0)) >= n_least
    assert place.stat().st_size == segment.n_bytes
    assert sha256_of(place) == segment.sha256


def test_live_cameras_of_every_codec_are_recorded_over_the_connection_that_is_watched(
    films: dict[str, Path], tmp_path: Path
) -> None:
    job = RecordingJob(folder=tmp_path, segment_s=2, reserve_bytes=0)
    with RtspServer(films) as server:
        feeds = LiveFeeds([camera(name, server.url(name)) for name in films], recording=job)
        with feeds:
            frames = take_until(
                feeds, lambda _: all(n_whole(tmp_path / name) > 2 for name in films)
            )
    segments = sorted(feeds.segments(), key=lambda each: each.from_us)

    codecs = {"day": "h264", "hevc": "hevc", "mjpeg": "mjpeg"}
    for name, codec in codecs.items():
        mine = [each for each in segments if each.camera == name]
        times = {frame.captured_at_us for frame in frames if frame.camera == name}
        assert len(mine) >= 3
        assert {each.codec for each in mine} == {codec}
        assert all(before.to_us == after.from_us for before, after in pairwise(mine))
        # a picture may have given way to a newer one, and recording goes on after the last look
        watched = [each for each in mine[1:] if each.from_us <= max(times)]
        assert all(min(abs(each.from_us - at) for at in times) < 0.55 * US for each in watched)
        assert all(1.5 * US < each.to_us - each.from_us < 3.6 * US for each in mine[:-1])
        for each in mine:
            assert_playable(tmp_path, each, n_least=1 if each is mine[-1] else 5)
    assert not list(tmp_path.rglob("*.part"))


def n_whole(folder: Path) -> int:
    """Segments of a camera that are not written on."""
    return len(list(folder.rglob("*.mp4")))


def test_a_lost_camera_leaves_a_gap_and_a_killed_process_a_playable_file(
    films: dict[str, Path], tmp_path: Path
) -> None:
    job = RecordingJob(folder=tmp_path, segment_s=60, reserve_bytes=0)
    with RtspServer({"day": films["day"]}) as server:
        feeds = LiveFeeds([camera("day", server.url("day"))], recording=job, backoff=QUICK)
        with feeds:
            take_until(feeds, lambda seen: len(seen) > 30 and is_new(seen[-1]))
            (victim,) = children_of_this_process()
            os.kill(victim, signal.SIGKILL)
            killed_us = time.time_ns() // 1000
            take_until(feeds, lambda seen: sum(each.run == 1 for each in seen) > 30)
            server.kill()
            take_until(feeds, lambda _: feeds.health()[0].state != "live")
    before, after = sorted(feeds.segments(), key=lambda each: each.from_us)

    for each in (before, after):
        assert_playable(tmp_path, each)
    assert killed_us - 1.7 * US < before.to_us < killed_us + 0.5 * US
    assert after.from_us > before.to_us + 0.3 * US


def is_new(frame: Frame) -> bool:
    """It came without delay."""
    return time.time_ns() // 1000 - frame.captured_at_us < 0.5 * US


def test_a_full_disk_stops_recording_but_not_watching_and_says_so(
    films: dict[str, Path], small_disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = small_disk / "recordings"
    filler = small_disk / "filler"
    filler.write_bytes(bytes((1 << 20) - 40_000))
    job = RecordingJob(folder=folder, segment_s=1, reserve_bytes=0)
    with RtspServer({"day": films["day"]}) as server:
        feeds = LiveFeeds([camera("day", server.url("day"))], recording=job)
        with feeds:
            take_until(feeds, lambda _: feeds.health()[0].recording_error is not None)
            (sick,) = feeds.health()
            take_until(feeds, lambda seen: len(seen) > 8)
            filler.unlink()
            take_until(feeds, lambda _: not feeds.health()[0].recording_error)
            (well,) = feeds.health()
            take_until(feeds, lambda seen: len(seen) > 25)

    assert "cannot be written (No space left on device)" in str(sick.recording_error)
    assert sick.state == "live"
    assert well.recording_error is None
    for each in feeds.segments():
        assert_playable_or_short(folder, each)
    assert "camera day is not recorded" in caplog.text


def assert_playable_or_short(folder: Path, segment: Segment) -> None:
    with av.open(str(folder / segment.path)) as container:
        assert sum(1 for _ in container.decode(video=0)) >= 1
    assert sha256_of(folder / segment.path) == segment.sha256


def test_below_the_reserve_nothing_is_recorded(tmp_path: Path) -> None:
    source = counted_film(tmp_path / "film.mp4")
    told: list[str] = []
    segments: list[Segment] = []
    job = RecordingJob(folder=tmp_path / "rec", segment_s=2, reserve_bytes=1 << 60)

    with (
        av.open(str(source)) as container,
        Recorder(job, CameraId("gate"), closed=segments.append, troubled=told.append) as recorder,
    ):
        feed(recorder, container.streams.video[0], container, START_US)

    assert segments == []
    (words,) = told
    assert "storage.reserve_mb" in words


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_every_picture_is_in_the_segments_at_its_time(tmp_path: Path, codec: str) -> None:
    source = counted_film(tmp_path / "film.mp4", codec=codec)

    segments = record_film(source, tmp_path / "rec")

    shown = {
        round((each.from_us - START_US) / US + at_s, 2): number
        for each in segments
        for at_s, number in decoded(tmp_path / "rec" / each.path)
    }
    assert {round(at_s * 10): number for at_s, number in shown.items()} == {i: i for i in range(40)}
    first, second = segments
    assert (first.from_us, second.to_us) == (START_US, START_US + 4 * US)
    assert first.to_us == second.from_us


@settings(max_examples=25, deadline=None)
@given(share=st.floats(0, 1))
def test_a_file_torn_anywhere_is_salvaged_up_to_its_last_whole_fragment(
    torn: tuple[Path, Segment], share: float, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder, segment = torn
    place = tmp_path_factory.mktemp("torn") / segment.path
    place.parent.mkdir(parents=True)
    shutil.copy(folder / segment.path, unfinished(place))
    os.truncate(unfinished(place), round(share * segment.n_bytes))
    root = place.parents[2]

    saved = list(salvage_camera(root, CameraId("gate")))

    assert not list(root.rglob("*.part"))
    ends = [b.end for b in read_boxes(folder / segment.path) if b.name == b"mdat"]
    n_whole = sum(end <= round(share * segment.n_bytes) for end in ends)
    if n_whole == 0:
        assert saved == []
        return
    (found,) = saved
    assert found.from_us == segment.from_us
    assert found.to_us == segment.from_us + n_whole * US
    assert [number for _, number in decoded(place)] == list(range(10 * n_whole))
    assert found.sha256 == sha256_of(place)


@pytest.fixture(scope="module")
def torn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Segment]:
    folder = tmp_path_factory.mktemp("whole")
    source = counted_film(folder / "film.mp4")
    (segment,) = record_film(source, folder / "rec", segment_s=60)
    return folder / "rec", segment


def test_a_file_tells_by_itself_what_it_is(torn: tuple[Path, Segment], tmp_path: Path) -> None:
    folder, segment = torn

    assert read_segment(folder, folder / segment.path) == segment
    assert 0 < head_bytes(folder / segment.path) < 2000
    assert read_segment(tmp_path, film(tmp_path / "foreign.mp4")) is None


@given(st.permutations(range(5)), st.integers(0, 4))
def test_decoding_times_grow_and_never_pass_showing_times(order: list[int], depth: int) -> None:
    shown = [0] + [100 * (5 * group + at + 1) for group in range(4) for at in order]
    needed = max(sum(earlier > now for earlier in shown[:i]) for i, now in enumerate(shown))

    decoding = DecodeOrder(depth=max(depth, needed))
    times = [decoding.decoded_at(at) for at in shown]

    assert all(a < b for a, b in pairwise(times))
    assert all(decode <= show for decode, show in zip(times, shown, strict=True))
