"""Kinds of words in questions: names of cameras, persons, visits and verdicts; free text."""

from __future__ import annotations

import unicodedata
from typing import Annotated

from fastapi import Path, Query
from pydantic import AfterValidator, Field, StringConstraints

from storage.desk.types import AlertId
from storage.types import IdentityId, SightingId, VerdictId
from streams.naming import plain_name

CAMERA = r"^[A-Za-z0-9_-]{1,64}$"
PERSON = r"^(?:[Pp]-?)?0*[1-9][0-9]{0,17}$"
VISIT = r"^[Ss]?0*[1-9][0-9]{0,17}$"
VERDICT = r"^[Vv]?0*[1-9][0-9]{0,17}$"
ALERT = r"^[Aa]?0*[1-9][0-9]{0,17}$"
SHA256 = r"^[0-9a-f]{64}$"
_MOST_LETTERS = 30


def _plain(text: str) -> str:
    """Refuse what steers terminals or cannot be stored; line ends stay."""
    for letter in text:
        if unicodedata.category(letter) in ("Cc", "Cs") and letter not in "\n\t":
            raise ValueError("expected text without control characters")
    return text.strip()


Words = Annotated[str, StringConstraints(max_length=500), AfterValidator(_plain)]
"""Text of an operator, such as a reason."""
Needed = Annotated[
    str,
    StringConstraints(max_length=500, strip_whitespace=True, min_length=1),
    AfterValidator(_plain),
]
"""Text that must be given."""
ShortName = Annotated[
    str, StringConstraints(min_length=1, max_length=64), AfterValidator(plain_name)
]
"""A name that an operator gives."""
ShortNameOrNone = Annotated[
    str,
    StringConstraints(max_length=64),
    AfterValidator(lambda text: plain_name(text) if text else ""),
]
"""A name, or nothing."""

CameraPath = Annotated[
    str, Path(pattern=CAMERA, description="Name of a camera.", examples=["gate-1"])
]
CameraQuery = Annotated[
    str | None,
    Query(pattern=CAMERA, description="Only this camera.", examples=[None]),
]
PersonPath = Annotated[
    str,
    Path(pattern=PERSON, max_length=_MOST_LETTERS, description="A person.", examples=["P-0002"]),
]
VisitPath = Annotated[
    str, Path(pattern=VISIT, max_length=_MOST_LETTERS, description="A visit.", examples=["S12"])
]
VerdictPath = Annotated[
    str,
    Path(pattern=VERDICT, max_length=_MOST_LETTERS, description="A verdict.", examples=["V3"]),
]
AlertPath = Annotated[
    str, Path(pattern=ALERT, max_length=_MOST_LETTERS, description="An alert.", examples=["A12"])
]
NumberPath = Annotated[int, Path(ge=1, le=2**62, examples=[3])]
PicturePath = Annotated[str, Path(pattern=SHA256, description="sha256 of a picture, hex.")]

PersonName = Annotated[str, Field(pattern=PERSON, max_length=_MOST_LETTERS, examples=["P-0002"])]
VisitName = Annotated[str, Field(pattern=VISIT, max_length=_MOST_LETTERS, examples=["S12"])]


def to_person(name: str) -> IdentityId:
    """The number in a name that fits `PERSON`.

    >>> to_person("P-0007")
    7
    """
    return IdentityId(int(name.lstrip("Pp").lstrip("-")))


def to_visit(name: str) -> SightingId:
    """The number in a name that fits `VISIT`."""
    return SightingId(int(name.lstrip("Ss")))


def to_alert(name: str) -> AlertId:
    """The number in a name that fits `ALERT`."""
    return AlertId(int(name.lstrip("Aa")))


def to_verdict(name: str) -> VerdictId:
    """The number in a name that fits `VERDICT`."""
    return VerdictId(int(name.lstrip("Vv")))
