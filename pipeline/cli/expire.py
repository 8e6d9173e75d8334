"""noctule db expire: delete what is older than it may be."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict
from typing import Annotated

import typer

from pipeline.cli.desk import open_site
from pipeline.cli.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    OperatorOption,
    name_operator,
    read_config,
)
from pipeline.cli.output import print_json, print_line
from storage.claims import claim_watcher
from storage.due import Expired, due
from storage.errors import AlreadyRunning
from storage.evidence import EvidenceStore
from storage.holds import holds
from storage.retention import ORPHAN_AGE_US
from storage.retention import expire as expire_pieces
from storage.traces import wipe_traces
from streams.clock import SystemClock


def expire(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what is due; orphans are not counted.")
    ] = False,
    wipe: Annotated[
        bool,
        typer.Option("--wipe", help="Also rewrite the database's file, without what was deleted."),
    ] = False,
    operator: OperatorOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Delete what is older than `retention:` allows, and pictures that nothing refers to.

    A live watcher does this by itself; it may run meanwhile. Held persons stay.

    Example: noctule db expire --dry-run
    """
    who = name_operator(operator)
    site = read_config(config)
    evidence = EvidenceStore(site.storage.evidence, reserve_mb=site.storage.reserve_mb)
    now_us = SystemClock().now_us()
    advice: tuple[str, ...] = ()
    with open_site(site) as database:
        n_held = len({hold.identity for hold in holds(database)})
        if dry_run:
            found = due(database, evidence, site.retention, now_us=now_us)
        else:
            with ExitStack() as stack:
                age_us = 0
                try:
                    stack.enter_context(claim_watcher(database))
                except AlreadyRunning:  # its newest pictures may wait for their rows
                    age_us = ORPHAN_AGE_US
                pieces = expire_pieces(
                    database,
                    evidence,
                    site.retention,
                    now_us=now_us,
                    who=who,
                    index=site.storage.index_folder,
                    orphan_age_us=age_us,
                )
                found = sum(pieces, start=Expired())
            if wipe:
                advice = wipe_traces(database).advice
    if as_json:
        print_json({**asdict(found), "n_held_persons": n_held, "advice": list(advice)})
        return
    _tell(found, "would be deleted" if dry_run else "deleted")
    if n_held:
        print_line(f"{n_held} persons are held: theirs stays.")
    for sentence in advice:
        print_line(f"{sentence[0].upper()}{sentence[1:]}.")


def _tell(found: Expired, verb: str) -> None:
    words = {
        "visits": found.n_sightings,
        "vectors": found.n_vectors,
        f"pictures ({found.n_bytes / 1e6:.1f} MB)": found.n_pictures,
        "orphans": found.n_orphans,
        "gaps": found.n_gaps,
        "runs": found.n_runs,
        "rows of the audit": found.n_audit,
        "alerts": found.n_alerts,
        "deliveries": found.n_deliveries,
        "sessions and tokens": found.n_sessions,
        "persons of interest": found.n_interests,
        "names": found.n_names,
    }
    counted = [f"{number} {name}" for name, number in words.items() if number]
    print_line(f"{', '.join(counted)} {verb}" if counted else "nothing is due")
