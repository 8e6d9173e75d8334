"""Playing, cutting and keeping recordings, of live cameras and of files that were watched."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from pydantic import SecretStr

from pipeline.config import SiteConfig
from pipeline.playlist import playlist
from pipeline.recordings import Recordings
from pipeline.run.recording import Recording, note_recorded
from storage.audit import audit_entries
from storage.database import Database, open_database
from storage.desk.segments import lock_segments, record_segments, segments
from storage.errors import NotFound
from storage.types import Span
from streams.clock import ManualClock
from streams.config import CameraConfig
from streams.errors import SourceUnreadable
from streams.recording.config import RecordingConfig
from streams.recording.fragments import moved, read_fragments
from streams.recording.segment import unfinished
from streams.types import CameraId
from tests.cli import RunCli
from tests.processes import wait_for
from tests.recording_builders import (
    START_US,
    US,
    counted_film,
    decoded,
    number_of,
    record_film,
)

pytest_plugins = ["tests.storage_fixtures"]

GATE = CameraId("gate")


def site_of(folder: Path, address: str, *cameras: CameraConfig, **recording: object) -> SiteConfig:
    site = SiteConfig(
        cameras=cameras, recording=RecordingConfig.model_validate({"mode": "always", **recording})
    )
    storage = site.storage.model_copy(
        update={
            "database": SecretStr(address),
            "evidence": folder / "evidence",
            "reserve_mb": 0,
        }
    )
    return site.model_copy(update={"storage": storage})


@pytest.fixture(scope="module")
def source(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    film = tmp_path_factory.mktemp("source") / "film.mp4"
    return counted_film(film, b_frames=getattr(request, "param", 0))


@pytest.fixture
def site(tmp_path: Path, sqlite_address: str, source: Path) -> SiteConfig:
    """A live camera recorded for four seconds, and after a gap of six for four more."""
    address = CameraConfig(name="gate", source=SecretStr("rtsp://gate/live"))
    site = site_of(tmp_path, sqlite_address, address)
    folder = site.recordings_folder
    found = record_film(source, folder) + record_film(source, folder, from_us=START_US + 10 * US)
    with open_database(sqlite_address) as database:
        record_segments(database, found)
    return site


@pytest.fixture
def database(site: SiteConfig) -> Iterator[Database]:
    with open_database(site.storage.database.get_secret_value()) as opened:
        yield opened


@pytest.fixture
def watched(tmp_path: Path, sqlite_address: str, source: Path) -> SiteConfig:
    """A recorded file that is a camera, and another camera that is a part of it."""
    starts_at = datetime.fromtimestamp(START_US // US, UTC)
    cameras = [
        CameraConfig(name="gate", source=SecretStr(str(source)), starts_at=starts_at),
        CameraConfig(
            name="left",
            source=SecretStr(str(source)),
            starts_at=starts_at,
            region=(0.0, 0.0, 0.5, 1.0),
        ),
    ]
    return site_of(tmp_path, sqlite_address, *cameras)


def test_spans_are_joined_and_gaps_stay_gaps(site: SiteConfig, database: Database) -> None:
    recordings = Recordings(site, database)

    found = recordings.spans(GATE)
    part = recordings.spans(GATE, from_us=START_US + US, to_us=START_US + 11 * US)

    assert [(s.from_us - START_US, s.to_us - START_US) for s in found] == [
        (0, 4 * US),
        (10 * US, 14 * US),
    ]
    assert [(s.from_us - START_US, s.to_us - START_US) for s in part] == [
        (US, 4 * US),
        (10 * US, 11 * US),
    ]


@pytest.mark.parametrize("at_s", [0.0, 0.95, 1.0, 2.5, 3.99, 12.3])
def test_a_moment_of_a_live_camera_is_a_place_in_a_segment_and_a_picture(
    site: SiteConfig, database: Database, at_s: float
) -> None:
    at_us = START_US + round(at_s * US)

    recordings = Recordings(site, database)
    moment = recordings.open_moment(GATE, at_us)
    still = recordings.frame_at(moment, at_us)

    expected = int(at_s % 10 * 10 + 1e-6)
    assert moment.is_segment
    assert moment.from_us + round(moment.offset_s * US) == at_us
    at_or_before = [n for at, n in decoded(moment.path) if at <= moment.offset_s + 1e-3]
    assert at_or_before[-1] == number_of(still.pixels) == expected
    assert still.captured_at_us == at_us - at_us % 100_000


def test_a_moment_in_a_gap_is_refused_with_the_distance(
    site: SiteConfig, database: Database
) -> None:
    with pytest.raises(NotFound, match="nearest recording is 2 s away"):
        Recordings(site, database).open_moment(GATE, START_US + 6 * US)


def test_a_row_that_leads_out_of_the_folder_is_not_followed(
    site: SiteConfig, database: Database, source: Path
) -> None:
    (stored, *_) = segments(database)
    shutil.copy(source, site.recordings_folder.parent / "secret.mp4")
    record_segments(
        database,
        [
            replace(
                stored.segment,
                from_us=START_US + 20 * US,
                to_us=START_US + 21 * US,
                path="gate/../../secret.mp4",
            )
        ],
    )

    with pytest.raises(NotFound, match="outside"):
        Recordings(site, database).open_moment(GATE, START_US + 20 * US)


def test_files_that_were_watched_are_recordings_where_they_are(
    watched: SiteConfig, sqlite_database: Database, source: Path
) -> None:
    note_recorded(watched)
    unconfigured = watched.model_copy(update={"cameras": ()})
    for site in (watched, unconfigured):
        recordings = Recordings(site, sqlite_database)

        (span,) = recordings.spans(GATE)
        moment = recordings.open_moment(GATE, START_US + 2_550_000)
        left = recordings.open_moment(CameraId("left"), START_US + 2_550_000)
        still = recordings.frame_at(left, START_US + 2_550_000)

        assert (span.from_us, span.to_us) == (START_US, START_US + 4 * US)
        assert (moment.path, moment.offset_s, moment.is_segment) == (source, 2.55, False)
        assert number_of(still.pixels) == 25
        assert still.pixels.shape == (96, 80, 3)
    assert not list(watched.recordings_folder.rglob("*.mp4"))


def test_a_clip_begins_at_a_key_picture_and_says_exactly_what_it_shows(
    site: SiteConfig, database: Database, tmp_path: Path
) -> None:
    out = tmp_path / "clip.mp4"

    clip = Recordings(site, database).export_clip(
        GATE, START_US + 1_500_000, START_US + 11_000_000, out
    )

    times = [(round(at_s, 1), number) for at_s, number in decoded(out)]
    before = [(round(n / 10 - 1, 1), n) for n in range(10, 40)]
    after = [(round(9 + n / 10, 1), n) for n in range(10)]
    assert times == before + after
    assert clip.cut.from_us == START_US + US
    assert clip.cut.to_us == START_US + 11 * US
    assert clip.cut.n_pictures == 40
    assert clip.gaps == ((START_US + 4 * US, START_US + 10 * US),)
    assert [source.is_unchanged for source in clip.sources] == [True] * 3


def test_a_clip_of_a_watched_file_needs_no_segments(
    watched: SiteConfig, sqlite_database: Database, tmp_path: Path
) -> None:
    clip = Recordings(watched, sqlite_database).export_clip(
        GATE, START_US + 2 * US, START_US + 3 * US, tmp_path / "clip.mp4"
    )

    assert [number for _, number in decoded(tmp_path / "clip.mp4")] == list(range(20, 30))
    assert [source.is_unchanged for source in clip.sources] == [None]


def test_a_recording_known_under_two_places_is_cut_once(
    watched: SiteConfig, sqlite_database: Database, tmp_path: Path, source: Path
) -> None:
    note_recorded(watched)
    moved = tmp_path / "moved.mp4"
    moved.write_bytes(source.read_bytes())
    cameras = [
        camera.model_copy(update={"source": SecretStr(str(moved))}) for camera in watched.cameras
    ]
    elsewhere = watched.model_copy(update={"cameras": tuple(cameras)})

    clip = Recordings(elsewhere, sqlite_database).export_clip(
        GATE, START_US + 2 * US, START_US + 3 * US, tmp_path / "clip.mp4"
    )

    assert [number for _, number in decoded(tmp_path / "clip.mp4")] == list(range(20, 30))
    assert len(clip.sources) == 1


def test_another_format_is_not_joined(site: SiteConfig, database: Database, tmp_path: Path) -> None:
    other = counted_film(tmp_path / "other.mp4", codec="libx265")
    record_segments(
        database, record_film(other, site.recordings_folder, from_us=START_US + 14 * US)
    )

    with pytest.raises(SourceUnreadable, match="another format"):
        Recordings(site, database).export_clip(
            GATE, START_US, START_US + 16 * US, tmp_path / "clip.mp4"
        )


@pytest.mark.parametrize("source", [0, 2], indirect=True, ids=["in order", "reordered"])
def test_parts_of_a_playlist_make_one_film_whose_time_never_goes_back(
    site: SiteConfig, database: Database, tmp_path: Path
) -> None:
    recordings = Recordings(site, database)

    text = playlist(recordings, GATE, from_us=START_US, to_us=START_US + 20 * US, addresses=Links())

    heads = re.findall(r'EXT-X-MAP:URI="head (\d+)"', text)
    parts = re.findall(r"EXTINF:([0-9.]+),\npart (\d+) (\d+)\n", text)
    film = tmp_path / "film.mp4"
    assert heads == [str(START_US)]
    content = read_fragments(recordings.open_moment(GATE, START_US).path).head
    for length_s, from_us, later in parts:
        n_bytes, fragments = moved(recordings.open_moment(GATE, int(from_us)).path, int(later))
        part = b"".join(fragments)
        content += part
        assert (len(part), float(length_s)) == (n_bytes, 2.0)
    film.write_bytes(content)
    assert [(round(at_s, 1), number) for at_s, number in decoded(film)] == [
        (round(n / 10, 1), n % 40) for n in range(80)
    ]
    assert text.startswith("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n")
    assert text.endswith("#EXT-X-ENDLIST\n")
    assert text.count("# nothing was recorded for 6.0 s\n") == 1
    assert "#EXT-X-DISCONTINUITY" not in text
    assert "#EXT-X-PROGRAM-DATE-TIME:2026-06-01T14:00:10.000+00:00" in text


def test_where_the_format_changes_a_playlist_brings_another_head(
    site: SiteConfig, database: Database, tmp_path: Path
) -> None:
    other = counted_film(tmp_path / "other.mp4", codec="libx265")
    at_us = START_US + 14 * US
    record_segments(database, record_film(other, site.recordings_folder, from_us=at_us))

    text = playlist(
        Recordings(site, database), GATE, from_us=START_US + 12 * US, to_us=at_us + 4 * US,
        addresses=Links(),
    )  # fmt: skip

    assert f'#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI="head {at_us}"\n' in text
    assert text.count("#EXT-X-MAP") == 2


class Links:
    """Addresses that a test reads again."""

    def head(self, from_us: int) -> str:
        return f"head {from_us}"

    def part(self, from_us: int, *, later_ticks: int) -> str:
        return f"part {from_us} {later_ticks}"


def test_clip_verb_writes_clip_and_paper_audits_it_and_tells_a_changed_one(
    site: SiteConfig, tmp_path: Path, run_cli: RunCli
) -> None:
    config = tmp_path / "config.yaml"
    values = {
        "cameras": [{"name": "gate", "source": "rtsp://gate/live"}],
        "storage": {
            "database": site.storage.database.get_secret_value(),
            "evidence": str(site.storage.evidence),
        },
    }
    config.write_text(yaml.safe_dump(values))
    out = tmp_path / "gate.mp4"
    words = ("clip", "gate", "2026-06-01T14:00:01", "2026-06-01T14:00:03", "--as", "ada")

    said = run_cli(*words, "--out", str(out), "--config", str(config))
    checked = run_cli("clip", "--check", str(out))
    again = run_cli(*words, "--out", str(out), "--config", str(config), code=2)
    nothing = run_cli(
        "clip", "gate", "2026-06-01T16:00", "2026-06-01T16:01",
        "--out", str(tmp_path / "none.mp4"), "--config", str(config), code=1,
    )  # fmt: skip
    paper = json.loads((tmp_path / "gate.mp4.json").read_text())
    out.write_bytes(out.read_bytes() + b"\0")
    changed = run_cli("clip", "--check", str(out), code=1)

    assert "20 pictures, h264, from 2 files" in said
    assert "as it was exported" in checked
    assert "not there yet" in again
    assert "nothing of camera gate was recorded" in nothing
    assert not (tmp_path / "none.mp4").exists()
    assert paper["shows"]["from"] == "2026-06-01T14:00:01.000+00:00"
    assert [each["is_unchanged"] for each in paper["sources"]] == [True, True]
    assert "not the file that the paper describes" in changed
    with open_database(site.storage.database.get_secret_value()) as database:
        (entry,) = [each for each in audit_entries(database) if each.action == "clip"]
    assert (entry.who, entry.subject) == ("ada", "gate")
    assert entry.detail["seal_sha256"] == paper["seal_sha256"]


def test_old_recordings_and_those_beyond_the_quota_go_but_locked_ones_stay(
    site: SiteConfig, database: Database
) -> None:
    lock_segments(
        database,
        GATE,
        span=Span(from_us=START_US, to_us=START_US + US),
        until_us=START_US + 10**15,
        reason="theft",
        made_by="ada",
        now_us=START_US,
    )
    before = segments(database)
    clock = ManualClock(now_us=START_US + 86_400 * US + 5 * US)
    by_age = site_with(site, days=1.0, quota_gb=None)
    by_room = site_with(site, days=None, quota_gb=(before[0].segment.n_bytes + 1) / 1e9)

    n_old = Recording(by_age, database, clock).expire()
    left_by_age = [each.segment.from_us - START_US for each in segments(database)]
    n_excess = Recording(by_room, database, clock).expire()

    assert (n_old, left_by_age) == (1, [0, 10 * US, 12 * US])
    assert n_excess == 2
    (kept,) = segments(database)
    assert kept.segment == before[0].segment
    files = sorted(p.name for p in site.recordings_folder.rglob("*.mp4"))
    assert files == [Path(kept.segment.path).name]


def site_with(site: SiteConfig, **recording: object) -> SiteConfig:
    return site.model_copy(update={"recording": site.recording.model_copy(update=recording)})


def test_files_that_the_index_does_not_know_are_found_at_the_start(
    tmp_path: Path, sqlite_address: str, source: Path
) -> None:
    site = site_of(tmp_path, sqlite_address)
    whole, torn = record_film(source, site.recordings_folder)
    place = site.recordings_folder / torn.path
    place.rename(unfinished(place))
    unfinished(place).write_bytes(unfinished(place).read_bytes()[:-100])
    (site.recordings_folder / "gate" / "2026-06-01" / "holiday.mp4").write_bytes(b"not ours")

    with open_database(sqlite_address) as database:
        with Recording(site, database, ManualClock(now_us=START_US + 20 * US)):
            assert wait_for(lambda: len(segments(database)) == 2)
        found = segments(database)

    assert [each.segment.path for each in found] == [whole.path, torn.path]
    assert found[0].segment == whole
