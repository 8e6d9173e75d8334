"""Why a visit is said to be somebody's: everything that the panel `why?` shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.api.answers import SightingAnswer
from pipeline.api.desk import Desk
from pipeline.api.visitors import Visitor
from pipeline.linking.topology import Topology
from pipeline.web.seen import newest_of, read_visits
from pipeline.web.transit_plot import TransitPlot, draw_transit
from pipeline.web.visits import (
    Chance,
    Crop,
    Transit,
    chances_of,
    claim,
    crops_of,
    evidence,
    facts_of,
    transit_of,
)
from storage.types import SightingId

_CROPS, _COMPARED = 6, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Somebody whom the visit was held against, by one of their visits."""

    role: str
    visit: SightingAnswer
    crops: tuple[Crop, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """A visit with its grounds.

    Attributes:
        claim: How sure, in a few words.
        evidence: On what it rests, in a line.
        percent: Of the claim, 0 to 100; None: no chance was reckoned.
        threshold: What a link takes, 0 to 100.
    """

    visit: SightingAnswer
    claim: str
    evidence: str
    percent: float | None
    threshold: float
    crops: tuple[Crop, ...]
    chances: tuple[Chance, ...]
    compared: tuple[Compared, ...]
    transit: Transit | None
    plot: TransitPlot | None
    facts: Mapping[str, str]


def reasons_of(desk: Desk, visitor: Visitor, visits: Sequence[SightingAnswer]) -> list[Reason]:
    """The grounds of all these visits, in their order."""
    topology = desk.topology()
    known = {visit.sighting: visit for visit in visits}
    nearest = {visit.sighting: _nearest(visit) for visit in visits}
    missing = [SightingId(int(name[1:])) for name in nearest.values() if name and name not in known]
    known |= read_visits(desk, visitor, missing)
    rivals = newest_of(
        desk, visitor, [v.link.runner_up for v in visits if v.link.runner_up is not None]
    )
    return [
        _reason(visit, known.get(nearest[visit.sighting]), rivals, topology) for visit in visits
    ]


def _nearest(visit: SightingAnswer) -> str:
    number = visit.link.grounds.get("nearest_sighting")
    return f"S{number}" if isinstance(number, int) else ""


def _reason(
    visit: SightingAnswer,
    nearest: SightingAnswer | None,
    rivals: Mapping[str, SightingAnswer],
    topology: Topology,
) -> Reason:
    link = visit.link
    transit = transit_of(visit, topology)
    compared: list[Compared] = []
    if nearest is not None:
        compared.append(_compared(f"Nearest look of {link.candidate}", nearest))
    rival = rivals.get(link.runner_up or "")
    if rival is not None:
        compared.append(_compared(f"Runner-up {link.runner_up}", rival))
    probability = None if link.is_operators else link.probability
    return Reason(
        visit=visit,
        claim=claim(visit),
        evidence=evidence(visit, topology),
        percent=None if probability is None else round(100 * probability, 1),
        threshold=round(100 * link.threshold, 1),
        crops=tuple(crops_of(visit, most=_CROPS)),
        chances=tuple(chances_of(link)),
        compared=tuple(compared),
        transit=transit,
        plot=None if transit is None else draw_transit(transit.way, transit.took_s),
        facts=facts_of(visit),
    )


def _compared(role: str, visit: SightingAnswer) -> Compared:
    return Compared(role=role, visit=visit, crops=tuple(crops_of(visit, most=_COMPARED)))
