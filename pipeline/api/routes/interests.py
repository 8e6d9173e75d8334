"""Persons of interest: whom operators look for, why, until when.

One that names a person is told of to who may know that person. Its pictures, and all of one that
names nobody, are for who sees all cameras that its maker sees: they may come from any of these.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Annotated

import numpy as np
import numpy.typing as npt
from fastapi import Form, Response, UploadFile
from pydantic import Field

from pipeline.api.answers import Answer, Page, Told
from pipeline.api.desk import Desk, DeskOf
from pipeline.api.errors import Absent, QuestionInvalid, Refused
from pipeline.api.paging import LimitQuery, TextCursorQuery, seen_page
from pipeline.api.routes.sightings import JPEG
from pipeline.api.routing import Routes
from pipeline.api.searcher import LightWord
from pipeline.api.times import iso_or_none, read_time
from pipeline.api.uploads import read_picture, smaller
from pipeline.api.visitors import Visitor, VisitorOf
from pipeline.api.words import PERSON, Needed, NumberPath, PicturePath, ShortName, to_person
from storage.browsing import find_person
from storage.desk.accounts import account_named
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
from storage.desk.pages import Page as Piece
from storage.desk.types import InterestId, Role
from storage.scope import people_within
from storage.types import person_name
from streams.moments import iso_time
from streams.pictures import to_jpeg

routes = Routes("people")
MOST_EXAMPLES = 8
_LONGEST_US = 366 * 86_400_000_000


class InterestAnswer(Answer):
    """Somebody who is, or was, looked for."""

    interest: int
    name: str = Field(examples=["the man with the ladder"])
    identity: str | None
    reason: str
    pictures: list[str] = Field(
        description="sha256 of examples; none where its maker sees more than who asks."
    )
    is_standing: bool
    made_by: str
    made_at: str
    made_at_us: int
    expires_at: str
    expires_at_us: int
    removed_at: str | None
    removed_at_us: int | None


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

    def read(place: str | None) -> Piece[Interest]:
        standing_us = None if past else now_us
        found = interests(desk.database, standing_at_us=standing_us, cursor=place, limit=limit)
        return replace(found, items=tuple(_known(desk, visitor, found.items)))

    shown = seen_page(read, cursor=cursor, limit=limit)
    return Page(items=_to_interests(desk, visitor, shown.items), next=shown.next)


@routes.post("/interests", least=Role.OPERATOR, status_code=201)
def look_for(
    visitor: VisitorOf,
    desk: DeskOf,
    name: Annotated[ShortName, Form(examples=["the man with the ladder"])],
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
    return _to_interests(desk, visitor, [made])[0]


@routes.delete("/interests/{interest}", least=Role.OPERATOR)
def stop_looking(interest: NumberPath, visitor: VisitorOf, desk: DeskOf) -> InterestAnswer:
    """Look for them no longer; restoring takes that back."""
    found = _own(desk, visitor, interest)
    now_us = desk.clock.now_us()
    gone = remove_interest(desk.database, found.id, removed_by=visitor.name, now_us=now_us)
    return _to_interests(desk, visitor, [gone])[0]


@routes.post("/interests/{interest}/restore", least=Role.OPERATOR)
def look_again(interest: NumberPath, visitor: VisitorOf, desk: DeskOf) -> InterestAnswer:
    """Take a removal back."""
    found = _own(desk, visitor, interest)
    now_us = desk.clock.now_us()
    again = restore_interest(desk.database, found.id, made_by=visitor.name, now_us=now_us)
    return _to_interests(desk, visitor, [again])[0]


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
    is_told = _sees_as_much(desk, visitor, [found.made_by])
    if not is_told or picture not in [example.picture for example in found.examples]:
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
    if not _known(desk, visitor, [found]):
        raise Absent(f"no person of interest is called {interest_name(InterestId(number))}")
    return found


def _own(desk: Desk, visitor: Visitor, number: int) -> Interest:
    """Refuse to decide about one whose maker sees more."""
    found = _interest(desk, visitor, number)
    if not _sees_as_much(desk, visitor, [found.made_by]):
        raise Refused(
            f"{found.made_by} looks for them on cameras that you may not see; ask somebody who "
            "sees these"
        )
    return found


def _known(desk: Desk, visitor: Visitor, found: Sequence[Interest]) -> list[Interest]:
    """Those that may be told of: whom only other cameras saw is not."""
    people = {each.identity for each in found if each.identity is not None}
    known = people_within(desk.database, people, scope=visitor.cameras)
    makers = _sees_as_much(desk, visitor, {each.made_by for each in found})
    return [
        each
        for each in found
        if (each.made_by in makers if each.identity is None else each.identity in known)
    ]


def _sees_as_much(desk: Desk, visitor: Visitor, makers: Collection[str]) -> frozenset[str]:
    """Accounts all of whose cameras the visitor sees."""
    if visitor.cameras is None:
        return frozenset(makers)
    found = {name: account_named(desk.database, name) for name in makers}
    return frozenset(
        name
        for name, account in found.items()
        if account is not None and not account.sees_all and account.cameras <= visitor.cameras
    )


def _to_interests(desk: Desk, visitor: Visitor, found: Sequence[Interest]) -> list[InterestAnswer]:
    told = desk.told_words(visitor, [words for each in found for words in (each.name, each.reason)])
    makers = _sees_as_much(desk, visitor, {each.made_by for each in found})
    now_us = desk.clock.now_us()
    return [_to_interest(each, told, now_us, is_own=each.made_by in makers) for each in found]


def _to_interest(found: Interest, told: Told, now_us: int, *, is_own: bool) -> InterestAnswer:
    return InterestAnswer(
        interest=found.id,
        name=told.words(found.name),
        identity=None if found.identity is None else person_name(found.identity),
        reason=told.words(found.reason),
        pictures=[each.picture for each in found.examples if is_own and each.picture is not None],
        is_standing=found.removed_at_us is None and found.expires_at_us > now_us,
        made_by=found.made_by,
        made_at=iso_time(found.made_at_us),
        made_at_us=found.made_at_us,
        expires_at=iso_time(found.expires_at_us),
        expires_at_us=found.expires_at_us,
        removed_at=iso_or_none(found.removed_at_us),
        removed_at_us=found.removed_at_us,
    )
