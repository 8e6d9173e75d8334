"""Cameras: which there are, how they do, when nobody looked."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipeline.api.answers import Answer, GapAnswer, Page, to_gap
from pipeline.api.desk import Desk, DeskOf
from pipeline.api.live import FRESH_US, SEEING, LiveState
from pipeline.api.paging import CursorQuery, LimitQuery, from_cursor, next_of
from pipeline.api.routing import Routes
from pipeline.api.times import SpanQuery, iso_or_none
from pipeline.api.visitors import VisitorOf
from pipeline.api.words import CameraPath, CameraQuery
from storage.desk.types import Role
from storage.gaps import browse_gaps
from streams.config import CameraConfig
from streams.types import CameraId

routes = Routes("cameras")


class HealthAnswer(Answer):
    """How a camera does."""

    state: Literal["live", "blind", "unknown"] = Field(
        description="unknown: nothing is heard from the watcher."
    )
    word: str | None = Field(description="The watcher's word.", examples=["stalled"])
    captured_at: str | None = Field(description="When the newest picture was taken.")
    captured_at_us: int | None
    blind_since: str | None
    blind_since_us: int | None
    fps: float | None = Field(description="Pictures a second.", examples=[12.5])
    modality: Literal["visible", "infrared"] | None = Field(description="Day or night.")


class CameraAnswer(Answer):
    """A camera."""

    camera: str = Field(examples=["gate-1"])
    is_configured: bool = Field(description="False: it only recorded something once.")
    is_live: bool = Field(description="False: a recording that is watched as a camera.")
    health: HealthAnswer


class Cameras(Answer):
    """All cameras that one may see, by name."""

    items: list[CameraAnswer]


@routes.get("/cameras", least=Role.VIEWER)
def list_cameras(visitor: VisitorOf, desk: DeskOf) -> Cameras:
    """All cameras that one may see, and how they do."""
    found = desk.cameras(visitor)
    return Cameras(items=[_to_camera(desk, name, camera) for name, camera in found.items()])


@routes.get("/cameras/{camera}", least=Role.VIEWER)
def show_camera(camera: CameraPath, visitor: VisitorOf, desk: DeskOf) -> CameraAnswer:
    """One camera."""
    name = desk.require_camera(visitor, camera)
    return _to_camera(desk, name, desk.configured(visitor).get(name))


@routes.get("/gaps", least=Role.VIEWER)
def list_gaps(
    visitor: VisitorOf,
    desk: DeskOf,
    span: SpanQuery,
    cursor: CursorQuery,
    camera: CameraQuery = None,
    limit: LimitQuery = 100,
) -> Page[GapAnswer]:
    """When nobody looked, newest first."""
    before = None if cursor is None else from_cursor(cursor, n=2)
    found = browse_gaps(
        desk.database,
        scope=visitor.cameras,
        span=span,
        camera=None if camera is None else CameraId(camera),
        before=None if before is None else (before[0], before[1]),
        limit=limit + 1,
    )
    places = [(gap.from_us, number) for number, gap in found]
    return Page(items=[to_gap(gap) for _, gap in found[:limit]], next=next_of(places, limit=limit))


def to_health(state: LiveState | None, *, now_us: int) -> HealthAnswer:
    """How a camera does, from what the watcher wrote."""
    if state is None:
        return HealthAnswer(
            state="unknown",
            word=None,
            captured_at=None,
            captured_at_us=None,
            blind_since=None,
            blind_since_us=None,
            fps=None,
            modality=None,
        )
    blind = state.values.get("blind_since_us")
    blind_us = blind if isinstance(blind, int) else None
    fps = state.values.get("fps")
    light = state.values.get("modality")
    is_old = state.written_at_us is None or now_us - state.written_at_us > FRESH_US
    is_live = state.health in SEEING and blind_us is None
    return HealthAnswer(
        state="unknown" if is_old or state.health == "ended" else "live" if is_live else "blind",
        word=state.health,
        captured_at=iso_or_none(state.captured_at_us),
        captured_at_us=state.captured_at_us,
        blind_since=iso_or_none(blind_us),
        blind_since_us=blind_us,
        fps=float(fps) if isinstance(fps, int | float) else None,
        modality=light if light in ("visible", "infrared") else None,
    )


def _to_camera(desk: Desk, name: CameraId, camera: CameraConfig | None) -> CameraAnswer:
    return CameraAnswer(
        camera=name,
        is_configured=camera is not None,
        is_live=camera is not None and camera.is_live,
        health=to_health(desk.live.state(name), now_us=desk.clock.now_us()),
    )
