"""A watched site is judged by the truth of its footage."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.errors import TruthInvalid
from pipeline.evaluation.mistakes import Mistake, mistakes
from pipeline.evaluation.sequence import Seen
from pipeline.evaluation.site import judge_site, score_site
from pipeline.evaluation.truth import TrueVideo, read_motchallenge, read_simulated, within
from pipeline.evaluation.types import Lights
from storage.database import open_database
from storage.sightings import record_sighting, sightings, trail_of
from storage.types import Decision, IdentityId, NewLink, NewSighting
from streams.types import CameraId, Modality
from tests.cli import RunCli

CAMERAS = tuple(map(CameraId, ("gate", "plaza", "dock")))
DAY, NIGHT = Modality.VISIBLE, Modality.INFRARED
DEMO = Path(__file__).parents[1] / "simulator/footage/demo"


# The demo's own truth, recorded as if a perfect watcher had seen it.


@pytest.fixture(scope="module")
def videos() -> list[TrueVideo]:
    return read_simulated(DEMO, cameras=map(CameraId, ("gate", "plaza", "dock", "corridor")))


def frame_us(video: TrueVideo) -> int:
    """Time between two frames, the median."""
    return int(np.median(np.diff(video.times_us)))


def visits(video: TrueVideo) -> list[tuple[int, np.ndarray[Any, np.dtype[np.float64]]]]:
    """Person and trail of each unbroken stay of at least five frames."""
    found = []
    for person in np.unique(video.person):
        rows = np.flatnonzero(video.person == person)
        breaks = np.flatnonzero(np.diff(video.frame[rows]) > 1) + 1
        for stay in np.split(rows, breaks):
            if len(stay) >= 5:
                times = video.times_us[video.frame[stay]].astype(np.float64)
                found.append((int(person), np.column_stack([times, video.boxes[stay]])))
    return found


def record_all(
    url: str, videos: list[TrueVideo], *, unsure_every: int = 0, shift_px: float = 0.0
) -> None:
    """Record every stay; identities follow the truth, but every so many stay unsure."""
    known: dict[int, IdentityId] = {}
    with open_database(url, create=True) as database:
        for video in videos:
            for number, (person, trail) in enumerate(visits(video)):
                is_unsure = bool(unsure_every) and number % unsure_every == 0
                identity = None if is_unsure else known.get(person)
                decision = Decision.LINK if identity is not None else Decision.NEW
                recorded = record_sighting(
                    database,
                    NewSighting(
                        key=f"{video.camera}/{number}/0",
                        track=f"{video.camera}/{number}",
                        part=0,
                        camera=video.camera,
                        modality=(video.modality or [DAY])[0],
                        first_seen_us=int(trail[0, 0]),
                        last_seen_us=int(trail[-1, 0]),
                        n_frames=len(trail),
                        trail=trail[[*range(0, len(trail) - 1, 3), -1]] + [0, *[shift_px] * 4],
                        model="test@000000000000",
                        exemplars=(),
                        link=NewLink(
                            decision=Decision.UNSURE if is_unsure else decision,
                            identity=identity,
                            candidate=identity,
                            probability=None if identity is None else 0.95,
                            threshold=0.9,
                            runner_up=None,
                            runner_up_probability=None,
                            reason="as the truth says",
                            calibration="test",
                        ),
                    ),
                    now_us=int(trail[-1, 0]),
                )
                if recorded.identity is not None:
                    known[person] = recorded.identity


def seen_in(url: str) -> list[Seen]:
    with open_database(url) as database:
        return [Seen(sighting=s, trail=trail_of(database, s.id)) for s in sightings(database)]


def test_a_perfect_watcher_is_told_so(videos: list[TrueVideo], tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'site.db'}"
    record_all(url, videos)

    site = judge_site(videos, seen_in(url))
    scores = score_site(site)

    assert all(one.person is not None for one in site.judged)
    assert scores.hota is not None
    assert scores.hota.assa > 0.8  # boxes between samples lie on a straight line: not exact
    assert (scores.identities[Lights.ALL].precision or 0) > 0.99
    assert (scores.identities[Lights.ALL].idf1 or 0) > 0.97  # stays of few frames are not recorded
    assert scores.pairs[Lights.DAY_NIGHT].f1 == 1.0
    assert not mistakes(site.judged)


def test_boxes_beside_people_show_nobody(videos: list[TrueVideo], tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'site.db'}"
    record_all(url, videos[:1], shift_px=150.0)

    site = judge_site(videos[:1], seen_in(url))
    found = mistakes(site.judged)

    assert score_site(site).n_nobody == len(site.judged)
    assert {each.mistake for each in found} == {Mistake.NOBODY}


def test_truth_of_another_site_or_time_is_refused(videos: list[TrueVideo], tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'site.db'}"
    record_all(url, videos[:1])
    seen = seen_in(url)
    other = [video for video in videos if video.camera != videos[0].camera]

    with pytest.raises(TruthInvalid, match="no camera in common"):
        judge_site(other, seen)
    late = _later(videos[0], by_us=10**12)
    with pytest.raises(TruthInvalid, match="in the time of the truth"):
        judge_site([late], seen)


def _later(video: TrueVideo, *, by_us: int) -> TrueVideo:
    return TrueVideo(
        camera=video.camera,
        times_us=video.times_us + by_us,
        modality=video.modality,
        frame=video.frame,
        person=video.person,
        boxes=video.boxes,
        seen=video.seen,
    )


def test_motchallenge_rows_are_read_cut_and_refused(tmp_path: Path) -> None:
    good, bad = tmp_path / "gt.txt", tmp_path / "bad.txt"
    good.write_text("1,7,10,20,30,60,1,-1\n3,7,90,20,30,60,1,-1\n3,8,0,0,5,5,0,-1\n")
    bad.write_text("frame,id\n")

    whole = read_motchallenge(good, camera=CAMERAS[0], fps=10, starts_at_us=1_000_000)
    left = within(whole, width_px=100)

    assert np.array_equal(whole.times_us, [1_000_000, 1_100_000, 1_200_000])
    assert whole.person.tolist() == [7, 7]
    assert whole.boxes.tolist() == [[10, 20, 40, 80], [90, 20, 120, 80]]
    assert left.boxes.tolist() == [[10, 20, 40, 80]]
    for file in (bad, tmp_path / "none.txt"):
        with pytest.raises(TruthInvalid, match="MOTChallenge rows"):
            read_motchallenge(file, camera=CAMERAS[0], fps=10, starts_at_us=0)


def test_the_command_prints_scores_and_names_the_wrong_claims(
    run_cli: RunCli, videos: list[TrueVideo], tmp_path: Path
) -> None:
    record_all(f"sqlite:///{tmp_path / 'site.db'}", videos, unsure_every=4)
    config = tmp_path / "config.yaml"
    config.write_text("storage: {database: 'sqlite:///site.db'}\n")
    call = ("evaluate", "links", "--truth", str(DEMO), "--config", str(config))

    table = run_cli(*call, "--list", "missed")
    told = json.loads(run_cli(*call, "--json", "--list", "missed"))

    assert "HOTA" in table
    assert "visible-infrared" in table
    assert told["unsure"] == len(told["listed"]) > 0
    assert {each["mistake"] for each in told["listed"]} == {"unsure"}
    assert told["lights"]["all"]["precision"] == 1.0
    assert 0.5 < told["lights"]["all"]["idf1"] < 0.97


def test_the_command_reads_motchallenge_files_camera_by_camera(
    run_cli: RunCli, videos: list[TrueVideo], tmp_path: Path
) -> None:
    by_day = [video for video in videos if video.camera in ("gate", "plaza")]
    record_all(f"sqlite:///{tmp_path / 'site.db'}", by_day)
    config = tmp_path / "config.yaml"
    config.write_text("storage: {database: 'sqlite:///site.db'}\n")
    call = ["evaluate", "links", "--json", "--config", str(config)]
    for name in ("gate", "plaza"):
        call += ["--truth", f"{name}={DEMO / name}.gt.txt"]

    missing = run_cli(*call, code=2)
    rates = [1e6 / step for step in map(frame_us, by_day)]
    for name, fps in zip(("gate", "plaza"), rates, strict=True):
        call += ["--fps", f"{name}={fps}", "--start", f"{name}=2026-06-01T14:00"]
    told = json.loads(run_cli(*call))

    assert "--fps gate=25" in missing
    assert told["lights"]["visible-visible"]["f1"] == 1.0
    assert told["lights"]["visible-infrared"]["idf1"] is None


@pytest.mark.parametrize(
    ("truth", "words"),
    [
        pytest.param("nowhere", "no such file", id="missing"),
        pytest.param("elsewhere=gt.txt", "no camera is named 'elsewhere'", id="camera"),
        pytest.param("config.yaml", "not readable JSON", id="kind"),
    ],
)
def test_the_command_says_what_is_wrong_with_the_truth(
    run_cli: RunCli, videos: list[TrueVideo], tmp_path: Path, truth: str, words: str
) -> None:
    record_all(f"sqlite:///{tmp_path / 'site.db'}", videos[:1])
    config = tmp_path / "config.yaml"
    config.write_text("storage: {database: 'sqlite:///site.db'}\n")
    named = truth if "=" in truth else str(tmp_path / truth)
    code = 2 if "=" in truth else 1

    told = run_cli("evaluate", "links", "--truth", named, "--config", str(config), code=code)

    assert words in told


def test_the_command_says_that_nothing_was_recorded(run_cli: RunCli, tmp_path: Path) -> None:
    with open_database(f"sqlite:///{tmp_path / 'site.db'}", create=True):
        pass
    config = tmp_path / "config.yaml"
    config.write_text("storage: {database: 'sqlite:///site.db'}\n")

    told = run_cli("evaluate", "links", "--truth", str(DEMO), "--config", str(config), code=2)

    assert "run `noctule run` first" in told


def test_stays_of_the_demo_are_unbroken(videos: list[TrueVideo]) -> None:
    """What the tests above record is what they say."""
    for video in videos:
        for _, trail in visits(video):
            assert all(b - a < 2 * frame_us(video) for a, b in pairwise(trail[:, 0]))
