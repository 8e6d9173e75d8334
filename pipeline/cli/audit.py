"""noctule audit: who asked and did what."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from pipeline.cli.asking import as_person, write_down
from pipeline.cli.desk import open_site
from pipeline.cli.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    FromOption,
    JsonOption,
    OperatorOption,
    ToOption,
    parse_span,
    read_config,
)
from pipeline.cli.output import clock_time, print_json, print_line, print_table
from storage.audit import AuditEntry, audit_entries
from streams.moments import iso_time


def audit(
    of: Annotated[
        str | None, typer.Option("--of", help="Only about this person or camera, such as P-0007.")
    ] = None,
    by: Annotated[str | None, typer.Option("--by", help="Only by this operator.")] = None,
    start: FromOption = None,
    end: ToOption = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="The newest rows at most.")] = 100,
    operator: OperatorOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Who asked and did what, oldest first; this question is written down too.

    The last hash proves all rows before it: write it down elsewhere, and `noctule db check` proves
    the rest.

    Example: noctule audit --of P-0007 --from 2026-06-01
    """
    span = parse_span(start, end)
    subject = None if of is None else as_person(of)
    with open_site(read_config(config)) as database:
        asked = {"by": by, "from": start, "to": end, "limit": limit}
        write_down(database, operator, "audit", subject, **asked)
        found = audit_entries(database, of=subject, by=by, span=span, limit=limit)
        (newest,) = audit_entries(database, limit=1)
    if as_json:
        print_json({"entries": [_to_json(entry) for entry in found], "last_hash": newest.hash})
        return
    print_table(
        ("time (UTC)", "who", "action", "subject", "detail"),
        [
            (clock_time(e.at_us), e.who, e.action, e.subject, json.dumps(dict(e.detail)))
            for e in found
        ],
    )
    print_line(f"Row {newest.id} ends the chain with {newest.hash}.")


def _to_json(entry: AuditEntry) -> dict[str, object]:
    return {
        "row": entry.id,
        "at": iso_time(entry.at_us),
        "who": entry.who,
        "action": entry.action,
        "subject": entry.subject,
        "detail": dict(entry.detail),
        "hash": entry.hash,
    }
