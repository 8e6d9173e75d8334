"""noctule verdict: an operator says who it is, and takes it back."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.asking import typed_person, write_down
from pipeline.cli.desk import Desk, desk, open_site
from pipeline.cli.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    OperatorOption,
    read_config,
)
from pipeline.cli.output import clock_time, print_json, print_line, print_table
from pipeline.cli.verdict_words import moves, says, some, state, verdict_json, who
from pipeline.errors import UsageInvalid
from pipeline.verdict_pairs import PAIRS
from pipeline.verdict_pairs import export_pairs as write_pairs
from storage import verdicts as say
from storage.evidence import EvidenceStore
from storage.types import (
    SightingId,
    Verdict,
    VerdictId,
    person_name,
    sighting_name,
    verdict_name,
)
from storage.undoing import undo
from storage.verdict_list import find_verdict
from storage.verdict_list import verdicts as list_verdicts

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Say who it is; everything can be undone. Visits are called S123, persons P-0007, "
    "verdicts V12. Example: noctule verdict same P-0412 P-0398",
)

_VISIT = re.compile(r"S0*([1-9][0-9]{0,17})", re.IGNORECASE)
_VERDICT = re.compile(r"V?0*([1-9][0-9]{0,17})", re.IGNORECASE)

PersonArgument = Annotated[str, typer.Argument(help="A person, such as P-0007.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why, for those who read it later.")]
KeepOption = Annotated[
    str | None,
    typer.Option("--keep", help="Whose number stays; default: the lower one, known longer."),
]


@app.command("same")
def say_same(
    one: Annotated[str, typer.Argument(help="A visit, S123, or a person, P-0412.")],
    other: PersonArgument,
    keep: KeepOption = None,
    reason: ReasonOption = "",
    operator: OperatorOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """This visit is this person; or these two persons are one, which is `merge`.

    The visit comes with all parts of its unbroken view, and stays that person's.

    Example: noctule verdict same S123 P-0007 --reason "same limp"
    """
    if _is_person(one):
        say_merge(one, other, keep, reason, operator, config, as_json)
        return
    if keep is not None:
        raise UsageInvalid("--keep: a visit has no number to keep; leave it out")
    visit, person = _visit(one), typed_person(other)
    with desk(config, operator) as at:
        said = say.same(at.database, visit, person, by=at.by, reason=reason, now_us=at.now_us)
        is_new = any(move.before != move.after for move in said.moved)
        words = "is" if is_new else "was already, and stays,"
        _tell(at, said, f"{sighting_name(visit)} {words} {person_name(person)}", as_json)


@app.command("not-same")
def say_not_same(
    one: Annotated[str, typer.Argument(help="A visit, S123, or a person, P-0412.")],
    other: PersonArgument,
    new: Annotated[
        bool, typer.Option("--new", help="The visit is a new person, not just unsure.")
    ] = False,
    reason: ReasonOption = "",
    operator: OperatorOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """This visit is not this person; or these two persons are two. They are not linked again.

    Example: noctule verdict not-same S123 P-0007 --new
    """
    person = typed_person(other)
    if _is_person(one):
        if new:
            raise UsageInvalid("--new: two persons are two already; it is for a visit")
        first = typed_person(one)
        with desk(config, operator) as at:
            said = say.not_same_person(
                at.database, first, person, by=at.by, reason=reason, now_us=at.now_us
            )
            words = f"{person_name(first)} and {person_name(person)} are two persons"
            _tell(at, said, words, as_json)
        return
    visit = _visit(one)
    with desk(config, operator) as at:
        said = say.not_same(
            at.database,
            visit,
            person,
            as_new=new,
            by=at.by,
            reason=reason,
            now_us=at.now_us,
        )
        becomes = "".join(f" and is {who(after)} now" for after in {m.after for m in said.moved})
        words = f"{sighting_name(visit)} is not {person_name(person)}{becomes}"
        _tell(at, said, words, as_json)


@app.command("merge")
def say_merge(
    one: PersonArgument,
    other: PersonArgument,
    keep: KeepOption = None,
    reason: ReasonOption = "",
    operator: OperatorOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """These two persons are one.

    Example: noctule verdict merge P-0412 P-0398
    """
    first, second = typed_person(one), typed_person(other)
    with desk(config, operator) as at:
        said = say.merge(
            at.database,
            first,
            second,
            keep=None if keep is None else typed_person(keep),
            by=at.by,
            reason=reason,
            now_us=at.now_us,
        )
        kept = person_name(said.moved[0].after or first)
        words = f"{person_name(first)} and {person_name(second)} are now one person, {kept}"
        _tell(at, said, words, as_json)


@app.command("split")
def say_split(
    person: PersonArgument,
    visits: Annotated[list[str], typer.Argument(help="Visits of that person, such as S123.")],
    reason: ReasonOption = "",
    operator: OperatorOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """These visits of the person are somebody else: a new person.

    Example: noctule verdict split P-0007 S123 S130
    """
    whole, leaving = typed_person(person), [_visit(word) for word in visits]
    with desk(config, operator) as at:
        said = say.split(at.database, whole, leaving, by=at.by, reason=reason, now_us=at.now_us)
        new = f"{'is' if len(said.moved) == 1 else 'are'} now {who(said.moved[0].after)}"
        words = f"{some([sighting_name(m.sighting) for m in said.moved])} of {person_name(whole)}"
        _tell(at, said, f"{words} {new}", as_json)


@app.command("forget")
def say_forget(
    person: PersonArgument,
    reason: ReasonOption = "",
    operator: OperatorOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Leave the person's visits to nobody and compare them with nobody; deletes nothing.

    Example: noctule verdict forget P-0007 --reason "a colleague"
    """
    whom = typed_person(person)
    with desk(config, operator) as at:
        said = say.forget(at.database, whom, by=at.by, reason=reason, now_us=at.now_us)
        _tell(at, said, f"{person_name(whom)} is forgotten", as_json)


