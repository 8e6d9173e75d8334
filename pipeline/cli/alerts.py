"""noctule alerts: what rules found, and what operators made of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Protocol

import typer

from pipeline.alerts.kinds import kinds
from pipeline.cli.asking import typed_camera, write_down
from pipeline.cli.desk import open_site
from pipeline.cli.options import (
    DEFAULT_CONFIG,
    CameraOption,
    ConfigOption,
    FromOption,
    JsonOption,
    OperatorOption,
    ToOption,
    name_operator,
    parse_span,
    read_config,
)
from pipeline.cli.output import clock_time, print_json, print_line, print_table
from pipeline.errors import UsageInvalid
from storage.database import Database
from storage.desk.alerts import Alert, AlertEvent, alert, alert_events, alert_name, alerts
from storage.desk.handling import acknowledge, false_alarm, resolve, undo
from storage.desk.pages import LONGEST_PAGE
from storage.desk.types import AlertId, AlertState
from storage.types import person_name
from streams.clock import SystemClock
from streams.moments import iso_time

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="What rules found, and what became of it. Example: noctule alerts list --state new",
)

AlertArgument = Annotated[str, typer.Argument(help="An alert, such as A12 or 12.")]
ReasonOption = Annotated[
    str, typer.Option("--reason", help="Why, in your words; whoever reads it was not there.")
]


@app.command("list")
def list_alerts(
    state: Annotated[
        AlertState | None, typer.Option("--state", help="Only these; default: all.")
    ] = None,
    rule: Annotated[str | None, typer.Option("--rule", help="Only of this rule.")] = None,
    camera: CameraOption = None,
    start: FromOption = None,
    end: ToOption = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=LONGEST_PAGE, help="Rows shown, newest first.")
    ] = 50,
    operator: OperatorOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Alerts, newest first. Example: noctule alerts list --state new --camera gate"""
    span = parse_span(start, end)
    with open_site(read_config(config)) as database:
        where = typed_camera(database, camera)
        write_down(database, operator, "alerts list", None, camera=where, rule=rule)
        found = alerts(
            database,
            state=state,
            rule=rule,
            cameras=None if where is None else [where],
            span=span,
            limit=limit,
        ).items
    if as_json:
        print_json([_to_json(each) for each in found])
        return
    print_table(
        ("alert", "state", "severity", "began (UTC)", "rule", "what", "person", "cameras"),
        [
            (
                alert_name(each.id),
                each.state.value,
                each.severity.value,
                clock_time(each.began_us),
                each.rule,
                each.sentence,
                _who(each),
                ", ".join(each.cameras),
            )
            for each in found
        ],
    )
    if not found:
        print_line("Nothing was found; `noctule alerts kinds` tells what can be watched for.")


