"""Video files and folders of images as cameras, good ones and bad ones."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from pydantic import SecretStr

from streams.config import CameraConfig
from streams.errors import ConfigInvalid, SourceUnreadable
from streams.replay import Replay
from streams.source import open_source
from streams.types import Frame, Modality
from tests.streams_builders import SHARED_FOOTAGE, Pixels, film, picture, write_video

START = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
START_US = 1_774_744_200_000_000


def camera(path: Path, name: str = "gate", **settings: object) -> CameraConfig:
    return CameraConfig.model_validate({"name": name, "source": str(path), **settings})


def frames_of(config: CameraConfig) -> list[Frame]:
    with open_source(config) as source:
        return list(source.frames())


def write_images(folder: Path, images: dict[str, Pixels]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, pixels in images.items():
        ok, encoded = cv2.imencode(Path(name).suffix, pixels[..., ::-1])
        assert ok
        encoded.tofile(folder / name)
    return folder


def test_every_frame_of_a_video_comes_once_in_order_with_its_own_time(tmp_path: Path) -> None:
    path = film(tmp_path / "gate.mp4", n=25)

    frames = frames_of(camera(path, starts_at=START))

    assert [frame.sequence for frame in frames] == list(range(25))
    assert [frame.captured_at_us for frame in frames] == [START_US + i * 100_000 for i in range(25)]
    assert {(frame.run, frame.camera, frame.modality) for frame in frames} == {
        (0, "gate", Modality.VISIBLE)
    }
    assert np.abs(frames[7].pixels.astype(int) - picture(7)).mean() < 8


def test_a_source_tells_size_rate_codec_and_count_before_reading(tmp_path: Path) -> None:
    path = film(tmp_path / "gate.mp4", n=25)

    with open_source(camera(path)) as source:
        info, n_frames = source.info, source.n_frames

    assert (info.width_px, info.height_px, info.fps, info.codec) == (160, 96, 10.0, "h264")
    assert n_frames == 25


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [
        (".mp4", "libx264"),
        (".mkv", "libx264"),
        (".avi", "mpeg4"),
        (".ts", "mpeg2video"),
        (".mkv", "ffv1"),
        (".mov", "mjpeg"),
    ],
)
def test_usual_containers_and_codecs_are_read(tmp_path: Path, suffix: str, codec: str) -> None:
    path = write_video(tmp_path / f"gate{suffix}", map(picture, range(12)), fps=25, codec=codec)

    frames = frames_of(camera(path, starts_at=START))

    assert len(frames) == 12
    assert frames[0].captured_at_us == START_US
    assert {b.captured_at_us - a.captured_at_us for a, b in pairwise(frames)} <= {
        39_999,
        40_000,
        40_001,
    }


def test_the_start_is_the_files_creation_tag(tmp_path: Path) -> None:
    tags = {"creation_time": "2026-03-29T00:30:00.000000Z"}
    path = write_video(tmp_path / "gate.mp4", map(picture, range(3)), tags=tags)

    assert frames_of(camera(path))[0].captured_at_us == START_US


def test_without_a_tag_the_start_is_the_files_modification_time(tmp_path: Path) -> None:
    path = film(tmp_path / "gate.mp4", n=3)

    assert frames_of(camera(path))[0].captured_at_us == path.stat().st_mtime_ns // 1000


def test_two_regions_of_one_video_are_two_cameras_without_a_shared_pixel(tmp_path: Path) -> None:
    path = film(tmp_path / "gate.mp4", n=2)

    left = frames_of(camera(path, region=(0.0, 0.0, 0.5, 1.0)))[0].pixels
    right = frames_of(camera(path, region=(0.5, 0.0, 1.0, 1.0)))[0].pixels

    assert np.array_equal(np.hstack([left, right]), frames_of(camera(path))[0].pixels)


def test_infrared_frames_repeat_one_channel(tmp_path: Path) -> None:
    path = film(tmp_path / "gate.mp4", n=3, infrared=True)

    frame = frames_of(camera(path))[-1]

    assert frame.modality is Modality.INFRARED
    assert np.array_equal(frame.pixels[..., 0], frame.pixels[..., 2])


def test_a_camera_that_switches_its_filter_switches_modality_in_mid_file(tmp_path: Path) -> None:
    pictures = (picture(i, infrared=i >= 30) for i in range(60))
    path = write_video(tmp_path / "gate.mp4", pictures)

    seen = [frame.modality for frame in frames_of(camera(path))]

    switched = seen.index(Modality.INFRARED)
    assert 30 <= switched <= 40
    assert set(seen[switched:]) == {Modality.INFRARED}


def test_a_resolution_change_in_mid_stream_changes_the_frames_size(tmp_path: Path) -> None:
    small = write_video(tmp_path / "a.ts", map(picture, range(10)))
    large = write_video(tmp_path / "b.ts", (picture(i, width=320, height=192) for i in range(10)))
    joined = tmp_path / "joined.ts"
    joined.write_bytes(small.read_bytes() + large.read_bytes())

    frames = frames_of(camera(joined))

    shapes = [frame.pixels.shape for frame in frames]
    assert shapes[0] == (96, 160, 3)
    assert shapes[-1] == (192, 320, 3)
    assert len(frames) >= 18
    assert all(a.captured_at_us < b.captured_at_us for a, b in pairwise(frames))


@pytest.mark.parametrize("side", [1, 2, 3])
def test_tiny_pictures_survive(tmp_path: Path, side: int) -> None:
    tiny = [np.full((side, side, 3), 30 * i, np.uint8) for i in range(4)]
    path = write_video(tmp_path / "tiny.mkv", tiny, codec="ffv1")

    frames = frames_of(camera(path, region=(0.0, 0.0, 0.5, 0.5)))

    assert len(frames) == 4
    assert all(frame.pixels.size >= 3 for frame in frames)


def test_huge_pictures_survive(tmp_path: Path) -> None:
    huge = np.zeros((8000, 8000, 3), np.uint8)
    huge[::2, ::16] = (200, 40, 90)
    path = write_video(tmp_path / "huge.mkv", [huge], codec="mjpeg")

    (frame,) = frames_of(camera(path))

    assert frame.pixels.shape == (8000, 8000, 3)


def test_a_truncated_video_gives_what_it_has_and_ends_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = write_video(tmp_path / "whole.mkv", map(picture, range(40)))
    cut_off = tmp_path / "cut.mkv"
    cut_off.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])

    with caplog.at_level(logging.WARNING):
        frames = frames_of(camera(cut_off))

    assert 10 < len(frames) < 35
    assert "damaged or ends early" in caplog.text


def test_a_video_with_damaged_pictures_gives_the_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    whole = film(tmp_path / "gate.mp4", n=60)
    data = bytearray(whole.read_bytes())
    for at in range(len(data) // 3, len(data) // 2, 7):
        data[at] ^= 0xFF
    whole.write_bytes(data)

    with caplog.at_level(logging.WARNING):
        frames = frames_of(camera(whole))

    assert 10 < len(frames) <= 60
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        pytest.param("none.mp4", None, "does not exist", id="missing"),
        pytest.param("empty.mp4", b"", "is empty (0 bytes)", id="zero bytes"),
        pytest.param("text.mp4", b"not a film at all\n" * 50, "not a video", id="text"),
        pytest.param("noise.avi", bytes(range(256)) * 40, "not a video", id="noise"),
        pytest.param("photo.png", b"\x89PNG\r\n\x1a\n" + bytes(90), "is a picture", id="picture"),
        pytest.param("photo.mp4", b"\xff\xd8\xff\xe0" + bytes(90), "is a picture", id="disguised"),
        pytest.param(
            "list.m3u8",
            b"#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:1,\nhttp://169.254.169.254/a.ts\n#EXT-X-ENDLIST\n",
            "not a video",
            id="playlist of a web address",
        ),
        pytest.param(
            "list.mp4", b"ffconcat version 1.0\nfile /etc/passwd\n", "not a video", id="concat list"
        ),
    ],
)
def test_what_is_no_video_is_refused_in_one_sentence(
    tmp_path: Path, name: str, content: bytes | None, words: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(SourceUnreadable, match=name) as caught:
        frames_of(camera(path))

    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_mp4_that_was_never_finished_is_refused(tmp_path: Path) -> None:
    whole = film(tmp_path / "gate.mp4")
    whole.write_bytes(whole.read_bytes()[:-900])  # its index is at the end

    with pytest.raises(SourceUnreadable, match="broke off"):
        frames_of(camera(whole))


def test_images_come_in_natural_order_at_the_given_rate(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "shots", {f"img{i}.png": picture(i) for i in (0, 2, 10)})

    frames = frames_of(camera(folder, fps=4.0, starts_at=START))

    assert [frame.captured_at_us - START_US for frame in frames] == [0, 250_000, 500_000]
    assert np.array_equal(frames[2].pixels, picture(10))


def test_images_of_any_size_and_kind_are_read_and_broken_ones_left_out(tmp_path: Path) -> None:
    grey = np.repeat(np.arange(48, dtype=np.uint8).reshape(6, 8, 1) * 5, 3, axis=2)
    folder = write_images(tmp_path / "shots", {"a.jpg": picture(0), "c.png": grey})
    (folder / "b.png").write_bytes(b"broken")
    (folder / "notes.txt").write_text("not an image")

    frames = frames_of(camera(folder, starts_at=START))

    assert [frame.pixels.shape for frame in frames] == [(96, 160, 3), (6, 8, 3)]
    assert [frame.captured_at_us - START_US for frame in frames] == [0, 200_000]


@pytest.mark.parametrize("content", [{}, {"notes.txt": b"x"}, {"a.png": b""}], ids=str)
def test_folders_without_images_are_refused(tmp_path: Path, content: dict[str, bytes]) -> None:
    for name, data in content.items():
        (tmp_path / name).write_bytes(data)

    with pytest.raises(SourceUnreadable, match="images"):
        frames_of(camera(tmp_path))


def test_replay_merges_cameras_by_time_and_breaks_ties_by_configuration(tmp_path: Path) -> None:
    ten, four = film(tmp_path / "a.mp4", n=20), film(tmp_path / "b.mp4", n=8, fps=4)
    cameras = [
        camera(four, "four", starts_at=START),
        camera(ten, "ten", starts_at=START),
    ]

    with Replay(cameras) as replay:
        n_frames = replay.n_frames
        seen = [(frame.captured_at_us, frame.camera) for frame in replay]

    assert n_frames == len(seen) == 28
    assert seen == sorted(seen, key=lambda each: each[0])
    assert [name for at, name in seen if at == START_US + 500_000] == ["four", "ten"]


def test_replaying_twice_gives_the_same_frames(tmp_path: Path) -> None:
    films = [film(tmp_path / f"{i}.mp4", n=15) for i in range(3)]
    cameras = [camera(path, f"camera{i}", starts_at=START) for i, path in enumerate(films)]

    def everything() -> list[tuple[str, int, bytes]]:
        with Replay(cameras) as replay:
            return [(f.camera, f.captured_at_us, f.pixels.tobytes()) for f in replay]

    assert everything() == everything()


def test_a_camera_that_fails_leaves_the_others_alone_and_is_reported(tmp_path: Path) -> None:
    good = film(tmp_path / "good.mp4", n=10)
    empty = tmp_path / "empty.mp4"
    empty.touch()
    undecodable = tmp_path / "bad.mkv"
    write_video(undecodable, map(picture, range(2)))
    header, _, _ = undecodable.read_bytes().partition(b"\x1f\x43\xb6\x75")  # the first cluster
    undecodable.write_bytes(header)
    cameras = [camera(empty, "empty"), camera(good, "good"), camera(undecodable, "bad")]

    with Replay(cameras) as replay:
        seen = [frame.camera for frame in replay]

    assert seen == ["good"] * 10
    assert set(replay.failures) == {"empty", "bad"}
    assert all(isinstance(each, SourceUnreadable) for each in replay.failures.values())


def test_leaving_a_replay_early_ends_its_threads(tmp_path: Path) -> None:
    path = film(tmp_path / "gate.mp4", n=40)

    with Replay([camera(path, "a"), camera(path, "b")]) as replay:
        next(iter(replay))

    assert not [each.name for each in threading.enumerate() if each.name.startswith("replay")]


@pytest.mark.parametrize(
    ("sources", "words"),
    [
        ([("gate", "a.mp4"), ("gate", "b.mp4")], "used twice"),
        ([("gate", "rtsp://gate/live")], "is live"),
    ],
    ids=["same name", "live camera"],
)
def test_what_cannot_be_replayed_together_is_refused(
    sources: list[tuple[str, str]], words: str
) -> None:
    cameras = [CameraConfig(name=name, source=SecretStr(source)) for name, source in sources]

    with pytest.raises(ConfigInvalid, match=words):
        Replay(cameras)


def test_real_footage_is_read_to_the_last_frame() -> None:
    path = SHARED_FOOTAGE / "vtest.avi"
    if not path.exists():
        pytest.skip("real footage is not here (../shared/assets/footage)")

    with open_source(camera(path, starts_at=START)) as source:
        n_frames = source.n_frames
        times = [frame.captured_at_us for frame in source.frames()]

    assert len(times) == n_frames == 795
    assert times[-1] - times[0] == 79_400_000
