"""noctule db: prepare, prove and measure the database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from pipeline.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption, read_config
from pipeline.cli.output import clock_time, print_json, print_line, progress_console
from pipeline.errors import UsageInvalid
from storage.address import expand, read_address
from storage.backup import Manifest, make_backup, restore_backup
from storage.check import check as find_problems
from storage.copying import CopiedTable, CopyProgress, Told, copy_database
from storage.database import open_database, upgrade
from storage.evidence import EvidenceStore
from storage.stats import stats as measure
from streams.clock import SystemClock

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Look after the database. Example: noctule db check",
)


@app.command("upgrade")
def upgrade_database(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Bring the database to this program's schema; makes it when missing.

    Example: noctule db upgrade --config config.yaml
    """
    site = read_config(config)
    upgrade(site.storage.database.get_secret_value())
    print_line(f"{read_address(site.storage.database.get_secret_value())}: up to date")


@app.command("check")
def check_database(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Prove every invariant of the database and its evidence; exit code 1 if one is broken.

    Example: noctule db check
    """
    storage = read_config(config).storage
    with open_database(storage.database.get_secret_value()) as database:
        evidence = EvidenceStore(storage.evidence, reserve_mb=storage.reserve_mb)
        problems = find_problems(database, evidence)
    if as_json:
        print_json([asdict(problem) for problem in problems])
    else:
        for problem in problems:
            print_line(str(problem))
        verdict = "sound" if not problems else f"{len(problems)} problems"
        print_line(f"{read_address(storage.database.get_secret_value())}: {verdict}")
    if any(problem.is_error for problem in problems):
        raise typer.Exit(1)


@app.command("stats")
def show_stats(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """How much is stored, from when to when.

    Example: noctule db stats --json
    """
    storage = read_config(config).storage
    with open_database(storage.database.get_secret_value()) as database:
        evidence = EvidenceStore(storage.evidence, reserve_mb=storage.reserve_mb)
        found = asdict(measure(database, evidence))
    if as_json:
        print_json(found)
        return
    for name, value in found.items():
        is_time = name.endswith("_us") and value is not None
        print_line(f"{name.removesuffix('_us'):<24}{clock_time(value) if is_time else value}")


@app.command("copy")
def copy(
    source: Annotated[str, typer.Argument(metavar="FROM", help="Address of the database to read.")],
    target: Annotated[str, typer.Argument(metavar="TO", help="Address of an empty one.")],
    as_json: JsonOption = False,
) -> None:
    """Move a database, also between SQLite and PostgreSQL: all rows, all numbers, proven.

    Addresses are written as storage.database is; ${NAME} is taken from the environment. Stop the
    watcher first: what it writes meanwhile is not copied. The evidence folder is not touched and
    serves the copy too; then change storage.database.

    Example: noctule db copy sqlite:///site/noctule.db 'postgresql://op:${DB_PASSWORD}@db/noctule'
    """
    from_url, to_url = _expanded(source), _expanded(target)
    with open_database(from_url) as database, _bar() as told:
        tables = copy_database(database, to_url, told=told)
    if as_json:
        print_json([asdict(table) for table in tables])
        return
    _print_tables(tables)
    print_line(f"{read_address(to_url)} now holds all of {read_address(from_url)}, proven")


@app.command("backup")
def backup(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder.")],
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Keep database and pictures in a new folder, as they are at this moment; a watcher may run.

    Example: noctule db backup /mnt/backup/noctule-2026-06-01
    """
    storage = read_config(config).storage
    evidence = EvidenceStore(storage.evidence, reserve_mb=storage.reserve_mb)
    now_us = SystemClock().now_us()
    with open_database(storage.database.get_secret_value()) as database, _bar() as told:
        made = make_backup(database, evidence, folder.absolute(), now_us=now_us, told=told)
    _print_manifest(made, f"{folder} holds {made.n_pictures} pictures and", as_json=as_json)


@app.command("restore")
def restore(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder of `db backup`.")],
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Prove a backup and bring it back into the configured, empty database and evidence folder.

    Example: noctule db restore /mnt/backup/noctule-2026-06-01
    """
    storage = read_config(config).storage
    evidence = EvidenceStore(storage.evidence, reserve_mb=storage.reserve_mb)
    with _bar() as told:
        url = storage.database.get_secret_value()
        made = restore_backup(folder.absolute(), url, evidence, told=told)
    words = f"restored {made.n_pictures} pictures and, as of {clock_time(made.made_at_us)} UTC,"
    _print_manifest(made, words, as_json=as_json)


def _expanded(url: str) -> str:
    try:
        return expand(url)
    except ValueError as error:
        raise UsageInvalid(str(error)) from None


@contextmanager
def _bar() -> Iterator[Told]:
    with Progress(console=progress_console, transient=True) as progress:
        task = progress.add_task("", total=None)

        def told(state: CopyProgress) -> None:
            progress.update(
                task, description=state.table, completed=state.n_rows, total=state.n_expected
            )

        yield told


def _print_manifest(made: Manifest, words: str, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(made))
        return
    for sha256 in made.missing:
        print_line(f"warning: picture {sha256} was lost or torn before; the backup is without it")
    print_line(f"{words} these rows, schema {made.schema}:")
    _print_tables(made.tables)


def _print_tables(tables: Sequence[CopiedTable]) -> None:
    for table in tables:
        print_line(f"{table.name:<24}{table.n_rows}")
