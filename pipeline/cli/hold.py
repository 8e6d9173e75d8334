"""noctule hold: persons whose data must not be deleted."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli.asking import typed_person, write_down
from pipeline.cli.desk import desk, open_site
from pipeline.cli.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    OperatorOption,
    read_config,
)
from pipeline.cli.output import clock_time, print_json, print_line, print_table
from pipeline.errors import UsageInvalid
from storage.holds import LegalHold, holds, lift_hold, place_hold
from storage.types import person_name
from streams.moments import iso_time

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Keep a person's data from erasure and expiry. Example: noctule hold place P-0007 "
    '--reason "court case 7"',
)

PersonArgument = Annotated[str, typer.Argument(help="A person, such as P-0007 or 7.")]


@app.command("place")
def place(
    person: PersonArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why, in your words.")],
    operator: OperatorOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """From now on nothing of this person is erased, nor does it expire.

    Example: noctule hold place P-0007 --reason "court case 7" --as ada
    """
    if not reason.strip():
        raise UsageInvalid("--reason: expected a few words; whoever reads it later was not there")
    with desk(config, operator) as at:
        placed = place_hold(
            at.database,
            typed_person(person),
            reason=reason.strip(),
            made_by=at.by,
            now_us=at.now_us,
        )
    _tell(placed, f"{person_name(placed.identity)} is held: hold {placed.id}", as_json=as_json)


@app.command("lift")
def lift(
    person: PersonArgument,
    number: Annotated[
        int | None, typer.Option("--number", help="Which hold, where there are several.")
    ] = None,
    operator: OperatorOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """End a hold: what is too old expires from then on.

    Example: noctule hold lift P-0007 --as ada
    """
    with desk(config, operator) as at:
        lifted = lift_hold(
            at.database, typed_person(person), number=number, made_by=at.by, now_us=at.now_us
        )
    words = f"hold {lifted.id} on {person_name(lifted.identity)} is lifted"
    _tell(lifted, words, as_json=as_json)


@app.command("list")
def list_holds(
    lifted: Annotated[bool, typer.Option("--all", help="Also those that were lifted.")] = False,
    operator: OperatorOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Who is held, and why. Example: noctule hold list --all"""
    with open_site(read_config(config)) as database:
        write_down(database, operator, "hold list", None)
        found = holds(database, lifted=lifted)
    if as_json:
        print_json([_to_json(hold) for hold in found])
        return
    print_table(
        ("hold", "person", "placed (UTC)", "by", "reason", "lifted"),
        [
            (
                str(hold.id),
                person_name(hold.identity),
                clock_time(hold.placed_at_us),
                hold.placed_by,
                hold.reason,
                "" if hold.lifted_at_us is None else clock_time(hold.lifted_at_us),
            )
            for hold in found
        ],
    )
    if not found:
        print_line("Nobody is held.")


def _tell(hold: LegalHold, words: str, *, as_json: bool) -> None:
    if as_json:
        print_json(_to_json(hold))
    else:
        print_line(words)


def _to_json(hold: LegalHold) -> dict[str, object]:
    return {
        "hold": hold.id,
        "identity": person_name(hold.identity),
        "placed_at": iso_time(hold.placed_at_us),
        "placed_by": hold.placed_by,
        "reason": hold.reason,
        "lifted_at": None if hold.lifted_at_us is None else iso_time(hold.lifted_at_us),
        "lifted_by": hold.lifted_by,
    }
