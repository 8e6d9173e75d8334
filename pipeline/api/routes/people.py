"""What operators call persons, and persons of interest: whom they look for, why, until when."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import numpy.typing as npt
from fastapi import Form, Query, Response, UploadFile
from pydantic import Field

from pipeline.api.answers import Answer, Page
from pipeline.api.desk import Desk, DeskOf
from pipeline.api.errors import Absent, QuestionInvalid
from pipeline.api.paging import LimitQuery, TextCursorQuery
from pipeline.api.routes.sightings import JPEG
from pipeline.api.routing import Routes
from pipeline.api.searcher import LightWord
from pipeline.api.times import iso_or_none, read_time
from pipeline.api.uploads import read_picture, smaller
from pipeline.api.visitors import Visitor, VisitorOf
from pipeline.api.words import (
    PERSON,
    Needed,
    NumberPath,
    PersonPath,
    PicturePath,
    ShortName,
    to_person,
)
from storage.browsing import find_person
from storage.desk.interest import (
    Example,
    Interest,
    NewInterest,
    add_interest,
    find_interest,
    interest_name,
    interests,
    remove_interest,
    restore_interest,
)
from storage.desk.names import GivenName, find_by_name, give_name, name_history
from storage.desk.pages import LONGEST_PAGE
from storage.desk.types import InterestId, Role
from storage.scope import people_within
from storage.types import person_name
from streams.moments import iso_time
from streams.pictures import to_jpeg

routes = Routes("people")
MOST_EXAMPLES = 8
_LONGEST_US = 366 * 86_400_000_000


class NewName(Answer):
    """A name to be given."""

    name: ShortName = Field(description="Empty: the name is taken away.", examples=["red coat"])


class NameAnswer(Answer):
    """A name that somebody gave."""

    identity: str
    name: str
    made_by: str
    made_at: str
    made_at_us: int


class Names(Answer):
    """Persons by name."""

    items: list[NameAnswer]


class InterestAnswer(Answer):
    """Somebody who is, or was, looked for."""

    interest: int
    name: str = Field(examples=["the man with the ladder"])
    identity: str | None
    reason: str
    pictures: list[str] = Field(description="sha256 of examples.")
    is_standing: bool
    made_by: str
    made_at: str
    made_at_us: int
    expires_at: str
    expires_at_us: int
    removed_at: str | None
    removed_at_us: int | None


@routes.put("/identities/{person}/name", least=Role.OPERATOR)
def name_person(person: PersonPath, asked: NewName, visitor: VisitorOf, desk: DeskOf) -> NameAnswer:
    """Call a person something; an empty name takes the one they have away."""
    whom = find_person(desk.database, to_person(person), scope=visitor.cameras).id
    given = give_name(
        desk.database, whom, asked.name, made_by=visitor.name, now_us=desk.clock.now_us()
    )
    return _to_name(given)


@routes.get("/identities/{person}/names", least=Role.VIEWER)
def list_names(
    person: PersonPath,
    visitor: VisitorOf,
    desk: DeskOf,
    cursor: TextCursorQuery = None,
    limit: LimitQuery = 50,
) -> Page[NameAnswer]:
    """What a person was ever called, newest first."""
    whom = find_person(desk.database, to_person(person), scope=visitor.cameras).id
    desk.viewings.write_down(visitor, "view names", person_name(whom))
    found = name_history(desk.database, whom, cursor=cursor, limit=limit)
    return Page(items=[_to_name(name) for name in found.items], next=found.next)


@routes.get("/names", least=Role.VIEWER)
def search_names(
    visitor: VisitorOf,
    desk: DeskOf,
    words: Annotated[
        str, Query(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f]*$", examples=["coat"])
    ],
    limit: LimitQuery = 50,
) -> Names:
    """Persons whose name contains these words."""
    desk.viewings.write_down(visitor, "search names", "", words=words)
    found = find_by_name(desk.database, words, limit=LONGEST_PAGE)
    known = people_within(desk.database, [name.identity for name in found], scope=visitor.cameras)
    # cut after hiding: how many are missing would tell of names that are hidden
    return Names(items=[_to_name(name) for name in found if name.identity in known][:limit])


@routes.get("/interests", least=Role.OPERATOR)
def list_interests(
    visitor: VisitorOf,
    desk: DeskOf,
    cursor: TextCursorQuery = None,
    past: bool = False,
    limit: LimitQuery = 50,
) -> Page[InterestAnswer]:
    """Who is looked for, newest first; with `past`, also who was."""
    now_us = desk.clock.now_us()
    desk.viewings.write_down(visitor, "view interests", "", past=past, cursor=cursor)
    found = interests(
        desk.database, standing_at_us=None if past else now_us, cursor=cursor, limit=limit
    )
    return Page(
        items=[
            _to_interest(each, now_us) for each in found.items if _may_know(desk, visitor, each)
        ],
        next=found.next,
    )


@routes.post("/interests", least=Role.OPERATOR, status_code=201)
def look_for(
    visitor: VisitorOf,
    desk: DeskOf,
    name: Annotated[Needed, Form(max_length=100, examples=["the man with the ladder"])],
    reason: Annotated[Needed, Form(description="Why; audited.")],
    expires_at: Annotated[
        str, Form(max_length=40, description="When nobody looks any more; a year at most.")
    ],
    identity: Annotated[str | None, Form(pattern=PERSON, max_length=30)] = None,
    pictures: Annotated[
        list[UploadFile] | None, Form(description="Examples, each cropped to the person.")
    ] = None,
    light: Annotated[LightWord, Form()] = "auto",
) -> InterestAnswer:
    """Look for somebody from now on: by number, by examples, or both."""
    now_us = desk.clock.now_us()
    expires_us = read_time(expires_at)
    if not now_us < expires_us <= now_us + _LONGEST_US:
        raise QuestionInvalid("expires_at: expected a time to come, within a year")
    whom = None
    if identity is not None:
        whom = find_person(desk.database, to_person(identity), scope=visitor.cameras).id
    files = pictures or []
    if len(files) > MOST_EXAMPLES:
        raise QuestionInvalid(f"pictures: expected {MOST_EXAMPLES} at most")
    if whom is None and not files:
        raise QuestionInvalid("expected `identity`, `pictures`, or both")
    read = [_read(desk, file) for file in files]
    made = add_interest(
        desk.database,
        NewInterest(
            name=name,
            reason=reason,
            expires_at_us=expires_us,
            identity=whom,
            examples=tuple(_example(desk, pixels, light) for pixels in read),
        ),
        made_by=visitor.name,
        now_us=now_us,
    )
    return _to_interest(made, now_us)


@routes.delete("/interests/{interest}", least=Role.OPERATOR)
def stop_looking(interest: NumberPath, visitor: VisitorOf, desk: DeskOf) -> InterestAnswer:
    """Look for them no longer; restoring takes that back."""
    found = _interest(desk, visitor, interest)
    now_us = desk.clock.now_us()
    gone = remove_interest(desk.database, found.id, removed_by=visitor.name, now_us=now_us)
    return _to_interest(gone, now_us)


@routes.post("/interests/{interest}/restore", least=Role.OPERATOR)
def look_again(interest: NumberPath, visitor: VisitorOf, desk: DeskOf) -> InterestAnswer:
    """Take a removal back."""
    found = _interest(desk, visitor, interest)
    now_us = desk.clock.now_us()
    again = restore_interest(desk.database, found.id, made_by=visitor.name, now_us=now_us)
    return _to_interest(again, now_us)


@routes.get(
    "/interests/{interest}/pictures/{picture}",
    least=Role.OPERATOR,
    response_class=Response,
    responses={200: {"content": {JPEG: {}}, "description": "An example."}},
)
def show_example(
    interest: NumberPath, picture: PicturePath, visitor: VisitorOf, desk: DeskOf
) -> Response:
    """What a person of interest looks like."""
    found = _interest(desk, visitor, interest)
    if picture not in [example.picture for example in found.examples]:
        raise Absent(f"{interest_name(found.id)} has no such picture; it may have expired")
    desk.viewings.write_down(visitor, "view interest", interest_name(found.id))
    return Response(desk.evidence.get(picture), media_type=JPEG)


def _read(desk: Desk, file: UploadFile) -> npt.NDArray[np.uint8]:
    """The picture, few at a time: a small file may unpack to hundreds of megabytes."""
    with desk.decoding():
        return smaller(read_picture(file.file.read()))


def _example(desk: Desk, pixels: npt.NDArray[np.uint8], light: LightWord) -> Example:
    """The picture in the evidence store, and its vector; whoever watches compares with both."""
    described = desk.searcher.describe(pixels, light=light)
    jpeg = to_jpeg(pixels)
    return Example(
        modality=described.modality,
        picture=desk.evidence.put(jpeg),
        model=described.model,
        vector=described.vector,
    )


def _interest(desk: Desk, visitor: Visitor, number: int) -> Interest:
    found = find_interest(desk.database, InterestId(number))
    if not _may_know(desk, visitor, found):
        raise Absent(f"no person of interest is called {interest_name(InterestId(number))}")
    return found


def _may_know(desk: Desk, visitor: Visitor, found: Interest) -> bool:
    """Whom only other cameras saw is not told of."""
    if found.identity is None or visitor.cameras is None:
        return True
    return bool(people_within(desk.database, [found.identity], scope=visitor.cameras))


def _to_name(given: GivenName) -> NameAnswer:
    return NameAnswer(
        identity=person_name(given.identity),
        name=given.name,
        made_by=given.made_by,
        made_at=iso_time(given.made_at_us),
        made_at_us=given.made_at_us,
    )


def _to_interest(found: Interest, now_us: int) -> InterestAnswer:
    return InterestAnswer(
        interest=found.id,
        name=found.name,
        identity=None if found.identity is None else person_name(found.identity),
        reason=found.reason,
        pictures=[each.picture for each in found.examples if each.picture is not None],
        is_standing=found.removed_at_us is None and found.expires_at_us > now_us,
        made_by=found.made_by,
        made_at=iso_time(found.made_at_us),
        made_at_us=found.made_at_us,
        expires_at=iso_time(found.expires_at_us),
        expires_at_us=found.expires_at_us,
        removed_at=iso_or_none(found.removed_at_us),
        removed_at_us=found.removed_at_us,
    )
