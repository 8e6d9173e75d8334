"""What the pages ask of the storage about a person: all as far as the visitor may see."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pipeline.api.answers import IdentityAnswer, SightingAnswer, to_identity, to_sighting
from pipeline.api.desk import Desk
from pipeline.api.visitors import Visitor
from pipeline.web.lanes import Blind, unwatched
from storage.browsing import Filter, browse_sightings, find_person, find_sighting
from storage.errors import NotFound
from storage.gaps import browse_gaps
from storage.types import IdentityId, Sighting, SightingId, Span, person_name
from streams.types import CameraId

MOST_VISITS = 60
_LOOKED_THROUGH, _MOST_PERHAPS, _MOST_GAPS = 400, 12, 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A person and their visits.

    Attributes:
        visits: The newest, oldest first; those after `before` are left out.
        has_older: There are more before them.
        perhaps: Unsure visits within their time that may be this person, oldest first.
        blind: When nobody looked at their cameras meanwhile.
    """

    number: IdentityId
    person: IdentityAnswer
    visits: tuple[SightingAnswer, ...]
    has_older: bool
    perhaps: tuple[SightingAnswer, ...]
    blind: tuple[Blind, ...]


def read_person(
    desk: Desk, visitor: Visitor, whom: IdentityId, *, before: tuple[int, int] | None = None
) -> Seen:
    """A person, for this visitor.

    Raises:
        NotFound: There is nobody of this number that they may see.
        PersonErased: They were erased.
    """
    known = find_person(desk.database, whom, scope=visitor.cameras)
    found = browse_sightings(
        desk.database,
        Filter(scope=visitor.cameras, identity=whom),
        before=before,
        limit=MOST_VISITS + 1,
    )
    shown = found[:MOST_VISITS][::-1]
    perhaps = _perhaps(desk, visitor, whom, shown)
    told = desk.told(visitor, [*shown, *perhaps])
    return Seen(
        number=whom,
        person=to_identity(known, desk.names(visitor, [whom])),
        visits=tuple(to_sighting(visit, told) for visit in shown),
        has_older=len(found) > MOST_VISITS,
        perhaps=tuple(to_sighting(visit, told) for visit in perhaps),
        blind=tuple(_blind(desk, visitor, [*shown, *perhaps])),
    )


def read_visits(
    desk: Desk, visitor: Visitor, wanted: Collection[SightingId]
) -> dict[str, SightingAnswer]:
    """Some visits by name; those that are gone, or may not be seen, are left out."""
    found: list[Sighting] = []
    for number in sorted(set(wanted)):
        try:
            found.append(find_sighting(desk.database, number, scope=visitor.cameras))
        except NotFound:
            continue
    told = desk.told(visitor, found)
    answers = [to_sighting(visit, told) for visit in found]
    return {visit.sighting: visit for visit in answers}


def newest_of(desk: Desk, visitor: Visitor, people: Collection[str]) -> dict[str, SightingAnswer]:
    """The newest visit of each of these persons, by short name."""
    found: list[Sighting] = []
    for name in sorted(set(people)):
        which = Filter(scope=visitor.cameras, identity=IdentityId(int(name.removeprefix("P-"))))
        found += browse_sightings(desk.database, which, limit=1)
    told = desk.told(visitor, found)
    return {
        person_name(visit.identity): to_sighting(visit, told)
        for visit in found
        if visit.identity is not None
    }


def _perhaps(
    desk: Desk, visitor: Visitor, whom: IdentityId, visits: Sequence[Sighting]
) -> list[Sighting]:
    """Unsure visits from the first of these on whose best candidate is this person."""
    if not visits:
        return []
    which = Filter(scope=visitor.cameras, span=Span(from_us=visits[0].first_seen_us))
    near = browse_sightings(desk.database, which, limit=_LOOKED_THROUGH)
    found = [visit for visit in near if visit.identity is None and visit.link.candidate == whom]
    return found[:_MOST_PERHAPS][::-1]


def _blind(desk: Desk, visitor: Visitor, visits: Sequence[Sighting]) -> list[Blind]:
    if not visits:
        return []
    start = min(visit.first_seen_us for visit in visits)
    end = max(visit.last_seen_us for visit in visits) + 1
    cameras = {visit.camera for visit in visits}
    gaps = browse_gaps(
        desk.database,
        scope=visitor.cameras,
        span=Span(from_us=start, to_us=end),
        limit=_MOST_GAPS,
    )
    found = [
        Blind(
            camera=gap.camera,
            from_us=gap.from_us,
            to_us=end if gap.to_us is None else gap.to_us,
            why=gap.reason.value,
        )
        for _, gap in gaps
        if gap.camera in cameras
    ]
    for camera in sorted(cameras):
        found += _beyond_film(desk, visitor, camera, start, end)
    return found


def _beyond_film(
    desk: Desk, visitor: Visitor, camera: CameraId, start: int, end: int
) -> list[Blind]:
    """A camera that is a recording saw nothing before and after it."""
    configured = desk.configured(visitor).get(camera)
    if configured is None or configured.is_live:
        return []
    spans = desk.recordings.spans(camera, from_us=start, to_us=end)
    watched = [(span.from_us, span.to_us) for span in spans]
    return unwatched(camera, watched, from_us=start, to_us=end) if watched else []
