"""noctule config: is the configuration right, what does it say, what can be set."""

from __future__ import annotations

import json

import typer
import yaml

from pipeline.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption, read_config
from pipeline.cli.output import print_json, print_line
from pipeline.config import SiteConfig
from pipeline.manual import manual

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Check or show the configuration. Example: noctule config check --config config.yaml",
)


@app.command()
def check(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Say whether the file is right; exit code 2 and the line of each mistake if not.

    Example: noctule config check --config config.yaml
    """
    site = read_config(config)
    print_line(f"{config}: right; {len(site.cameras)} cameras")


@app.command()
def show(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """All settings in force, defaults included, secrets masked.

    Example: noctule config show
    """
    values = json.loads(_masked(read_config(config)))
    if as_json:
        print_json(values)
    else:
        print_line(yaml.safe_dump(values, sort_keys=False, allow_unicode=True).rstrip())


@app.command("manual")
def show_manual() -> None:
    """Every key with its default, unit and meaning, as a file to start from.

    Example: noctule config manual > config.yaml
    """
    print_line(manual(SiteConfig()).rstrip())


def _masked(site: SiteConfig) -> str:
    return site.model_dump_json()
