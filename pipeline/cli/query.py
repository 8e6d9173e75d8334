"""noctule query: who was seen where and when, and why we say so."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.asking import typed_camera, typed_person, write_down
from pipeline.cli.desk import open_site
from pipeline.cli.options import (
    DEFAULT_CONFIG,
    CameraOption,
    ConfigOption,
    FromOption,
    JsonOption,
    OperatorOption,
    ToOption,
    parse_span,
    read_config,
)
from pipeline.cli.output import (
    SIGHTING_COLUMNS,
    clock_time,
    identity_json,
    light,
    print_json,
    print_line,
    print_table,
    sighting_json,
    sighting_row,
)
from pipeline.cli.sheet import contact_sheet, save_sheet
from storage.evidence import EvidenceStore
from storage.gaps import gaps
from storage.identities import find_identity, identities
from storage.sightings import sightings, trajectory
from storage.types import Span, person_name
from storage.whereabouts import whereabouts
from streams.moments import iso_time

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Ask who was seen where and when. Example: noctule query trajectory P-0002",
)

LimitOption = Annotated[int, typer.Option("--limit", min=1, help="Rows at most.")]


@app.command("identities")
def query_identities(
    start: FromOption = None,
    end: ToOption = None,
    camera: CameraOption = None,
    limit: LimitOption = 100,
    operator: OperatorOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Everybody who was seen. Example: noctule query identities --camera gate"""
    span = parse_span(start, end)
    with open_site(read_config(config)) as database:
        at = typed_camera(database, camera)
        asked = {"from": start, "to": end, "limit": limit}
        write_down(database, operator, "query identities", camera, **asked)
        found = identities(database, span=span, camera=at, limit=limit)
    if as_json:
        print_json([identity_json(identity) for identity in found])
        return
    print_table(
        ("identity", "sightings", "cameras", "light", "first seen (UTC)", "last seen"),
        [
            (
                person_name(identity.id),
                str(identity.n_sightings),
                ", ".join(identity.cameras),
                ", ".join(map(light, identity.modalities)),
                clock_time(identity.first_seen_us),
                clock_time(identity.last_seen_us),
            )
            for identity in found
        ],
    )
    if not found:
        print_line("Nobody was seen there and then; `noctule db stats` tells what is stored.")


@app.command("sightings")
def query_sightings(
    start: FromOption = None,
    end: ToOption = None,
    camera: CameraOption = None,
    limit: LimitOption = 100,
    operator: OperatorOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Every visit to every camera, oldest first. Example: noctule query sightings --limit 20"""
    span = parse_span(start, end)
    with open_site(read_config(config)) as database:
        at = typed_camera(database, camera)
        asked = {"from": start, "to": end, "limit": limit}
        write_down(database, operator, "query sightings", camera, **asked)
        found = sightings(database, span=span, camera=at, limit=limit)
    if as_json:
        print_json([sighting_json(sighting) for sighting in found])
        return
    print_table(SIGHTING_COLUMNS, [sighting_row(sighting) for sighting in found])
    if not found:
        print_line("No sighting there and then; `noctule db stats` tells what is stored.")


@app.command("trajectory")
def query_trajectory(
    identity: Annotated[str, typer.Argument(help="A person, such as P-0002 or 2.")],
    start: FromOption = None,
    end: ToOption = None,
    camera: CameraOption = None,
    sheet: Annotated[
        Path | None, typer.Option("--sheet", help="Also draw a contact sheet (.png or .jpg).")
    ] = None,
    operator: OperatorOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Where one person was, with the reason for each claim, and when nobody looked.

    Example: noctule query trajectory P-0002 --from 2026-06-01T14:00 --sheet P-0002.png
    """
    span, number = parse_span(start, end), typed_person(identity)
    site = read_config(config)
    with open_site(site) as database:
        at = typed_camera(database, camera)
        asked = {"from": start, "to": end, "camera": camera}
        write_down(database, operator, "query trajectory", person_name(number), **asked)
        person = find_identity(database, person_name(number))
        found = trajectory(database, person.id, span=span, camera=at)
        blind = gaps(
            database,
            span=Span(
                from_us=found[0].first_seen_us if found else span.from_us,
                to_us=found[-1].last_seen_us if found else span.to_us,
            ),
            camera=at,
        )
    if sheet is not None:
        evidence = EvidenceStore(site.storage.evidence, reserve_mb=site.storage.reserve_mb)
        save_sheet(sheet, contact_sheet(f"Person {person_name(person.id)}", found, evidence))
    if as_json:
        print_json(
            {
                **identity_json(person),
                "sightings": [sighting_json(sighting) for sighting in found],
                "gaps": [
                    {
                        "camera": gap.camera,
                        "from": iso_time(gap.from_us),
                        "to": None if gap.to_us is None else iso_time(gap.to_us),
                        "reason": gap.reason.value,
                    }
                    for gap in blind
                ],
            }
        )
        return
    print_table(
        (SIGHTING_COLUMNS[0], *SIGHTING_COLUMNS[2:], "why"),
        [
            [row[0], *row[2:], sighting.link.reason]
            for sighting, row in zip(found, map(sighting_row, found), strict=True)
        ],
        title=f"Person {person_name(person.id)}",
    )
    for gap in blind:
        until = "now" if gap.to_us is None else clock_time(gap.to_us)
        print_line(
            f"Nobody looked at {gap.camera} between {clock_time(gap.from_us)} and {until} "
            f"({gap.reason.value})."
        )


@app.command("whereabouts")
def query_whereabouts(
    identity: Annotated[str, typer.Argument(help="A person, such as P-0002 or 2.")],
    start: FromOption = None,
    end: ToOption = None,
    operator: OperatorOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Where one person was and when, without the reasons: quick however many visits there are.

    Example: noctule query whereabouts P-0002 --from 2026-06-01 --json
    """
    span, number = parse_span(start, end), typed_person(identity)
    with open_site(read_config(config)) as database:
        asked = {"from": start, "to": end}
        write_down(database, operator, "query whereabouts", person_name(number), **asked)
        person = find_identity(database, person_name(number))
        found = whereabouts(database, person.id, span=span)
    if as_json:
        print_json(
            [
                {
                    "sighting": visit.sighting,
                    "camera": visit.camera,
                    "light": visit.modality.value,
                    "first_seen": iso_time(visit.first_seen_us),
                    "last_seen": iso_time(visit.last_seen_us),
                }
                for visit in found
            ]
        )
        return
    print_table(
        ("first seen (UTC)", "last seen", "camera", "light"),
        [
            (clock_time(v.first_seen_us), clock_time(v.last_seen_us), v.camera, light(v.modality))
            for v in found
        ],
        title=f"Person {person_name(person.id)}",
    )
