"""The main job on the embedded footage: people are followed from day into night, with reasons."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from benchmarks.demo import into_folder, pair_scores, true_people
from pipeline.config import SiteConfig, load_config
from pipeline.run.watch import Progress, watch
from storage.check import check
from storage.database import open_database
from storage.evidence import EvidenceStore
from storage.identities import identities
from storage.sightings import sightings, trajectory
from storage.types import Decision, Sighting
from streams.types import Modality
from tests.cli import RunCli

PROJECT = Path(__file__).parents[1]


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


def test_people_are_followed_from_day_into_night(site: SiteConfig) -> None:
    with open_database(site.storage.database.get_secret_value()) as database:
        people = identities(database, limit=None)

    both = [person for person in people if len(person.modalities) == 2]

    assert len(both) >= 4, [person.modalities for person in people]


def test_links_across_cameras_are_right(site: SiteConfig) -> None:
    with open_database(site.storage.database.get_secret_value()) as database:
        found = sightings(database, limit=None)
        who = true_people(database, found, site)

    scores = pair_scores(found, who)

    # A ratchet a little below what benchmarks/results/demo.json measured.
    assert (scores["all"].precision or 0) >= 0.9
    assert (scores["visible_infrared"].precision or 0) >= 0.9
    assert (scores["visible_infrared"].recall or 0) >= 0.5


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


def test_watching_again_changes_nothing(site: SiteConfig, demo: SiteConfig) -> None:
    before = rows(site)
    one_camera = site.model_copy(update={"cameras": demo.cameras[:1]})

    done = watched(one_camera)

    assert done.n_sightings == 0
    assert done.n_known > 0
    assert rows(site) == before


def test_the_same_footage_gives_the_same_rows_twice(
    site: SiteConfig, demo: SiteConfig, tmp_path: Path
) -> None:
    first_cameras = demo.model_copy(update={"cameras": demo.cameras[:2]})
    again = into_folder(first_cameras, tmp_path)

    watched(again)

    names = {camera.name for camera in first_cameras.cameras}
    assert rows(again) == [sighting for sighting in rows(site) if sighting.camera in names]


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
