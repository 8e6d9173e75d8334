"""noctule simulate: film made-up people in made-up places, with the truth of who is where."""

from __future__ import annotations

import os
import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from simulator.filming.catalogue import DEFAULT, PERIODS, SCENARIOS

_SIZE = re.compile(r"(\d+)x(\d+)")
_LEAST_PX, _MOST_PX = 32, 4096


class Weather(StrEnum):
    """Over the places outdoors."""

    FAIR = "fair"
    RAIN = "rain"


class _Scenarios(TyperGroup):
    """Options without a scenario's name are for the default one."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0].startswith("-") and args[0] not in ("--help", "--list"):
            args = [DEFAULT, *args]
        elif args and args[0] not in self.commands and not args[0].startswith("-"):
            raise typer.BadParameter(
                f"{args[0]!r}: no such scenario; there are {', '.join(self.commands)}"
            )
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_Scenarios,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Film made-up people by day and night, and write down exactly who is where. Without a "
    f"name it is `{DEFAULT}`. Needs `pip install 'noctule[simulator]'` and ffmpeg.",
    epilog="Example: noctule simulate lobby --seed 3 --people 4 --minutes 0.5 --out lobby && "
    "noctule run --config lobby/config.yaml",
)


@app.callback(invoke_without_command=True)
def _scenarios(
    ctx: typer.Context,
    names: Annotated[bool, typer.Option("--list", help="Only name the scenarios.")] = False,
) -> None:
    if names:
        for name, summary in SCENARIOS.items():
            typer.echo(f"{name:9}{summary}")
        raise typer.Exit
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())
        raise typer.Exit


def film(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option("--out", help="Folder to write into; made when missing.")],
    seed: Annotated[int, typer.Option(min=0, help="Another seed: other people, other ways.")] = 1,
    people: Annotated[
        int | None,
        typer.Option(min=1, max=2000, help="How many take part. Default: the scenario's."),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(min=0.01, help="Length of every video, per period. Default: the scenario's."),
    ] = None,
    period: Annotated[
        str | None, typer.Option(help=f"Only these hours, of {','.join(PERIODS)}.")
    ] = None,
    camera: Annotated[
        list[str] | None, typer.Option(help="Only this camera or video (repeatable).")
    ] = None,
    size: Annotated[str, typer.Option(help="Width x height of the pictures.")] = "640x360",
    fps: Annotated[int | None, typer.Option(min=1, max=60, help="Default: the scenario's.")] = None,
    bitrate: Annotated[
        int | None,
        typer.Option(min=16, help="H.264 kbit/s as a camera sends them. Default: good quality."),
    ] = None,
    weather: Annotated[Weather, typer.Option(help="Indoors does not care.")] = Weather.FAIR,
    headlights: Annotated[
        bool, typer.Option("--headlights", help="Cars pass at dusk and at night, outdoors.")
    ] = False,
    thermal: Annotated[bool, typer.Option("--thermal", help="Also thermal cameras.")] = False,
    motion_blur: Annotated[
        int,
        typer.Option(min=1, max=16, help="Exposures averaged per picture; costs as many times."),
    ] = 1,
    uniformed: Annotated[float, typer.Option(min=0, max=1, help="Share in uniform.")] = 0.0,
    alike: Annotated[
        float, typer.Option(min=0, max=1, help="Share that looks like another.")
    ] = 0.2,
    changing: Annotated[
        float, typer.Option(min=0, max=1, help="Share that puts a coat on or off by night.")
    ] = 0.0,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes. Default: one per core.")
    ] = None,
    bare: Annotated[
        bool | None,
        typer.Option(
            "--bare/--full",
            help="Only videos and their truth; no index, configuration, sheet and floor plans. "
            "Default: bare for demo.",
        ),
    ] = None,
    serve: Annotated[
        bool, typer.Option("--serve", help="Afterwards play the cameras as live RTSP.")
    ] = False,
    accelerate: Annotated[
        float, typer.Option(min=0.1, help="Time lapse of --serve: 60 shows an hour in a minute.")
    ] = 1.0,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of --serve.")] = 8554,
) -> None:
    """Film a scenario."""
    from simulator.filming.job import Order
    from simulator.filming.plan import Casting
    from simulator.filming.take import Settings
    from simulator.progress import film_with_bar

    order = Order(
        scenario=str(ctx.command.name),
        seed=seed,
        n_people=people,
        minutes=minutes,
        hours=_hours(period),
        cameras=tuple(camera) if camera else None,
        casting=Casting(uniformed=uniformed, alike=alike, changing=changing),
        settings=Settings(
            size_px=_size(size),
            fps=fps,
            bitrate_kbps=bitrate,
            with_thermal=thermal,
            is_raining=weather is Weather.RAIN,
            with_headlights=headlights,
            motion_blur=motion_blur,
        ),
        jobs=jobs or len(os.sched_getaffinity(0)),
        is_bare=bare,
    )
    film_with_bar(order, out)
    if serve:
        from simulator.broadcast import serve as play

        play(out, accelerate=accelerate, port=port)


def crops(
    out: Annotated[Path, typer.Option("--out", help="Folder to write into; made when missing.")],
    identities: Annotated[int, typer.Option(min=1, help="How many people.")] = 500,
    first: Annotated[int, typer.Option(min=1, help="Number of the first of them.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Another seed: other people.")] = 11,
    visible: Annotated[int, typer.Option(min=0, help="Visible crops per identity.")] = 8,
    infrared: Annotated[int, typer.Option(min=0, help="Near-infrared crops per identity.")] = 12,
    thermal: Annotated[int, typer.Option(min=0, help="Thermal crops per identity.")] = 0,
    cameras: Annotated[int, typer.Option(min=1, help="Cameras per modality.")] = 4,
    size: Annotated[str, typer.Option(help="Height x width of a crop.")] = "256x128",
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes. Default: one per core.")
    ] = None,
) -> None:
    """Write crops of many people to train re-identification; goes on where it stopped.

    Example: noctule simulate crops --out crops --identities 500 --seed 11
    """
    from simulator.progress import crops_with_bar

    height, width = _size(size)
    crops_with_bar(
        out,
        identities=range(first, first + identities),
        seed=seed,
        visible=visible,
        infrared=infrared,
        thermal=thermal,
        cameras=cameras,
        size_hw=(height, width),
        jobs=jobs or len(os.sched_getaffinity(0)),
    )


for _name, _summary in SCENARIOS.items():
    app.command(
        _name,
        help=f"{_summary}\n\nExample: noctule simulate {_name} --seed 3 --out {_name}",
        short_help=_summary,
    )(film)
app.command()(crops)


def _size(text: str) -> tuple[int, int]:
    found = _SIZE.fullmatch(text)
    sides = (int(found[1]), int(found[2])) if found else (0, 0)
    if not all(_LEAST_PX <= side <= _MOST_PX and side % 2 == 0 for side in sides):
        raise typer.BadParameter(
            f"{text!r}: expected two sides such as 640x360, even numbers from {_LEAST_PX} to "
            f"{_MOST_PX}",
            param_hint="--size",
        )
    return sides


def _hours(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    names = tuple(name.strip() for name in text.split(","))
    wrong = [name for name in names if name not in PERIODS]
    if wrong:
        raise typer.BadParameter(
            f"{wrong[0]!r}: expected some of {','.join(PERIODS)}", param_hint="--period"
        )
    return names
