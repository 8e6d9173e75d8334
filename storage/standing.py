"""Which of a visit's link events holds, now that some verdicts were taken back.

Link events are only appended. What a visit would be without some verdict is found by going through
its events again:

* the newest event of a verdict that holds decides;
* an event of the linker or of refine counts unless the verdict that it followed was taken back:
  it knew no better than that verdict;
* the event of an `undo` repeats an older one, whose sequence it names in its grounds, and decides
  nothing by itself; one that names none (a later part of the same view) does.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from storage.rows import portions
from storage.schema import (
    LinkEventRow,
    VerdictRow,
)
from storage.types import (
    Decision,
    IdentityId,
    NewLink,
    SightingId,
    VerdictId,
)

RESTORES = "restores"
"""In the grounds of an event: the sequence of the older event that it repeats."""
SELECT_EVENTS = select(
    LinkEventRow.id,
    LinkEventRow.sighting_id,
    LinkEventRow.sequence,
    LinkEventRow.decision,
    LinkEventRow.identity_id,
    LinkEventRow.candidate_id,
    LinkEventRow.probability,
    LinkEventRow.threshold,
    LinkEventRow.runner_up_id,
    LinkEventRow.runner_up_probability,
    LinkEventRow.reason,
    LinkEventRow.calibration,
    LinkEventRow.grounds,
    LinkEventRow.verdict_id,
).order_by(LinkEventRow.sighting_id, LinkEventRow.sequence)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkEvent:
    """One link event of a visit.

    Attributes:
        identity: Whom it named, also where it made them; None: unsure.
        restores: Sequence of the event that it repeats; None: it says something of its own.
    """

    id: int
    sequence: int
    link: NewLink
    identity: IdentityId | None
    verdict: VerdictId | None
    restores: int | None = None


def undone_verdicts(connection: Connection) -> dict[VerdictId, VerdictId]:
    """Every verdict that was ever undone, and by which."""
    query = select(VerdictRow.undoes_id, VerdictRow.id).where(VerdictRow.undoes_id.is_not(None))
    return {VerdictId(row.undoes_id): VerdictId(row.id) for row in connection.execute(query)}


def holds(verdict: VerdictId, undone_by: Mapping[VerdictId, VerdictId]) -> bool:
    """Whether a verdict counts: not undone, or its undoing was undone.

    >>> undone_by = {VerdictId(1): VerdictId(2), VerdictId(2): VerdictId(3)}
    >>> [holds(VerdictId(number), undone_by) for number in (1, 2, 3)]
    [True, False, True]
    """
    answer = True
    while verdict in undone_by:
        verdict = undone_by[verdict]
        answer = not answer
    return answer


def standing(events: Sequence[LinkEvent], undone_by: Mapping[VerdictId, VerdictId]) -> LinkEvent:
    """The event that holds.

    Args:
        events: Of one visit, in order, N >= 1; the first is what it was recorded with.
    """
    answer = events[0]
    ground: VerdictId | None = None
    for event in events[1:]:
        if event.verdict is not None:
            ground = event.verdict
            if event.restores is not None:
                continue
        if ground is None or holds(ground, undone_by):
            answer = event
    return answer


def link_events(
    connection: Connection, sightings: Collection[SightingId]
) -> dict[SightingId, list[LinkEvent]]:
    """All that was said about these visits, each in order."""
    found: defaultdict[SightingId, list[LinkEvent]] = defaultdict(list)
    wanted = sorted(sightings)
    for some in portions(wanted):
        query = SELECT_EVENTS.where(LinkEventRow.sighting_id.in_(some))
        for row in connection.execute(query):
            found[SightingId(row.sighting_id)].append(_to_event(row))
    return found


def pinned_visits(
    connection: Connection, sightings: Collection[SightingId]
) -> frozenset[SightingId]:
    """Those about which a verdict that holds has the last word: machines leave them alone.

    An `undo` has no word of its own: a visit that is again what the linker said is free again.
    """
    undone_by = undone_verdicts(connection)
    undoings = set(undone_by.values())
    found = set()
    for sighting, events in link_events(connection, sightings).items():
        verdict = standing(events, undone_by).verdict
        if verdict is not None and verdict not in undoings:
            found.add(sighting)
    return frozenset(found)


def _to_event(row: Row[*tuple[Any, ...]]) -> LinkEvent:
    grounds = json.loads(row.grounds or "{}")
    link = NewLink(
        decision=Decision(row.decision),
        identity=row.identity_id,
        candidate=row.candidate_id,
        probability=row.probability,
        threshold=row.threshold,
        runner_up=row.runner_up_id,
        runner_up_probability=row.runner_up_probability,
        reason=row.reason,
        calibration=row.calibration,
        grounds=grounds,
    )
    return LinkEvent(
        id=row.id,
        sequence=row.sequence,
        link=link,
        identity=row.identity_id,
        verdict=row.verdict_id,
        restores=grounds.get(RESTORES),
    )
