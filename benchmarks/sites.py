"""A site's sightings beside its truth, for every benchmark that watches a site."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import SecretStr

from pipeline.cli.evaluate_links import scores_json
from pipeline.config import SiteConfig
from pipeline.evaluation.mistakes import n_right_guesses
from pipeline.evaluation.sequence import Seen, Watched
from pipeline.evaluation.site import judge_site, score_site
from pipeline.evaluation.truth import TrueVideo, read_simulated
from storage.config import StorageConfig
from storage.database import Database
from storage.sightings import sightings, trail_of
from streams.types import CameraId


def into_folder(site: SiteConfig, folder: Path) -> SiteConfig:
    """The same site, remembering into another folder."""
    storage = StorageConfig(
        database=SecretStr(f"sqlite:///{folder / 'noctule.db'}"),
        evidence=folder / "evidence",
        reserve_mb=0,
    )
    return site.model_copy(update={"storage": storage})


def true_videos(site: SiteConfig) -> list[TrueVideo]:
    """The simulator's truth beside the video of each camera."""
    cameras = [CameraId(camera.name) for camera in site.cameras]
    videos = [Path(camera.source.get_secret_value()) for camera in site.cameras]
    return [
        truth
        for video in videos
        for truth in read_simulated(video.with_suffix(".truth.json"), cameras=cameras)
    ]


def judged(database: Database, videos: Sequence[TrueVideo]) -> Watched:
    """All sightings of a database beside the truth."""
    seen = [Seen(sighting=each, trail=trail_of(database, each.id)) for each in sightings(database)]
    return judge_site(videos, seen)


def figures(database: Database, videos: Sequence[TrueVideo]) -> dict[str, object]:
    """Every measure of `noctule evaluate links`, and whether doubts guess well."""
    found = judged(database, videos)
    by_id = {each.id: each for each in sightings(database)}
    return scores_json(score_site(found)) | {
        "decisions": _counts(each.link.decision.value for each in by_id.values()),
        "unsure_with_right_guess": n_right_guesses(found.judged, by_id),
    }


def _counts(words: Iterable[str]) -> dict[str, int]:
    found = list(words)
    return {word: found.count(word) for word in sorted(set(found))}
