"""Everything that the page of a person shows."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from PIL import Image

from pipeline.api.answers import SightingAnswer
from pipeline.api.desk import Desk
from pipeline.api.live import FRESH_US
from pipeline.api.visitors import Visitor
from pipeline.web.lanes import Chart, Mark, draw_lanes
from pipeline.web.reasons import Reason, reasons_of
from pipeline.web.seen import Seen
from pipeline.web.times import Calendar
from pipeline.web.trail import Trail, draw_trail
from pipeline.web.visits import Crop, claim, crops_of
from pipeline.web.wording import ago_words, chance_words
from storage.desk.plans import camera_places, floor_plan
from streams.types import CameraId

_MOST_FACES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """Where they are now, as far as is known.

    Attributes:
        is_seen: A camera sees them at this moment.
    """

    camera: str
    is_seen: bool
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Faces:
    """Their best pictures in one light, from as many visits as there are."""

    modality: str
    n_visits: int
    crops: tuple[tuple[SightingAnswer, Crop], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """A person at a glance: where they are, how they look, when they were where.

    Attributes:
        marks: Their visits, oldest first.
    """

    seen: Seen
    now: Now
    day: Faces
    night: Faces
    marks: tuple[Mark, ...]
    chart: Chart | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonView(Looks):
    """A person as their page shows them.

    Attributes:
        weakest: The least sure claim,
            and its chance in words; None: nothing was reckoned.
    """

    trail: Trail | None
    reasons: tuple[Reason, ...]
    perhaps: tuple[Reason, ...]
    weakest: Reason | None
    weakest_words: str


def view_looks(desk: Desk, seen: Seen, calendar: Calendar) -> Looks:
    """A glance, for which no grounds are read."""
    marks = [_mark(visit, calendar) for visit in (*seen.visits, *seen.perhaps)]
    marks.sort(key=lambda mark: mark.from_us)
    return Looks(
        seen=seen,
        now=_now(desk, seen, calendar),
        day=_faces("visible", seen.visits),
        night=_faces("infrared", seen.visits),
        marks=tuple(marks),
        chart=draw_lanes(marks, seen.blind, zone=ZoneInfo(calendar.zone)),
    )


def view_person(desk: Desk, visitor: Visitor, seen: Seen, calendar: Calendar) -> PersonView:
    """All of it, oldest first."""
    looks = view_looks(desk, seen, calendar)
    reasons = reasons_of(desk, visitor, [*seen.visits, *seen.perhaps])
    known = tuple(reasons[: len(seen.visits)])
    reckoned = [r for r in known if r.percent is not None and r.visit.link.decision == "link"]
    weakest = min(reckoned, key=lambda reason: reason.percent or 0, default=None)
    return PersonView(
        seen=seen,
        now=looks.now,
        day=looks.day,
        night=looks.night,
        marks=looks.marks,
        chart=looks.chart,
        trail=_trail(desk, visitor, looks.marks, calendar),
        reasons=known,
        perhaps=tuple(reasons[len(seen.visits) :]),
        weakest=weakest,
        weakest_words=""
        if weakest is None or weakest.percent is None
        else chance_words(weakest.percent / 100),
    )


def _now(desk: Desk, seen: Seen, calendar: Calendar) -> Now:
    newest = seen.visits[-1] if seen.visits else None
    cameras = seen.person.cameras
    for camera in cameras:
        state = desk.live.state(CameraId(camera))
        if state is None or calendar.now_us - (state.written_at_us or 0) > FRESH_US:
            continue
        if any(box.get("person") == seen.person.identity for box in state.boxes):
            return Now(camera=camera, is_seen=True, words=f"In view of {camera} now")
    ago = ago_words(seen.person.last_seen_us, now_us=calendar.now_us)
    camera = cameras[-1] if newest is None else newest.camera
    return Now(camera=camera, is_seen=False, words=f"Last seen at {camera}, {ago}")


def _faces(modality: str, visits: Sequence[SightingAnswer]) -> Faces:
    """The best picture of each visit first, then second-best ones."""
    these = [visit for visit in visits if visit.modality == modality][::-1]
    ranked = [
        (rank, visit, crop)
        for visit in these
        for rank, crop in enumerate(crops_of(visit, most=_MOST_FACES))
    ]
    ranked.sort(key=lambda each: each[0])
    return Faces(
        modality=modality,
        n_visits=len(these),
        crops=tuple((visit, crop) for _, visit, crop in ranked[:_MOST_FACES]),
    )


def _mark(visit: SightingAnswer, calendar: Calendar) -> Mark:
    light = "day" if visit.modality == "visible" else "night"
    times = f"{calendar.clock(visit.first_seen_us)} to {calendar.clock(visit.last_seen_us)}"
    return Mark(
        sighting=visit.sighting,
        camera=visit.camera,
        modality=visit.modality,
        from_us=visit.first_seen_us,
        to_us=visit.last_seen_us,
        is_sure=visit.identity is not None,
        words=f"{visit.camera}, {light}, {times}: {claim(visit)}",
    )


def _trail(desk: Desk, visitor: Visitor, marks: Sequence[Mark], calendar: Calendar) -> Trail | None:
    plan = floor_plan(desk.database)
    if plan is None:
        return None
    with Image.open(io.BytesIO(desk.evidence.get(plan.picture))) as picture:
        size = picture.size
    places = [place for place in camera_places(desk.database) if visitor.sees(place.camera)]
    return draw_trail(
        marks,
        places,
        metres_per_pixel=plan.metres_per_pixel,
        size=size,
        times={mark.sighting: calendar.clock(mark.from_us) for mark in marks},
    )
