"""The main job on the embedded footage: people are followed from day into night, with reasons."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from pydantic import SecretStr

from benchmarks.sites import into_folder, judged, true_videos
from pipeline.config import SiteConfig, load_config
from pipeline.evaluation.site import score_site
from pipeline.evaluation.types import Lights
from pipeline.run.watch import Progress, watch
from storage.check import check
from storage.database import open_database
from storage.evidence import EvidenceStore
from storage.identities import identities
from storage.sightings import sightings, trajectory
from storage.types import Decision, Sighting
from streams.types import Modality
from tests.cli import RunCli
from tests.streams_builders import cut_video

PROJECT = Path(__file__).parents[1]
SHORT_S = 20.0


def watched(site: SiteConfig) -> Progress:
    return watch(site, stop=threading.Event(), report=lambda _: None)


def rows(site: SiteConfig) -> list[Sighting]:
    with open_database(site.storage.database.get_secret_value()) as database:
        return sightings(database, limit=None)


@pytest.fixture(scope="session")
def demo() -> SiteConfig:
    return load_config(PROJECT / "config.yaml")


@pytest.fixture(scope="session")
def site(demo: SiteConfig, tmp_path_factory: pytest.TempPathFactory) -> SiteConfig:
    """The demo site after its four recordings were watched once."""
    site = into_folder(demo, tmp_path_factory.mktemp("demo"))
    watched(site)
    return site


@pytest.fixture(scope="session")
def short(demo: SiteConfig, tmp_path_factory: pytest.TempPathFactory) -> SiteConfig:
    """One camera by day and one by night, the first seconds of each."""
    folder = tmp_path_factory.mktemp("short")
    cameras = []
    for camera in (demo.cameras[0], demo.cameras[2]):
        clip = folder / f"{camera.name}.mp4"
        cut_video(Path(camera.source.get_secret_value()), clip, seconds=SHORT_S)
        cameras.append(camera.model_copy(update={"source": SecretStr(str(clip))}))
    return demo.model_copy(update={"cameras": tuple(cameras)})


def test_people_are_followed_from_day_into_night(site: SiteConfig) -> None:
    with open_database(site.storage.database.get_secret_value()) as database:
        people = identities(database, limit=None)

    both = [person for person in people if len(person.modalities) == 2]

    assert len(both) >= 4, [person.modalities for person in people]


def test_links_across_cameras_are_right(site: SiteConfig) -> None:
    with open_database(site.storage.database.get_secret_value()) as database:
        scores = score_site(judged(database, true_videos(site)))

    # A ratchet a little below what benchmarks/results/demo.json measured.
    assert (scores.pairs[Lights.ALL].precision or 0) >= 0.9
    assert (scores.pairs[Lights.DAY_NIGHT].precision or 0) >= 0.9
    assert (scores.pairs[Lights.DAY_NIGHT].recall or 0) >= 0.35


def test_every_link_has_its_reason_and_its_evidence(site: SiteConfig) -> None:
    links = [s for s in rows(site) if s.link.decision is Decision.LINK]

    assert links
    for sighting in links:
        assert sighting.link.probability is not None
        assert sighting.link.probability >= sighting.link.threshold
        assert sighting.link.reason
        assert sighting.evidence


def test_the_database_passes_its_check(site: SiteConfig) -> None:
    evidence = EvidenceStore(site.storage.evidence, reserve_mb=0)

    with open_database(site.storage.database.get_secret_value()) as database:
        assert check(database, evidence) == []


def test_watching_again_changes_nothing(short: SiteConfig, tmp_path: Path) -> None:
    site = into_folder(short, tmp_path)
    watched(site)
    before = rows(site)

    done = watched(site)

    assert before
    assert (done.n_sightings, done.n_known) == (0, len(before))
    assert rows(site) == before


def test_the_same_footage_gives_the_same_rows_twice(short: SiteConfig, tmp_path: Path) -> None:
    first, second = into_folder(short, tmp_path / "1"), into_folder(short, tmp_path / "2")

    watched(first)
    watched(second)

    assert rows(first)
    assert rows(first) == rows(second)


def test_a_stopped_replay_is_finished_by_the_next(short: SiteConfig, tmp_path: Path) -> None:
    whole, parted = into_folder(short, tmp_path / "whole"), into_folder(short, tmp_path / "parted")
    watched(whole)
    stop = threading.Event()

    def report(progress: Progress) -> None:
        if progress.n_frames > 150:
            stop.set()

    stopped = watch(parted, stop=stop, report=report)
    watched(parted)

    assert stopped.was_stopped
    spans = [(s.key, s.first_seen_us, s.last_seen_us) for s in rows(whole)]
    assert [(s.key, s.first_seen_us, s.last_seen_us) for s in rows(parted)] == spans


def test_a_full_disk_costs_pictures_and_not_sightings(
    short: SiteConfig, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    site = into_folder(short, tmp_path)
    full = site.storage.model_copy(update={"reserve_mb": 9_000_000})  # more than any disk has free

    watched(site.model_copy(update={"storage": full}))

    assert rows(site)
    assert all(sighting.evidence == () for sighting in rows(site))
    told = [r.message for r in caplog.records if "without pictures" in r.message]
    assert len(told) == 1
    with open_database(site.storage.database.get_secret_value()) as database:
        assert check(database, EvidenceStore(site.storage.evidence)) == []


def test_a_broken_recording_does_not_end_the_others(short: SiteConfig, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"not a video at all" * 100)
    bad = short.cameras[0].model_copy(update={"name": "broken", "source": SecretStr(str(broken))})
    site = into_folder(short.model_copy(update={"cameras": (bad, *short.cameras)}), tmp_path)

    done = watched(site)

    assert list(done.failures) == ["broken"]
    assert done.n_sightings > 0


def test_a_trajectory_is_told_in_order_with_light_and_reason(
    site: SiteConfig, run_cli: RunCli, demo_config: Path
) -> None:
    with open_database(site.storage.database.get_secret_value()) as database:
        person = next(p for p in identities(database, limit=None) if len(p.modalities) == 2)
        expected = trajectory(database, person.id)

    told = json.loads(
        run_cli("query", "trajectory", str(person.id), "--config", str(demo_config), "--json")
    )

    assert [s["camera"] for s in told["sightings"]] == [s.camera for s in expected]
    assert told["modalities"] == ["visible", "infrared"]
    assert all(s["link"]["reason"] for s in told["sightings"])


def test_a_crop_finds_its_own_person_first(
    site: SiteConfig, run_cli: RunCli, demo_config: Path
) -> None:
    visit = next(s for s in rows(site) if s.modality is Modality.VISIBLE and s.identity is not None)
    crop = EvidenceStore(site.storage.evidence, reserve_mb=0).path(visit.evidence[0])

    told = json.loads(
        run_cli("search", "--image", str(crop), "--config", str(demo_config), "--json")
    )

    assert told["modality"] == "visible"
    assert told["candidates"][0]["identity"] == f"P-{visit.identity:04d}"


def test_a_contact_sheet_shows_day_and_night(
    site: SiteConfig, run_cli: RunCli, demo_config: Path, tmp_path: Path
) -> None:
    sheet = tmp_path / "sheet.png"

    run_cli("query", "trajectory", "1", "--config", str(demo_config), "--sheet", str(sheet))

    assert rows(site)
    assert sheet.read_bytes().startswith(b"\x89PNG")


@pytest.fixture(scope="session")
def demo_config(site: SiteConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration file whose database is the watched demo's."""
    path = tmp_path_factory.mktemp("config") / "config.yaml"
    url = site.storage.database.get_secret_value()
    path.write_text(
        f"storage: {{database: '{url}', evidence: '{site.storage.evidence}', reserve_mb: 0}}\n"
    )
    return path
