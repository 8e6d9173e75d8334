"""People: who was seen, the most lately seen first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from fastapi import Query, Request, Response

from pipeline.api.answers import IdentityAnswer, to_identity
from pipeline.api.desk import Desk, DeskOf
from pipeline.api.paging import CursorQuery, from_cursor, to_cursor
from pipeline.api.routing import PREFIX, Routes
from pipeline.api.visitors import Visitor, VisitorOf
from pipeline.api.words import PERSON, to_person
from pipeline.web.asked_times import read_span
from pipeline.web.rendering import PagesOf
from storage.browsing import Filter, browse_people, browse_sightings, find_person
from storage.desk.names import find_by_name
from storage.desk.pages import LONGEST_PAGE
from storage.desk.types import Role
from storage.errors import NotFound
from storage.scope import people_within
from storage.types import sighting_name
from streams.types import CameraId, Modality

routes = Routes("pages", prefix="")
_A_PAGE, _VISITS_LOOKED_AT = 24, 12
TimeText = Annotated[str, Query(max_length=40)]
"""Empty fields of a form arrive as empty text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A person with their best picture by day and by night; addresses, None: there is none."""

    person: IdentityAnswer
    day: str | None
    night: str | None


@routes.get("/people", least=Role.VIEWER, include_in_schema=False)
def show_people(
    request: Request,
    visitor: VisitorOf,
    desk: DeskOf,
    pages: PagesOf,
    cursor: CursorQuery,
    camera: Annotated[str, Query(max_length=64)] = "",
    light: Annotated[str, Query(pattern="^(visible|infrared)?$")] = "",
    start: Annotated[str, Query(alias="from", max_length=40)] = "",
    to: TimeText = "",
    words: Annotated[str, Query(max_length=64, pattern=r"^[^\x00-\x1f]*$")] = "",
) -> Response:
    """The list; `words` is a number such as P-0002, or a part of a name."""
    span = read_span(start, to, desk.config.alerts.time_zone)
    desk.viewings.write_down(
        visitor, "view identities", camera, from_us=span.from_us, to_us=span.to_us,
        cursor=cursor, words=words or None,
    )  # fmt: skip
    place = None if cursor is None else from_cursor(cursor, n=2)
    following: str | None = None
    if words:
        people = _named(desk, visitor, words)
    else:
        which = Filter(
            scope=visitor.cameras,
            span=span,
            camera=CameraId(camera) if camera else None,
            modality=Modality(light) if light else None,
        )
        found = browse_people(
            desk.database,
            which,
            before=None if place is None else (place[0], place[1]),
            limit=_A_PAGE,
        )
        names = desk.names(visitor, [person.id for person in found.found])
        people = [to_identity(person, names) for person in found.found]
        following = None if found.next is None else to_cursor(*found.next)
    return pages.show(
        request,
        "people.html",
        title="People",
        cards=[_card(desk, visitor, person) for person in people],
        cameras=sorted(desk.cameras(visitor)),
        asked={"camera": camera, "light": light, "from": start, "to": to, "words": words},
        following=following,
        is_filtered=bool(camera or light or start or to or words),
    )


def _named(desk: Desk, visitor: Visitor, words: str) -> list[IdentityAnswer]:
    """Persons of this number, or whose name holds these words."""
    asked = words.strip()
    numbers = {name.identity for name in find_by_name(desk.database, asked, limit=LONGEST_PAGE)}
    if re.fullmatch(PERSON, asked):
        numbers.add(to_person(asked))
    known = people_within(desk.database, numbers, scope=visitor.cameras)
    names = desk.names(visitor, known)
    found: list[IdentityAnswer] = []
    for number in sorted(known)[:_A_PAGE]:
        try:
            person = find_person(desk.database, number, scope=visitor.cameras)
        except NotFound:
            continue
        found.append(to_identity(person, names))
    return found


def _card(desk: Desk, visitor: Visitor, person: IdentityAnswer) -> Card:
    """Their best pictures in each light, from the newest visits."""
    best: dict[str, str] = {}
    for modality in (Modality(light) for light in person.modalities):
        which = Filter(
            scope=visitor.cameras, identity=to_person(person.identity), modality=modality
        )
        for visit in browse_sightings(desk.database, which, limit=_VISITS_LOOKED_AT):
            if visit.evidence:
                name = sighting_name(visit.id)
                best[modality.value] = f"{PREFIX}/sightings/{name}/pictures/{visit.evidence[0]}"
                break
    return Card(person=person, day=best.get("visible"), night=best.get("infrared"))
