"""noctule db: prepare, prove and measure the database."""

from __future__ import annotations

from dataclasses import asdict

import typer

from pipeline.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption, read_config
from pipeline.cli.output import clock_time, print_json, print_line
from storage.address import read_address
from storage.check import check as find_problems
from storage.database import open_database, upgrade
from storage.evidence import EvidenceStore
from storage.stats import stats as measure

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
