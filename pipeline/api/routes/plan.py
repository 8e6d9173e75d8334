"""The floor plan, and where cameras stand on it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form, Response, UploadFile
from pydantic import Field, FiniteFloat

from pipeline.api.answers import Answer
from pipeline.api.desk import DeskOf
from pipeline.api.errors import Absent
from pipeline.api.routes.sightings import JPEG
from pipeline.api.routing import Routes
from pipeline.api.uploads import read_picture
from pipeline.api.visitors import VisitorOf
from pipeline.api.words import CameraPath
from storage.desk.plans import CameraPlace, camera_places, draw_plan, floor_plan, place_camera
from storage.desk.types import Role
from streams.moments import iso_time
from streams.pictures import to_jpeg

routes = Routes("plan")
_FARTHEST_M = 100_000


class PlaceAnswer(Answer):
    """Where a camera stands."""

    camera: str
    x_m: float | None = Field(description="From the plan's left edge; null: it is not on it.")
    y_m: float | None = Field(description="From the plan's top edge.")
    heading_deg: float | None = Field(description="Where it looks: 0 up the plan, 90 right.")


class PlanAnswer(Answer):
    """The plan that holds; null: none was drawn."""

    plan: int | None
    picture: str | None = Field(description="sha256; the picture is under /plan/picture.")
    metres_per_pixel: float | None
    made_by: str | None
    made_at: str | None
    made_at_us: int | None
    places: list[PlaceAnswer]


class Place(Answer):
    """Where a camera is to stand; without x and y it is taken off the plan."""

    x_m: Annotated[FiniteFloat, Field(ge=-_FARTHEST_M, le=_FARTHEST_M)] | None = None
    y_m: Annotated[FiniteFloat, Field(ge=-_FARTHEST_M, le=_FARTHEST_M)] | None = None
    heading_deg: Annotated[FiniteFloat, Field(ge=0, lt=360)] = 0.0


@routes.get("/plan", least=Role.VIEWER)
def show_plan(visitor: VisitorOf, desk: DeskOf) -> PlanAnswer:
    """The plan and the cameras on it that one may see."""
    plan = floor_plan(desk.database)
    places = [
        _to_place(place) for place in camera_places(desk.database) if visitor.sees(place.camera)
    ]
    return PlanAnswer(
        plan=None if plan is None else plan.id,
        picture=None if plan is None else plan.picture,
        metres_per_pixel=None if plan is None else plan.metres_per_pixel,
        made_by=None if plan is None else plan.made_by,
        made_at=None if plan is None else iso_time(plan.made_at_us),
        made_at_us=None if plan is None else plan.made_at_us,
        places=places,
    )


@routes.get(
    "/plan/picture",
    least=Role.VIEWER,
    response_class=Response,
    responses={200: {"content": {JPEG: {}}, "description": "The plan."}},
)
def show_plan_picture(desk: DeskOf) -> Response:
    """The plan's picture, for everybody who is signed in."""
    plan = floor_plan(desk.database)
    if plan is None:
        raise Absent("no plan was drawn yet; an administrator can upload one")
    return Response(desk.evidence.get(plan.picture), media_type=JPEG)


@routes.put("/plan", least=Role.ADMIN, needs_all=True)
def change_plan(
    visitor: VisitorOf,
    desk: DeskOf,
    picture: Annotated[UploadFile, Form(description="JPEG, PNG or WebP.")],
    metres_per_pixel: Annotated[FiniteFloat, Form(gt=0, le=1000, examples=[0.05])],
) -> PlanAnswer:
    """Let a picture be the plan from now on."""
    with desk.decoding():
        pixels = read_picture(picture.file.read())
    jpeg = to_jpeg(pixels)
    draw_plan(
        desk.database,
        desk.evidence.put(jpeg),
        metres_per_pixel=metres_per_pixel,
        made_by=visitor.name,
        now_us=desk.clock.now_us(),
    )
    return show_plan(visitor, desk)


@routes.put("/cameras/{camera}/place", least=Role.ADMIN)
def change_place(camera: CameraPath, asked: Place, visitor: VisitorOf, desk: DeskOf) -> PlaceAnswer:
    """Put a camera on the plan, or take it off."""
    name = desk.require_camera(visitor, camera)
    at_m = None if asked.x_m is None or asked.y_m is None else (asked.x_m, asked.y_m)
    place = place_camera(
        desk.database,
        name,
        at_m,
        heading_deg=asked.heading_deg,
        made_by=visitor.name,
        now_us=desk.clock.now_us(),
    )
    return _to_place(place)


def _to_place(place: CameraPlace) -> PlaceAnswer:
    return PlaceAnswer(
        camera=place.camera, x_m=place.x_m, y_m=place.y_m, heading_deg=place.heading_deg
    )
