"""noctule evaluate links: was everybody called by one name, and nobody by another's?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pipeline.cli.desk import open_site
from pipeline.cli.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    FromOption,
    JsonOption,
    ToOption,
    parse_span,
    parse_time,
    read_config,
)
from pipeline.cli.output import (
    clock_time,
    print_json,
    print_line,
    print_table,
    sighting_json,
    who,
)
from pipeline.config import SiteConfig
from pipeline.errors import UsageInvalid
from storage.sightings import sightings, trail_of
from storage.types import Sighting, SightingId, person_name, sighting_name
from streams.moments import to_us
from streams.types import CameraId

if TYPE_CHECKING:
    from pipeline.evaluation.mistakes import Mistaken
    from pipeline.evaluation.site import SiteScores
    from pipeline.evaluation.truth import TrueVideo
    from pipeline.evaluation.types import Lights

_UNKNOWN = "–"


def links(
    truth: Annotated[
        list[str],
        typer.Option(
            "--truth",
            help="The simulator's folder or truth.json; or CAMERA=FILE with MOTChallenge rows, "
            "once for each camera, the same person with the same number in all of them.",
        ),
    ],
    fps: Annotated[
        list[str] | None,
        typer.Option("--fps", help="Of MOTChallenge rows: CAMERA=25; default: of its video."),
    ] = None,
    start: Annotated[
        list[str] | None,
        typer.Option("--start", help="Of its first row: CAMERA=2026-06-01T14:00; default: config."),
    ] = None,
    listed: Annotated[
        Literal["none", "wrong", "missed"],
        typer.Option("--list", help="Also name the wrong claims, or who was missed, with reasons."),
    ] = "none",
    begin: FromOption = None,
    end: ToOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """IDF1, HOTA, AssA and pairs across cameras of what the database says, against the truth.

    All cameras count as one long sequence in which everybody keeps one name. Sightings that stayed
    unsure count as missed. docs/linking-measures.md defines each figure.

    Example: noctule evaluate links --truth footage/truth.json --config footage/config.yaml
    """
    from pipeline.evaluation.mistakes import MISSED, WRONG, mistakes
    from pipeline.evaluation.sequence import Seen
    from pipeline.evaluation.site import judge_site, score_site

    site = read_config(config)
    span = parse_span(begin, end)
    with open_site(site) as database:
        found = sightings(database, span=span)
        if not found:
            raise UsageInvalid(
                "the database holds no sighting"
                + (" in that time" if begin or end else "; run `noctule run` first")
            )
        seen = [Seen(sighting=each, trail=trail_of(database, each.id)) for each in found]
    videos = _read_truth(truth, _pairs("--fps", fps), _pairs("--start", start), site, found)
    judged = judge_site(videos, seen)
    scores = score_site(judged)
    kinds = {"wrong": WRONG, "missed": MISSED, "none": frozenset()}[listed]
    by_id = {each.id: each for each in found}
    named = [each for each in mistakes(judged.judged) if each.mistake in kinds]
    if as_json:
        print_json(scores_json(scores) | ({} if listed == "none" else _named_json(named, by_id)))
        return
    _print(scores)
    if listed != "none":
        _print_named(named, by_id, title=f"{listed}: {len(named)} sightings")


def scores_json(scores: SiteScores) -> dict[str, object]:
    """Every figure, shares in [0, 1], None where there is nothing to measure."""
    from pipeline.evaluation.types import Lights

    return {
        "people": scores.n_people,
        "identities": scores.n_identities,
        "sightings": scores.n_sightings,
        "unsure": scores.n_unsure,
        "showing_nobody": scores.n_nobody,
        "frames": scores.n_frames,
        "hota": None if scores.hota is None else scores.hota.hota,
        "deta": None if scores.hota is None else scores.hota.deta,
        "assa": None if scores.hota is None else scores.hota.assa,
        "lights": {
            lights.value: {
                "idf1": scores.identities[lights].idf1,
                "idp": scores.identities[lights].precision,
                "idr": scores.identities[lights].recall,
                "idf1_named": scores.named[lights].idf1,
                "pairs_true": scores.pairs[lights].n_true,
                "pairs_claimed": scores.pairs[lights].n_claimed,
                "pairs_right": scores.pairs[lights].n_right,
                "precision": scores.pairs[lights].precision,
                "recall": scores.pairs[lights].recall,
                "f1": scores.pairs[lights].f1,
            }
            for lights in Lights
        },
    }


def _read_truth(
    named: Sequence[str],
    fps: Mapping[str, str],
    start: Mapping[str, str],
    site: SiteConfig,
    found: Sequence[Sighting],
) -> list[TrueVideo]:
    from pipeline.evaluation.truth import read_motchallenge, read_simulated

    cameras = {camera.name for camera in site.cameras} | {each.camera for each in found}
    videos: list[TrueVideo] = []
    for words in named:
        camera, sign, file = words.partition("=")
        if not sign:
            videos += read_simulated(Path(words), cameras=map(CameraId, cameras))
            continue
        if camera not in cameras:
            raise UsageInvalid(
                f"--truth {words}: no camera is named {camera!r}; there are "
                f"{', '.join(sorted(cameras))}"
            )
        rate, starts_at_us = _clock(camera, fps, start, site)
        videos.append(
            read_motchallenge(
                Path(file), camera=CameraId(camera), fps=rate, starts_at_us=starts_at_us
            )
        )
    return videos


def _clock(
    camera: str, fps: Mapping[str, str], start: Mapping[str, str], site: SiteConfig
) -> tuple[float, int]:
    """Frames per second and time of the first row, from the options, else from the recording."""
    configured = {each.name: each for each in site.cameras}.get(camera)
    rate: float | None = None
    if camera in fps:
        rate = _positive(f"--fps {camera}={fps[camera]}", fps[camera])
    elif configured is not None and not configured.is_live:
        from streams.source import open_source

        with open_source(configured) as source:
            rate = source.info.fps
    begin: datetime | None = configured.starts_at if configured is not None else None
    if camera in start:
        begin = parse_time(start[camera])
    if rate is None:
        raise UsageInvalid(f"add --fps {camera}=25: how many of its rows are one second")
    if begin is None:
        raise UsageInvalid(f"add --start {camera}=2026-06-01T14:00: the time of its first row")
    return rate, to_us(begin)


def _positive(option: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e4:
        raise UsageInvalid(f"{option}: expected pictures per second, such as 25")
    return value


def _pairs(option: str, given: Sequence[str] | None) -> dict[str, str]:
    pairs = {}
    for words in given or ():
        camera, sign, value = words.partition("=")
        if not (camera and sign and value):
            raise UsageInvalid(f"{option} {words}: expected CAMERA=VALUE")
        pairs[camera] = value
    return pairs


def _print(scores: SiteScores) -> None:
    from pipeline.evaluation.types import Lights

    hota = None if scores.hota is None else (scores.hota.hota, scores.hota.assa, scores.hota.deta)
    together, association, detection = map(_percent, hota or (None,) * 3)
    print_line(
        f"{scores.n_sightings} sightings of {scores.n_people} people became "
        f"{scores.n_identities} identities; {scores.n_unsure} stayed unsure, "
        f"{scores.n_nobody} show nobody of the truth."
    )
    print_line(
        f"All cameras as one sequence of {scores.n_frames} frames: HOTA {together}, "
        f"AssA {association}, DetA {detection} percent."
    )
    print_line()
    print_table(
        (
            "lights",
            "IDF1",
            "IDP",
            "IDR",
            "named",
            "pairs",
            "claimed",
            "right",
            "precision",
            "recall",
            "F1",
        ),
        [_row(lights, scores) for lights in Lights],
        title="identities by frames, of these what was seen (named: IDF1), and pairs of sightings "
        "by two cameras, percent",
    )


def _row(lights: Lights, scores: SiteScores) -> list[str]:
    identity, pairs = scores.identities[lights], scores.pairs[lights]
    return [
        lights.value,
        *map(_percent, (identity.idf1, identity.precision, identity.recall)),
        _percent(scores.named[lights].idf1),
        *map(str, (pairs.n_true, pairs.n_claimed, pairs.n_right)),
        *map(_percent, (pairs.precision, pairs.recall, pairs.f1)),
    ]


def _percent(share: float | None) -> str:
    return _UNKNOWN if share is None else f"{100 * share:.1f}"


def _print_named(
    named: Sequence[Mistaken], by_id: Mapping[SightingId, Sighting], *, title: str
) -> None:
    rows = []
    for each in named:
        said = by_id[each.sighting]
        truly = "nobody" if each.person is None else f"person {each.person}"
        name = "" if each.rightful is None else f", is {person_name(each.rightful)}"
        start = clock_time(said.first_seen_us)
        what = f"{each.mistake.value}{name}"
        rows.append(
            [sighting_name(said.id), said.camera, start, who(said), truly, what, said.link.reason]
        )
    print_table(
        ("sighting", "camera", "from (UTC)", "said", "truly", "what is wrong", "why it was said"),
        rows,
        title=title,
    )


def _named_json(
    named: Sequence[Mistaken], by_id: Mapping[SightingId, Sighting]
) -> dict[str, object]:
    return {
        "listed": [
            sighting_json(by_id[each.sighting])
            | {
                "mistake": each.mistake.value,
                "person": each.person,
                "identity_mostly_shows": each.owner,
                "persons_identity": None if each.rightful is None else person_name(each.rightful),
            }
            for each in named
        ]
    }
