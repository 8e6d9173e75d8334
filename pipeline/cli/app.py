"""The `noctule` command: registers the verbs, turns errors into one line and an exit code."""

from __future__ import annotations

import os
import sys
from importlib.metadata import entry_points, version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from pipeline.cli import (
    alerts,
    audit,
    calibrate,
    camera,
    clip,
    config,
    data,
    database,
    deliveries,
    embed,
    erase,
    evaluate,
    expire,
    export,
    hold,
    query,
    refine,
    run,
    search,
    serve,
    topology,
    track,
    train,
    user,
    vectors,
    verdict,
)
from pipeline.cli.output import visible
from pipeline.errors import UsageInvalid
from streams.errors import ConfigInvalid, NoctuleError

_DONE, _FAILED, _USAGE = 0, 1, 2
_VERBS = "noctule.commands"
"""Entry point group of verbs that other packages add, each a `typer.Typer`."""


class _Verbs(TyperGroup):
    """Our verbs and those of installed packages, which are loaded when they are asked for.

    The types are click's, which typer brings along under another name.
    """

    def list_commands(self, ctx: Any) -> list[str]:
        """Names of all verbs; ours first."""
        own = super().list_commands(ctx)
        return own + sorted(set(entry_points(group=_VERBS).names) - set(own))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The verb called `cmd_name`, or None."""
        own = super().get_command(ctx, cmd_name)
        found = [verb for verb in entry_points(group=_VERBS) if verb.name == cmd_name]
        if own is not None or not found:
            return own
        command = typer.main.get_command(found[0].load())
        command.name = cmd_name
        return command


app = typer.Typer(
    name="noctule",
    cls=_Verbs,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Follows a person through day and night across visible and infrared cameras.",
    epilog="Exit codes: 0 done, 1 failed (one line says why and what to do), 2 wrong usage or "
    "configuration. Times are UTC unless they carry an offset. Example: "
    "noctule run --config config.yaml && noctule query identities",
)
app.command()(run.run)
app.command()(run.replay)
app.command()(serve.serve)
app.add_typer(user.app, name="user")
app.add_typer(query.app, name="query")
app.add_typer(verdict.app, name="verdict")
app.command()(search.search)
app.command()(refine.refine)
app.command()(topology.topology)
app.command()(track.track)
app.command()(embed.embed)
app.command()(export.export)
app.command()(calibrate.calibrate)
app.command()(train.train)
app.add_typer(data.app, name="data")
app.add_typer(evaluate.app, name="evaluate")
app.add_typer(camera.app, name="camera")
app.add_typer(alerts.app, name="alerts")
app.command()(deliveries.deliver)
app.add_typer(deliveries.app, name="deliveries")
app.command()(clip.clip)
app.command()(erase.erase)
app.add_typer(hold.app, name="hold")
app.command()(audit.audit)
database.app.command("expire")(expire.expire)
database.app.command("index")(vectors.index)
database.app.command("reembed")(vectors.reembed)
app.add_typer(database.app, name="db")
app.add_typer(config.app, name="config")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"noctule {version('noctule')}")
        raise typer.Exit


@app.callback()
def _options(
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the trace of an error; works after any verb.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show it.")
    ] = False,
) -> None:
    """Options that every verb takes."""


def main() -> None:
    """Entry point of the console script."""
    arguments = sys.argv[1:]
    debug = "--debug" in arguments
    sys.argv[1:] = [argument for argument in arguments if argument != "--debug"]
    try:
        app()
    except NoctuleError as error:
        if debug:
            raise
        print(visible(f"noctule: {error}"), file=sys.stderr)  # noqa: T201
        sys.exit(_USAGE if isinstance(error, UsageInvalid | ConfigInvalid) else _FAILED)
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(_FAILED)
    sys.exit(_DONE)