@app.command("undo")
def say_undo(
    verdict: Annotated[str, typer.Argument(help="A verdict, such as V12; also an undo.")],
    reason: ReasonOption = "",
    operator: OperatorOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Take a verdict back; what later verdicts said stays. Undoing an undo brings it again.

    Example: noctule verdict undo V12
    """
    number = _number(_VERDICT, verdict, "a verdict's name; expected one like V12")
    with desk(config, operator) as at:
        said = undo(at.database, VerdictId(number), by=at.by, reason=reason, now_us=at.now_us)
        root = find_verdict(at.database, VerdictId(number))
        while root.undoes is not None:
            root = find_verdict(at.database, root.undoes)
        now = "holds again" if root.holds else "does not hold any more"
        _tell(at, said, f"{verdict_name(root.id)} ({root.kind}) {now}", as_json)


@app.command("list")
def show_verdicts(
    visit: Annotated[
        str | None, typer.Option("--visit", help="Only what was said about this visit, S123.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Rows at most.")] = 50,
    operator: OperatorOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Who decided what, newest first, what moved, and whether it holds.

    Example: noctule verdict list --limit 10
    """
    of = None if visit is None else _visit(visit)
    with open_site(read_config(config)) as database:
        about = "" if of is None else sighting_name(of)
        write_down(database, operator, "verdict list", about, limit=limit)
        found = list_verdicts(database, of=of, limit=limit)
    if as_json:
        print_json([verdict_json(verdict) for verdict in found])
        return
    print_table(
        ("verdict", "made at (UTC)", "by", "says", "moved", "state", "reason"),
        [
            (
                verdict_name(verdict.id),
                clock_time(verdict.made_at_us),
                verdict.made_by,
                says(verdict),
                moves(verdict.moved) or "–",
                state(verdict),
                verdict.reason,
            )
            for verdict in found
        ],
    )
    if not found:
        whom = "" if of is None else f" about {sighting_name(of)}"
        print_line(f"Nobody has decided anything{whom} yet; see `noctule verdict --help`.")


@app.command("export")
def export_pairs(
    out: Annotated[Path, typer.Argument(help="Folder to write; must not exist or be empty.")],
    operator: OperatorOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Write pairs of pictures that operators told together or apart, and a training folder.

    Example: noctule verdict export pairs/ && noctule train --data pairs/
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageInvalid(f"{out}: expected a folder that is empty or does not exist yet")
    site = read_config(config).storage
    evidence = EvidenceStore(site.evidence, reserve_mb=site.reserve_mb)
    with desk(config, operator) as at:
        written = write_pairs(at.database, evidence, out, by=at.by, now_us=at.now_us)
    if as_json:
        print_json(
            {
                "folder": str(out),
                "same": written.n_same,
                "different": written.n_different,
                "persons": written.n_persons,
                "pictures": written.n_pictures,
                "lost": written.n_lost,
            }
        )
        return
    print_line(
        f"{out / PAIRS}: {written.n_same} pairs of one person, {written.n_different} of two; "
        f"{written.n_pictures} pictures of {written.n_persons} persons"
    )
    if written.n_lost:
        print_line(f"{written.n_lost} pictures are not in the evidence any more")


def _tell(at: Desk, said: Verdict, words: str, as_json: bool) -> None:
    """The answer to whoever decided, with the way back."""
    if as_json:
        print_json(verdict_json(said))
        return
    name = verdict_name(said.id)
    n = sum(move.before != move.after for move in said.moved)
    moved = f"{n} {'visit' if n == 1 else 'visits'} moved"
    print_line(f"{words}; {moved} ({name}; undo with `noctule verdict undo {name}`)")
    for older in said.contradicts:
        other = find_verdict(at.database, older)
        print_line(
            f"{name} contradicts {verdict_name(older)} ({other.kind}, {other.made_by}, "
            f"{clock_time(other.made_at_us)} UTC); the newer counts until it is undone"
        )


def _is_person(word: str) -> bool:
    """Where a visit may stand as well, a bare number is neither."""
    return word.strip().upper().startswith("P")


def _visit(word: str) -> SightingId:
    return SightingId(_number(_VISIT, word, "the name of a visit; expected one like S123"))


def _number(pattern: re.Pattern[str], word: str, what: str) -> int:
    found = pattern.fullmatch(word.strip())
    if found is None:
        raise UsageInvalid(f"{word!r} is not {what}")
    return int(found[1])
