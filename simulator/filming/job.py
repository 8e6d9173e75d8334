"""One order of footage: planned, filmed, and laid out in a folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from simulator.errors import OrderInvalid
from simulator.filming.catalogue import SCENARIOS
from simulator.filming.folder import write_config, write_index
from simulator.filming.map import write_maps
from simulator.filming.plan import Casting, Plan, plan
from simulator.filming.scenario import Hour, scenario
from simulator.filming.sheet import write_sheet
from simulator.filming.take import Settings, Take, takes

SHEET = "people.png"
_BARE = ("demo",)
"""Its footage is part of the package, and the project's own `config.yaml` watches it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What somebody wants filmed; None leaves it to the scenario.

    Attributes:
        hours, cameras: Only these.
        is_bare: Write nothing but videos and their truth.
    """

    scenario: str
    seed: int
    settings: Settings
    casting: Casting
    n_people: int | None = None
    minutes: float | None = None
    hours: Sequence[str] | None = None
    cameras: Sequence[str] | None = None
    jobs: int = 1
    is_bare: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """An order that can be carried out.

    Attributes:
        takes: At least one.
    """

    plan: Plan
    takes: tuple[Take, ...]
    jobs: int
    is_bare: bool


def prepare(order: Order) -> Job:
    """Plan an order.

    Raises:
        OrderInvalid: Nothing can be filmed as it was asked for; the message says what could.
    """
    if order.scenario not in SCENARIOS:
        raise OrderInvalid(f"{order.scenario}: no such scenario; there are {', '.join(SCENARIOS)}")
    chosen = scenario(order.scenario)
    try:
        planned = plan(
            chosen,
            seed=order.seed,
            n_people=order.n_people,
            minutes=order.minutes,
            casting=order.casting,
        )
    except ValueError as error:
        raise OrderInvalid(str(error)) from None
    possible = takes(planned, order.settings, casting=order.casting)
    wanted = takes(
        planned,
        order.settings,
        casting=order.casting,
        hours=None if order.hours is None else tuple(Hour(hour) for hour in order.hours),
        cameras=order.cameras,
    )
    cameras = dict.fromkeys(take.camera.name for take in possible)
    known = {*cameras, *(take.video for take in possible)}
    for name in order.cameras or ():
        if name not in known:
            raise OrderInvalid(
                f"{name}: no such camera in {chosen.name}; there are {', '.join(cameras)}"
            )
    if not wanted:
        hours = ", ".join(period.hour for period in chosen.periods)
        raise OrderInvalid(f"{chosen.name}: nothing to film then; it is filmed at {hours}")
    is_bare = order.scenario in _BARE if order.is_bare is None else order.is_bare
    return Job(plan=planned, takes=wanted, jobs=order.jobs, is_bare=is_bare)


def lay_out(job: Job, out: Path) -> list[Path]:
    """Write what lies beside the finished videos; the paths."""
    if job.is_bare:
        return []
    sheet = out / SHEET
    write_sheet(out, [take.video for take in job.takes], sheet)
    return [
        write_config(job.takes, out, transit=job.plan.scenario.transit),
        write_index(job.plan, job.takes, out),
        sheet,
        *write_maps(job.takes, out),
    ]
