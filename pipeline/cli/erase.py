"""noctule erase: delete all that is known of a person, and give a receipt."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from pipeline.cli.asking import typed_person, write_down
from pipeline.cli.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    JsonOption,
    OperatorOption,
    name_operator,
    read_config,
)
from pipeline.cli.output import clock_time, print_json, print_line
from pipeline.errors import UsageInvalid
from storage.database import open_database
from storage.erasure import ErasurePlan, Receipt, plan_erasure
from storage.erasure import erase as erase_person
from storage.evidence import EvidenceStore
from storage.types import person_name
from streams.clock import SystemClock
from streams.moments import iso_time

BACKUPS = (
    "Backups and recordings made before still hold this person: delete them, or erase again "
    "whenever one is restored or replayed."
)


def erase(
    person: Annotated[str, typer.Argument(help="A person, such as P-0007 or 7.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, in your words.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what would be deleted.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    with_unsure: Annotated[
        bool,
        typer.Option("--with-unsure", help="Also unsure visits that most resemble this person."),
    ] = False,
    wipe: Annotated[
        bool,
        typer.Option(
            "--wipe/--no-wipe",
            help="Rewrite the database's files if no watcher runs; --no-wipe: `noctule db expire "
            "--wipe` does it later, once for many persons.",
        ),
    ] = True,
    operator: OperatorOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Delete a person's visits, links, vectors and pictures for good; the number stays, empty.

    Prints a receipt. Exit code 1 if something is still on the disk.

    Example: noctule erase P-0007 --reason "asked for it, letter of 1 June" --as ada
    """
    if not reason.strip():
        raise UsageInvalid("--reason: expected a few words; whoever reads it later was not there")
    if not (yes or dry_run) and (as_json or not sys.stdin.isatty()):
        raise UsageInvalid("--yes: say it where nobody can be asked, or look with --dry-run first")
    who = name_operator(operator)
    identity = typed_person(person)
    storage = read_config(config).storage
    evidence = EvidenceStore(storage.evidence, reserve_mb=storage.reserve_mb)
    with open_database(storage.database.get_secret_value()) as database:
        write_down(database, who, "erase --dry-run", person_name(identity), reason=reason)
        plan = plan_erasure(database, identity, with_unsure=with_unsure)
        if dry_run:
            _tell_plan(plan, with_unsure=with_unsure, as_json=as_json)
            return
        if not yes:
            _tell_plan(plan, with_unsure=with_unsure, as_json=False)
            typer.confirm("Delete all this for good?", abort=True)
        receipt = erase_person(
            database,
            evidence,
            identity,
            reason=reason.strip(),
            made_by=who,
            now_us=SystemClock().now_us(),
            index=storage.index_folder,
            with_unsure=with_unsure,
            rewrite=wipe,
        )
    _tell_receipt(receipt, plan, with_unsure=with_unsure, as_json=as_json)
    if receipt.undeleted:
        raise typer.Exit(1)


def _tell_plan(plan: ErasurePlan, *, with_unsure: bool, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "identity": person_name(plan.identity),
                "n_sightings": plan.n_sightings,
                "n_exemplars": plan.n_exemplars,
                "n_pictures": plan.n_pictures,
                "n_shared_pictures": plan.n_shared,
                "n_alerts": plan.n_alerts,
                "n_interests": plan.n_interests,
                "n_recordings_left": plan.n_recordings,
                "n_unsure": plan.n_unsure,
                "holds": [str(hold) for hold in plan.holds],
                "exports": _exports(plan),
            }
        )
        return
    print_line(
        f"{person_name(plan.identity)}: {plan.n_sightings} visits, {plan.n_exemplars} vectors and "
        f"{plan.n_pictures} pictures would be deleted."
    )
    if plan.n_alerts or plan.n_interests:
        print_line(
            f"{plan.n_alerts} alerts would lose who, words and picture; {plan.n_interests} entries "
            "of the list of persons of interest would be deleted."
        )
    for hold in plan.holds:
        print_line(f"Refused while it holds: {hold}.")
    _tell_rest(plan, with_unsure=with_unsure)


def _tell_receipt(receipt: Receipt, plan: ErasurePlan, *, with_unsure: bool, as_json: bool) -> None:
    erasure = receipt.erasure
    if as_json:
        print_json(
            {
                "identity": person_name(erasure.identity),
                "erased_at": iso_time(erasure.at_us),
                "by": erasure.made_by,
                "reason": erasure.reason,
                "n_sightings": erasure.n_sightings,
                "n_exemplars": erasure.n_exemplars,
                "n_pictures": erasure.n_pictures,
                "n_files_deleted": receipt.n_files,
                "undeleted": list(receipt.undeleted),
                "proof": erasure.proof,
                "file_rewritten": receipt.wiped.file,
                "log_emptied": receipt.wiped.log,
                "advice": [*receipt.wiped.advice, BACKUPS],
                "n_unsure_left": 0 if with_unsure else plan.n_unsure,
                "n_recordings_left": plan.n_recordings,
                "exports": _exports(plan),
            }
        )
        return
    print_line(f"{erasure}.")
    print_line(
        f"Deleted: {erasure.n_sightings} visits, {erasure.n_exemplars} vectors, "
        f"{erasure.n_pictures} pictures."
    )
    print_line(f"Proof: {erasure.proof}")
    for what in receipt.undeleted:
        print_line(f"Still on the disk: {what}. Mend it, then run `noctule db expire`.")
    for sentence in receipt.wiped.advice:
        print_line(f"{sentence[0].upper()}{sentence[1:]}.")
    _tell_rest(plan, with_unsure=with_unsure)
    print_line(BACKUPS)


def _tell_rest(plan: ErasurePlan, *, with_unsure: bool) -> None:
    if plan.n_shared:
        print_line(f"{plan.n_shared} pictures stay: visits of other persons show them too.")
    if plan.n_unsure and not with_unsure:
        print_line(
            f"{plan.n_unsure} unsure visits most resemble this person and stay: look at them, or "
            "use --with-unsure."
        )
    if plan.n_recordings:
        print_line(
            f"{plan.n_recordings} recorded files may show this person and stay until they expire: "
            "they show others too."
        )
    for entry in plan.exports:
        print_line(
            f"Was exported on {clock_time(entry.at_us)} UTC by {entry.who} ({entry.action}): that "
            "copy is beyond our reach."
        )


def _exports(plan: ErasurePlan) -> list[dict[str, object]]:
    return [
        {"at": iso_time(entry.at_us), "by": entry.who, "action": entry.action, **entry.detail}
        for entry in plan.exports
    ]