@app.command("show")
def show(
    number: AlertArgument,
    operator: OperatorOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """One alert with the numbers behind it and its history. Example: noctule alerts show A12"""
    which = _read_number(number)
    with open_site(read_config(config)) as database:
        write_down(database, operator, "alert show", alert_name(which))
        found, events = alert(database, which), alert_events(database, which)
    if as_json:
        print_json({**_to_json(found), "events": [_event_json(event) for event in events]})
        return
    lasted = "lasts" if found.ended_us is None else f"to {clock_time(found.ended_us)}"
    print_line(f"{alert_name(found.id)}  {found.state}  {found.severity}  {found.rule}")
    print_line(f"{found.sentence}")
    print_line(
        f"{clock_time(found.began_us)} UTC {lasted}; {', '.join(found.cameras) or 'no camera'}"
    )
    who = _who(found)
    if who:
        sure = "" if found.probability is None else f" ({found.probability:.0%})"
        print_line(f"person: {who}{sure}")
    for name, value in sorted(found.grounds.items()):
        print_line(f"  {name}: {value}")
    if found.picture is not None:
        print_line(f"picture: {found.picture} of {found.picture_camera}")
    for event in events:
        reason = f": {event.reason}" if event.reason else ""
        print_line(f"{clock_time(event.made_at_us)} {event.kind} by {event.made_by}{reason}")


@app.command("ack")
def acknowledge_alert(
    number: AlertArgument,
    reason: ReasonOption = "",
    operator: OperatorOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Say that you saw it; it is not escalated any more. Example: noctule alerts ack A12"""
    _handle(acknowledge, number, _Words(reason, operator, as_json), config)


@app.command("resolve")
def resolve_alert(
    number: AlertArgument,
    reason: ReasonOption = "",
    operator: OperatorOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Say that it is dealt with. Example: noctule alerts resolve A12 --reason "door closed" """
    _handle(resolve, number, _Words(reason, operator, as_json), config)


@app.command("false-alarm")
def tell_false_alarm(
    number: AlertArgument,
    reason: ReasonOption = "",
    operator: OperatorOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Say that it should not have been raised; verdict export tells so of persons of interest.

    Example: noctule alerts false-alarm A12 --reason "another coat"
    """
    _handle(false_alarm, number, _Words(reason, operator, as_json), config)


@app.command("undo")
def undo_alert(
    number: AlertArgument,
    reason: ReasonOption = "",
    operator: OperatorOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Take the last of these decisions back. Example: noctule alerts undo A12"""
    _handle(undo, number, _Words(reason, operator, as_json), config)


@app.command("kinds")
def list_kinds(as_json: JsonOption = False) -> None:
    """What rules can watch for, with their settings. Example: noctule alerts kinds --json"""
    found = kinds()
    if as_json:
        print_json([{"kind": k.name, "words": k.words, "schema": dict(k.schema)} for k in found])
        return
    for kind in found:
        print_line(f"{kind.name}: {kind.words}")
        required = kind.schema.get("required", [])
        for name, setting in kind.schema["properties"].items():
            if name in ("name", "kind"):
                continue
            must = " Required." if name in required else ""
            print_line(f"    {name}: {setting['description']}{must}")


@dataclass(frozen=True, slots=True)
class _Words:
    reason: str
    operator: str | None
    as_json: bool


class _Handling(Protocol):
    def __call__(
        self, db: Database, number: AlertId, *, made_by: str, reason: str, now_us: int
    ) -> Alert: ...


def _handle(handle: _Handling, number: str, words: _Words, config: ConfigOption) -> None:
    """Decide about an alert and tell what it is now."""
    which = _read_number(number)
    with open_site(read_config(config)) as database:
        found = handle(
            database,
            which,
            made_by=name_operator(words.operator),
            reason=words.reason.strip(),
            now_us=SystemClock().now_us(),
        )
    if words.as_json:
        print_json(_to_json(found))
        return
    name = alert_name(found.id)
    back = "" if found.state is AlertState.NEW else f"; undo with `noctule alerts undo {name}`"
    print_line(f"{name} is {found.state}{back}")


def _read_number(typed: str) -> AlertId:
    match = re.fullmatch(r"[Aa]?([0-9]{1,18})", typed.strip())
    if match is None:
        raise UsageInvalid(f"{typed[:40]!r} is no alert; write it like A12 or 12")
    return AlertId(int(match[1]))


def _who(found: Alert) -> str:
    """Whoever its visits show now, or was said to be seen."""
    people = found.persons or (() if found.identity is None else (found.identity,))
    return ", ".join(person_name(person) for person in people)


def _event_json(event: AlertEvent) -> dict[str, object]:
    return {
        "kind": event.kind.value,
        "made_by": event.made_by,
        "reason": event.reason,
        "made_at": iso_time(event.made_at_us),
    }


def _to_json(found: Alert) -> dict[str, object]:
    return {
        "alert": alert_name(found.id),
        "rule": found.rule,
        "kind": found.kind,
        "severity": found.severity.value,
        "state": found.state.value,
        "began": iso_time(found.began_us),
        "ended": None if found.ended_us is None else iso_time(found.ended_us),
        "raised": iso_time(found.raised_at_us),
        "sentence": found.sentence,
        "identity": None if found.identity is None else person_name(found.identity),
        "candidate": None if found.candidate is None else person_name(found.candidate),
        "persons": [person_name(person) for person in found.persons],
        "probability": found.probability,
        "cameras": list(found.cameras),
        "sightings": list(found.sightings),
        "picture": found.picture,
        "grounds": dict(found.grounds),
    }
