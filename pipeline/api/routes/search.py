"""Search by picture: an upload, or a box on the newest picture of a camera."""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from fastapi import Form, UploadFile
from pydantic import Field

from pipeline.api.answers import Answer, Light
from pipeline.api.desk import Desk, DeskOf
from pipeline.api.errors import Absent, QuestionInvalid
from pipeline.api.routing import Routes
from pipeline.api.times import read_span
from pipeline.api.uploads import Fractions, cut_out, read_picture, smaller
from pipeline.api.visitors import Visitor, VisitorOf
from pipeline.api.words import CAMERA, Words
from pipeline.linking.linker import Candidate
from storage.desk.types import Role
from storage.gallery import Part
from storage.scope import people_within
from storage.types import person_name, sighting_name
from streams.moments import iso_time
from streams.types import Modality

routes = Routes("search")

CameraForm = Annotated[str | None, Form(pattern=CAMERA)]
TimeForm = Annotated[str | None, Form(max_length=40)]


class CandidateAnswer(Answer):
    """Somebody who may be the person in the picture."""

    identity: str = Field(examples=["P-0002"])
    name: str | None
    probability: float = Field(description="That it is this person, 0 to 1.", examples=[0.91])
    similarity: float = Field(description="Mean cosine to their looks, -1 to 1.")
    compared: list[Light] = Field(description="Light of the picture, and of the looks.")
    n_looks: int
    nearest_camera: str
    nearest_seen: str
    nearest_seen_us: int
    nearest_sighting: str | None


class ReadyAnswer(Answer):
    """Whether a search would begin at once."""

    is_ready: bool


class SearchAnswer(Answer):
    """Who looks like the person in the picture, most probable first."""

    modality: Light = Field(description="The light the picture was taken for.")
    probability_nobody_known: float
    n_people: int = Field(description="How many could have been meant.")
    candidates: list[CandidateAnswer]


@routes.post("/search/ready", least=Role.OPERATOR, status_code=202)
def make_ready(desk: DeskOf) -> ReadyAnswer:
    """Load what searching needs, so that the first search does not wait some seconds for it."""
    desk.searcher.warm_up()
    return ReadyAnswer(is_ready=desk.searcher.is_loaded)


@routes.post("/search", least=Role.OPERATOR)
def search_picture(
    visitor: VisitorOf,
    desk: DeskOf,
    picture: Annotated[
        UploadFile | None, Form(description="JPEG, PNG or WebP of one person.")
    ] = None,
    on_camera: Annotated[
        str | None,
        Form(pattern=CAMERA, description="Instead of an upload: the newest picture of a camera."),
    ] = None,
    box: Annotated[
        str | None,
        Form(max_length=100, description="Only this part: x0,y0,x1,y1, fractions of its sides."),
    ] = None,
    light: Annotated[
        Literal["auto", "visible", "infrared"], Form(description="The light of the picture.")
    ] = "auto",
    camera: CameraForm = None,
    from_: Annotated[str | None, Form(alias="from", max_length=40)] = None,
    to: TimeForm = None,
    seen_in: Annotated[Modality | None, Form(description="Only by day or by night.")] = None,
    reason: Annotated[Words, Form(description="Why, for the audit.")] = "",
    limit: Annotated[int, Form(ge=1, le=50)] = 12,
) -> SearchAnswer:
    """People who look like the one in the picture; `camera`, `from`, `to`, `seen_in` narrow it."""
    part = Part(
        camera=None if camera is None else desk.require_camera(visitor, camera),
        cameras=visitor.cameras,
        span=read_span(from_, to),
        modality=seen_in,
    )
    fractions = None if box is None else _read_box(box)
    with desk.decoding():
        pixels, proof = _picture(desk, visitor, picture, on_camera)
        pixels = smaller(pixels if fractions is None else cut_out(pixels, fractions))
    desk.viewings.write_down(
        visitor,
        "search",
        camera or "",
        picture=proof,
        box=box,
        on_camera=on_camera,
        from_us=part.span.from_us,
        to_us=part.span.to_us,
        reason=reason or None,
    )
    found, lights = desk.searcher.search([pixels], light=light, part=part)
    shown = found.candidates[:limit]
    names = desk.names(visitor, [candidate.identity for candidate in shown])
    known = people_within(
        desk.database, [candidate.identity for candidate in shown], scope=visitor.cameras
    )
    return SearchAnswer(
        modality=lights[0].value,
        probability_nobody_known=max(0.0, found.nobody),
        n_people=found.n_people,
        candidates=[
            _to_candidate(candidate, names.get(candidate.identity))
            for candidate in shown
            if candidate.identity in known
        ],
    )


def _picture(
    desk: Desk, visitor: Visitor, upload: UploadFile | None, camera: str | None
) -> tuple[npt.NDArray[np.uint8], str]:
    """Pixels, and the sha256 of the file for the audit."""
    if (upload is None) == (camera is None):
        raise QuestionInvalid("expected `picture` or `on_camera`, and only one of them")
    if upload is not None:
        content = upload.file.read()
    else:
        name = desk.require_camera(visitor, camera or "")
        live = desk.live.picture(name)
        if live is None:
            raise Absent(f"{name} has no picture now; send one instead")
        content = live.jpeg
    return read_picture(content), hashlib.sha256(content).hexdigest()


def _read_box(text: str) -> Fractions:
    try:
        x0, y0, x1, y1 = (float(part) for part in text.split(","))
    except ValueError:
        raise QuestionInvalid("box: expected four fractions such as 0.1,0.2,0.4,0.9") from None
    if not (0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1):
        raise QuestionInvalid("box: expected 0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1")
    return x0, y0, x1, y1


def _to_candidate(candidate: Candidate, name: str | None) -> CandidateAnswer:
    nearest = candidate.nearest
    return CandidateAnswer(
        identity=person_name(candidate.identity),
        name=name,
        probability=candidate.probability,
        similarity=candidate.similarity,
        compared=[modality.value for modality in candidate.pair],
        n_looks=candidate.n_looks,
        nearest_camera=nearest.camera,
        nearest_seen=iso_time(nearest.first_seen_us),
        nearest_seen_us=nearest.first_seen_us,
        nearest_sighting=None if nearest.sighting is None else sighting_name(nearest.sighting),
    )
