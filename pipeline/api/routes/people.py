"""Persons by name: what operators call them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import Query
from pydantic import Field

from pipeline.api.answers import Answer, Page
from pipeline.api.desk import Desk, DeskOf
from pipeline.api.paging import LimitQuery, TextCursorQuery
from pipeline.api.routing import Routes
from pipeline.api.visitors import Visitor, VisitorOf
from pipeline.api.words import PersonPath, ShortNameOrNone, to_person
from storage.browsing import find_person
from storage.desk.names import GivenName, find_by_name, give_name, name_history
from storage.desk.pages import LONGEST_PAGE
from storage.desk.types import Role
from storage.scope import people_within
from storage.types import person_name
from streams.moments import iso_time

routes = Routes("people")


class NewName(Answer):
    """A name to be given."""

    name: ShortNameOrNone = Field(
        description="Empty: the name is taken away.", examples=["red coat"]
    )


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


@routes.put("/identities/{person}/name", least=Role.OPERATOR)
def name_person(person: PersonPath, asked: NewName, visitor: VisitorOf, desk: DeskOf) -> NameAnswer:
    """Call a person something; an empty name takes the one they have away."""
    whom = find_person(desk.database, to_person(person), scope=visitor.cameras).id
    given = give_name(
        desk.database, whom, asked.name, made_by=visitor.name, now_us=desk.clock.now_us()
    )
    return _to_names(desk, visitor, [given])[0]


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
    return Page(items=_to_names(desk, visitor, found.items), next=found.next)


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
    told = desk.told_words(visitor, [name.name for name in found])
    shown = [each for each in found if each.identity in known and not told.is_hidden(each.name)]
    return Names(items=_to_names(desk, visitor, shown[:limit]))


def _to_names(desk: Desk, visitor: Visitor, given: Sequence[GivenName]) -> list[NameAnswer]:
    """Names, without the words of those that name what may not be known."""
    told = desk.told_words(visitor, [each.name for each in given])
    return [
        NameAnswer(
            identity=person_name(each.identity),
            name=told.words(each.name),
            made_by=each.made_by,
            made_at=iso_time(each.made_at_us),
            made_at_us=each.made_at_us,
        )
        for each in given
    ]
