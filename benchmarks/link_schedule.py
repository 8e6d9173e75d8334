"""A made-up site: eight cameras, people who come, walk, leave and come back by night.

Pure and seeded. Only who walks where and when is made up; the pictures are somebody else's matter.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from streams.types import CameraId, Modality

DAY_STARTS_US = 1_780_322_400_000_000  # 2026-06-01 14:00 UTC
NIGHT_AFTER_US = 8 * 3_600_000_000
ENTRANCES = ("gate", "ramp", "dock")
DOORS: dict[tuple[str, str], float] = {
    ("gate", "plaza"): -4.0,
    ("plaza", "hall"): 25.0,
    ("plaza", "yard"): 40.0,
    ("hall", "stairs"): 12.0,
    ("stairs", "office"): 20.0,
    ("yard", "dock"): 55.0,
    ("dock", "ramp"): 30.0,
    ("hall", "dock"): 90.0,
}
"""Median seconds between leaving one camera and showing in the next; negative: both see the same
ground for so long. The same in both directions."""
OVERLAPPING = (("gate", "plaza"),)
LENS = {
    name: number % 4 + 1
    for number, name in enumerate(
        ("gate", "plaza", "hall", "dock", "yard", "stairs", "office", "ramp")
    )
}
"""Which of the four rendered cameras each camera's pictures come from."""
SPREAD = 0.25
"""Of the logarithm of transit times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """Shares and times of what people do; all in [0, 1] but where a unit is named.

    Attributes:
        per_hour: People who come per hour.
        by_day, by_night: Who comes at all; whoever would never come comes by day.
        twice: Who leaves and walks through once more by day.
        dawdling: Transits that take minutes instead: somebody stopped on the way.
        accompanied: Who walks beside the person before.
        brief: Visits of a second or two.
        far: Visits seen from far away, small and soft.
        broken: Visits that the tracker tears in two.
    """

    per_hour: float = 30.0
    by_day: float = 0.85
    by_night: float = 0.7
    twice: float = 0.25
    dawdling: float = 0.05
    accompanied: float = 0.15
    brief: float = 0.15
    far: float = 0.15
    broken: float = 0.08


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One person before one camera.

    Attributes:
        enters, leaves: Neighbouring camera that the person comes from and goes to; None: the
            world outside, or a room without a camera.
    """

    person: str
    camera: CameraId
    modality: Modality
    first_us: int
    last_us: int
    enters: str | None
    leaves: str | None
    is_brief: bool
    is_far: bool


def schedule(people: Sequence[str], *, seed: int, habits: Habits) -> list[Visit]:
    """Everybody's visits, by the time they begin."""
    rng = np.random.default_rng([seed, 1])
    order = list(rng.permutation(np.array(people)))
    visits: list[Visit] = []
    for modality, starts_us in (
        (Modality.VISIBLE, DAY_STARTS_US),
        (Modality.INFRARED, DAY_STARTS_US + NIGHT_AFTER_US),
    ):
        before: tuple[int, list[str]] | None = None
        for person in order:
            # Drawn for both lights at once, so that nobody stays away for ever.
            luck = np.random.default_rng([seed, 2, int(person)]).random(2)
            comes_by_night = luck[1] < habits.by_night
            comes_by_day = luck[0] < habits.by_day or not comes_by_night
            if not (comes_by_day if modality is Modality.VISIBLE else comes_by_night):
                continue
            if before is not None and rng.random() < habits.accompanied:
                start_us, route = before[0] + int(rng.uniform(0.5e6, 2e6)), before[1]
            else:
                hours = len(people) / habits.per_hour
                start_us, route = starts_us + int(rng.uniform(0, hours) * 3.6e9), _route(rng)
            before = (start_us, route)
            end_us = _walk(visits, person, modality, start_us, route, rng, habits)
            if modality is Modality.VISIBLE and rng.random() < habits.twice:
                again_us = end_us + int(rng.uniform(600e6, 3600e6))
                _walk(visits, person, modality, again_us, _route(rng), rng, habits)
    return sorted(visits, key=lambda visit: (visit.first_us, visit.person))


def _route(rng: np.random.Generator) -> list[str]:
    """From one entrance to another, or into the office and not seen to leave."""
    start = str(rng.choice(ENTRANCES))
    goals = [name for name in (*ENTRANCES, "office") if name != start]
    return _shortest(start, str(rng.choice(goals)))


def _shortest(start: str, goal: str) -> list[str]:
    paths = deque([[start]])
    while paths[0][-1] != goal:
        path = paths.popleft()
        beside = [b if a == path[-1] else a for a, b in DOORS if path[-1] in (a, b)]
        paths.extend([*path, name] for name in beside if name not in path)
    return paths[0]


def _walk(
    visits: list[Visit],
    person: str,
    modality: Modality,
    start_us: int,
    route: list[str],
    rng: np.random.Generator,
    habits: Habits,
) -> int:
    """Append the visits of one walk; returns when it ended."""
    now_us = start_us
    for place, name in enumerate(route):
        is_brief = rng.random() < habits.brief
        lasts_s = rng.uniform(1.0, 2.5) if is_brief else 9 * np.exp(rng.normal(0, 0.45))
        last_us = now_us + int(min(lasts_s, 28.0) * 1e6)
        after = route[place + 1] if place + 1 < len(route) else None
        visits.append(
            Visit(
                person=person,
                camera=CameraId(name),
                modality=modality,
                first_us=now_us,
                last_us=last_us,
                enters=route[place - 1] if place else None,
                leaves=after,
                is_brief=is_brief,
                is_far=rng.random() < habits.far,
            )
        )
        if after is None:
            break
        transit_s = DOORS.get((name, after), DOORS.get((after, name), 0.0))
        if transit_s < 0:
            now_us = max(last_us + int(transit_s * 1e6), now_us + 500_000)
            continue
        if rng.random() < habits.dawdling:
            transit_s += rng.uniform(120, 900)
        now_us = last_us + int(transit_s * np.exp(rng.normal(0, SPREAD)) * 1e6)
    return last_us
