"""noctule refine: second thoughts about who was seen, on demand."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from typing import Annotated

import typer

from pipeline.cli.desk import open_site
from pipeline.cli.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    FromOption,
    JsonOption,
    ToOption,
    parse_span,
    read_config,
)
from pipeline.cli.output import (
    clock_time,
    light,
    percent,
    print_json,
    print_line,
    print_table,
)
from pipeline.errors import UsageInvalid
from storage.claims import claim_watcher
from storage.database import Database
from storage.refinement import Rethought, Revisited, newest_visit_us
from storage.types import Decision, IdentityId, SightingId, Span, person_name, sighting_name
from streams.moments import iso_time

_HOUR_US = 3_600_000_000


def refine(
    start: FromOption = None,
    end: ToOption = None,
    hours: Annotated[
        float | None,
        typer.Option("--hours", min=0, help="The last hours before the newest visit."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what would change.")
    ] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Reconsider who was seen in the last hours, now that more was seen; every change has a reason.

    The watcher does it by itself: while one runs, only --dry-run is possible.

    Example: noctule refine --hours 12 --dry-run
    """
    from models.reid.calibration import load_calibration  # torch takes seconds: not for --help
    from models.reid.checkpoint import read_checkpoint
    from models.weights import obtain
    from pipeline.run.refining import think, write_down
    from pipeline.transit_times import learn_topology

    if hours is not None and (start or end):
        raise UsageInvalid("--hours goes back from the newest visit; give it without --from, --to")
    asked = parse_span(start, end)
    site = read_config(config)
    model = read_checkpoint(obtain(site.embedder.weights)).model
    calibration = load_calibration(site.embedder, model=model)
    with open_site(site) as database:
        span = _span(database, asked, site.linking.refine.window_h if hours is None else hours)
        with nullcontext() if dry_run else claim_watcher(database):
            thoughts = think(
                database,
                span,
                model=model,
                calibration=calibration,
                config=site.linking,
                transits=learn_topology(database, site.linking),
            )
            now_us = max((visit.last_seen_us for visit in thoughts.found.visits), default=0)
            changed = None if dry_run else write_down(database, thoughts, now_us=now_us)
    visits = {visit.id: visit for visit in thoughts.found.visits}
    changes = [change for batch in thoughts.batches for change in batch]
    if changed is not None:
        changes = [change for change in changes if change.sighting in changed]
    if as_json:
        print_json(
            {
                "from": None if span.from_us is None else iso_time(span.from_us),
                "to": None if span.to_us is None else iso_time(span.to_us),
                "visits": len(visits),
                "tracks_left_out": thoughts.found.n_left_out,
                "written": not dry_run,
                "changes": [_json(each, visits[each.sighting], changed) for each in changes],
            }
        )
        return
    print_table(
        ("visit", "camera", "modality", "from (UTC)", "was", "is", "probability", "why"),
        [_row(each, visits[each.sighting], changed) for each in changes],
    )
    verb = "would change" if dry_run else "changed"
    print_line(f"{len(visits)} visits reconsidered, {len(changes)} {verb}.")


def _span(database: Database, asked: Span, hours: float) -> Span:
    if asked.from_us is not None or asked.to_us is not None:
        return asked
    newest_us = newest_visit_us(database)
    return asked if newest_us is None else replace(asked, from_us=newest_us - int(hours * _HOUR_US))


def _is(change: Rethought, changed: Mapping[SightingId, IdentityId | None] | None) -> str:
    if changed is not None:
        return _name(changed[change.sighting])
    if change.link.decision is Decision.UNSURE or change.link.identity is not None:
        return _name(change.link.identity)
    return "a new person"


def _name(identity: IdentityId | None) -> str:
    return "unsure" if identity is None else person_name(identity)


def _row(
    change: Rethought,
    visit: Revisited,
    changed: Mapping[SightingId, IdentityId | None] | None,
) -> list[str]:
    return [
        sighting_name(visit.id),
        visit.camera,
        light(visit.modality),
        clock_time(visit.first_seen_us),
        _name(visit.identity),
        _is(change, changed),
        percent(change.link.probability),
        change.link.reason,
    ]


def _json(
    change: Rethought,
    visit: Revisited,
    changed: Mapping[SightingId, IdentityId | None] | None,
) -> dict[str, object]:
    link = change.link
    return {
        "sighting": visit.id,
        "camera": visit.camera,
        "first_seen": iso_time(visit.first_seen_us),
        "was": None if visit.identity is None else person_name(visit.identity),
        "is": None if _is(change, changed) == "unsure" else _is(change, changed),
        "decision": link.decision.value,
        "probability": link.probability,
        "runner_up": None if link.runner_up is None else person_name(link.runner_up),
        "runner_up_probability": link.runner_up_probability,
        "reason": link.reason,
        "grounds": dict(link.grounds),
    }
