"""Who walks where and when: drawn from a seed, the same every time, without drawing anything.

A period begins with people on their way. Parties of one to three walk from door to door, each on
the right-hand side, leave, and come back after a while or turn up in the next place after a time
of transit. Nobody is in two places at once; ways that would lead through somebody are not taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from simulator.figures.company import Character, company
from simulator.filming.crowd import Crowd, Party
from simulator.filming.scenario import Hour, Period, Scenario
from simulator.world.places import Place, Route
from simulator.world.walks import Walk, Way

_PARTY_SIZES = (0.5, 0.32, 0.18)
_AWAY_MEDIAN_S = 14.0
_AWAY_SPREAD = 0.6
_GOES_ON = 0.7
_TRIES = 12
_TRY_LATER_S = 2.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Casting:
    """Shares of people, see `figures.company`."""

    uniformed: float = 0.0
    alike: float = 0.2
    changing: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that happens.

    Attributes:
        people: By identity, from 1.
        parties: Identities that walk together.
        walks: By hour and name of the place; a walk may begin before the first frame.
    """

    scenario: Scenario
    seed: int
    minutes: float
    people: Mapping[int, Character]
    parties: tuple[tuple[int, ...], ...]
    walks: Mapping[tuple[Hour, str], tuple[Walk, ...]] = field(default_factory=dict)

    @property
    def lasts_s(self) -> float:
        """Length of each period."""
        return self.minutes * 60


def plan(
    scenario: Scenario,
    *,
    seed: int,
    n_people: int | None = None,
    minutes: float | None = None,
    casting: Casting | None = None,
) -> Plan:
    """What happens in `scenario`; None takes the scenario's own number.

    Raises:
        ValueError: If a scenario with its own cast has fewer people, or `casting` does not add up.
    """
    n_people = scenario.n_people if n_people is None else n_people
    minutes = scenario.minutes if minutes is None else minutes
    casting = casting or Casting()
    if scenario.cast:
        return _scripted(scenario, seed=seed, n_people=n_people, minutes=minutes)
    cast = company(
        n_people,
        seed=seed,
        uniformed=casting.uniformed,
        alike=casting.alike,
        changing=casting.changing,
    )
    people = dict(enumerate(cast, start=1))
    rng = np.random.default_rng([seed, *scenario.name.encode()])
    parties = tuple(_parties(sorted(people), rng))
    walks: dict[tuple[Hour, str], tuple[Walk, ...]] = {}
    for period in scenario.periods:
        rng = np.random.default_rng([seed, *scenario.name.encode(), *period.hour.encode()])
        walks |= _walks(scenario, period, people, parties, minutes * 60, rng)
    return Plan(
        scenario=scenario,
        seed=seed,
        minutes=minutes,
        people=people,
        parties=parties,
        walks=walks,
    )


def _scripted(scenario: Scenario, *, seed: int, n_people: int, minutes: float) -> Plan:
    if n_people > len(scenario.cast):
        raise ValueError(
            f"{scenario.name}: it has {len(scenario.cast)} people, {n_people} were asked for; "
            "take another scenario for more"
        )
    rng = np.random.default_rng([seed, *scenario.name.encode()])
    walks = {}
    for period in scenario.periods:
        for place in period.places:
            phased = [replace(walk, phase=rng.random()) for walk in scenario.script[place]]
            walks[period.hour, place] = tuple(w for w in phased if w.identity <= n_people)
    people = dict(enumerate(scenario.cast[:n_people], start=1))
    return Plan(
        scenario=scenario,
        seed=seed,
        minutes=minutes,
        people=people,
        parties=tuple((identity,) for identity in people),
        walks=walks,
    )


def _parties(identities: list[int], rng: np.random.Generator) -> Iterator[tuple[int, ...]]:
    waiting = list(identities)
    while waiting:
        size = 1 + int(rng.choice(len(_PARTY_SIZES), p=_PARTY_SIZES))
        yield tuple(waiting[:size])
        waiting = waiting[size:]


def _walks(
    scenario: Scenario,
    period: Period,
    people: Mapping[int, Character],
    parties: tuple[tuple[int, ...], ...],
    lasts_s: float,
    rng: np.random.Generator,
) -> dict[tuple[Hour, str], tuple[Walk, ...]]:
    """By hour and place, everybody's walks in one period."""
    crowds = {name: Crowd(scenario.place(name)) for name in period.places}
    for identities in parties:
        is_changed = {i: _outfit(people[i], period.hour) for i in identities}
        party = Party.of({i: people[i] for i in identities}, outfits=is_changed, rng=rng)
        _send(party, scenario, crowds, lasts_s, rng)
    return {(period.hour, name): crowd.walks for name, crowd in crowds.items()}


def _outfit(character: Character, hour: Hour) -> int:
    return int(hour is Hour.NIGHT and character.looks_by_night is not None)


def _send(
    party: Party,
    scenario: Scenario,
    crowds: Mapping[str, Crowd],
    lasts_s: float,
    rng: np.random.Generator,
) -> None:
    """One party's walks through a period."""
    name = str(rng.choice(list(crowds)))
    place = crowds[name].place
    door = str(rng.choice(list(place.doors)))
    route = _route_from(place, door, rng)
    walks_s = Way(place.waypoints(route)).length_m / party.pace_mps
    now_s = rng.uniform(-0.75 * walks_s, min(0.4 * lasts_s, 30.0))
    while now_s < lasts_s:
        left_s = _walk(party, crowds[name], route, now_s, rng)
        if left_s is None:
            now_s += _TRIES * _TRY_LATER_S
        else:
            name, door, pause_s = _after(scenario, crowds, name, route.end, rng)
            now_s = left_s + pause_s
        route = _route_from(crowds[name].place, door, rng)


def _walk(
    party: Party, crowd: Crowd, route: Route, now_s: float, rng: np.random.Generator
) -> float | None:
    """Walk a route as soon as it is free; when the last of the party is through, or None."""
    for k in range(_TRIES):
        starts_s = now_s + k * _TRY_LATER_S
        walks = party.walks(crowd.place.waypoints(route), starts_s, rng)
        if crowd.has_room(walks):
            return crowd.add(walks)
    return None


def _after(
    scenario: Scenario,
    crowds: Mapping[str, Crowd],
    name: str,
    door: str,
    rng: np.random.Generator,
) -> tuple[str, str, float]:
    """Place and door where those who left by a door turn up next, and after how many seconds."""
    ways = [
        (*end, transit)
        for transit in scenario.transit
        if (end := transit.from_door(name, door)) is not None and end[0] in crowds
    ]
    if ways and rng.random() < _GOES_ON:
        next_name, next_door, transit = ways[int(rng.integers(len(ways)))]
        return next_name, next_door, transit.median_s * float(np.exp(rng.normal(0, transit.spread)))
    away_s = _AWAY_MEDIAN_S * float(np.exp(rng.normal(0, _AWAY_SPREAD)))
    return name, door, away_s


def _route_from(place: Place, door: str, rng: np.random.Generator) -> Route:
    """One of the place's ways that begin at `door`, or end there and are walked back."""
    ahead = [way for way in place.ways if way.start == door]
    back = [
        Route(start=way.end, end=way.start, through=way.through[::-1])
        for way in place.ways
        if way.end == door
    ]
    routes = ahead + back
    return routes[int(rng.integers(len(routes)))]
