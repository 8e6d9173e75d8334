"""What cameras recorded: played from the moment of a sighting, exported."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Annotated

from fastapi import Query, Response
from fastapi.responses import FileResponse
from pydantic import Field
from starlette.background import BackgroundTask

from pipeline.api.answers import Answer
from pipeline.api.desk import Desk, DeskOf
from pipeline.api.errors import Absent, QuestionInvalid, Refused
from pipeline.api.headers import OF_VISITOR
from pipeline.api.routes.sightings import JPEG
from pipeline.api.routing import PREFIX, Routes
from pipeline.api.times import SpanQuery, forward, read_time
from pipeline.api.visitors import Visitor, VisitorOf
from pipeline.api.words import CameraPath, Words
from pipeline.clip_paper import export, paper_of
from pipeline.recordings import Moment
from storage.desk.segments import locked_spans
from storage.desk.types import Role
from storage.types import Span
from streams.moments import iso_time
from streams.pictures import to_jpeg
from streams.types import CameraId

routes = Routes("recordings")
VIDEO = "video/mp4"
_ZIP = "application/zip"
_QUALITY = 90
_LONGEST_CLIP_US = 3_600_000_000

AtQuery = Annotated[
    str,
    Query(
        max_length=40,
        description="When; ISO 8601, or microseconds UTC.",
        examples=["2026-06-01T14:00:05Z"],
    ),
]
TimeField = Annotated[str, Field(max_length=40, examples=["2026-06-01T14:00:05Z"])]


class RecordedAnswer(Answer):
    """An unbroken stretch of recordings."""

    from_: str = Field(alias="from", serialization_alias="from")
    from_us: int
    to: str
    to_us: int


class LockAnswer(RecordedAnswer):
    """A stretch of recordings that an evidence lock keeps."""

    until: str
    until_us: int


class Recorded(Answer):
    """When there are recordings, oldest first."""

    items: list[RecordedAnswer]
    locks: list[LockAnswer] = Field(description="What of them is kept, whatever retention says.")


class MomentAnswer(Answer):
    """Where in which file a moment is."""

    camera: str
    at: str
    at_us: int
    video: str | None = Field(
        description="Address of the file, with byte ranges; null: it is a folder of images, or "
        "shows more than this camera: take `picture`."
    )
    picture: str = Field(description="Address of the picture at that moment.")
    offset_s: float = Field(description="Of the moment from the file's first picture, seconds.")
    from_us: int
    to_us: int
    codec: str
    is_segment: bool = Field(description="One of many short files; the next begins at `to_us`.")
    region: list[float] | None = Field(
        description="The part of the picture that is this camera, fractions; null: all of it."
    )


class AskedClip(Answer):
    """A stretch to be exported."""

    from_: TimeField = Field(alias="from")
    to: TimeField
    reason: Words = ""


@routes.get("/cameras/{camera}/recordings", least=Role.VIEWER)
def list_recordings(
    camera: CameraPath, visitor: VisitorOf, desk: DeskOf, span: SpanQuery
) -> Recorded:
    """When there are recordings of a camera, and which are kept."""
    name = desk.require_camera(visitor, camera)
    found = desk.recordings.spans(name, from_us=span.from_us, to_us=span.to_us)
    locks = locked_spans(desk.database, span=span, camera=name, now_us=desk.clock.now_us())
    return Recorded(
        items=[RecordedAnswer.model_validate(_bounds(each.from_us, each.to_us)) for each in found],
        locks=[
            LockAnswer.model_validate(
                {
                    **_bounds(each.from_us, each.to_us),
                    "until": iso_time(each.until_us),
                    "until_us": each.until_us,
                }
            )
            for each in locks
        ],
    )


def _bounds(from_us: int, to_us: int) -> dict[str, object]:
    return {"from": iso_time(from_us), "from_us": from_us, "to": iso_time(to_us), "to_us": to_us}


@routes.get("/cameras/{camera}/recordings/moment", least=Role.VIEWER)
def show_moment(camera: CameraPath, at: AtQuery, visitor: VisitorOf, desk: DeskOf) -> MomentAnswer:
    """Where to play a moment of a camera."""
    name, at_us = desk.require_camera(visitor, camera), read_time(at)
    found = _open(desk, visitor, name, at_us)
    base = f"{PREFIX}/cameras/{name}/recordings"
    return MomentAnswer(
        camera=name,
        at=iso_time(at_us),
        at_us=at_us,
        video=f"{base}/video?at={found.from_us}" if may_play(found, visitor) else None,
        picture=f"{base}/picture?at={at_us}",
        offset_s=found.offset_s,
        from_us=found.from_us,
        to_us=found.to_us,
        codec=found.codec,
        is_segment=found.is_segment,
        region=None if found.region is None else list(found.region),
    )


@routes.get(
    "/cameras/{camera}/recordings/video",
    least=Role.VIEWER,
    response_class=FileResponse,
    responses={200: {"content": {VIDEO: {}}, "description": "A file, with byte ranges."}},
)
def show_video(camera: CameraPath, at: AtQuery, visitor: VisitorOf, desk: DeskOf) -> FileResponse:
    """The file that shows a moment of a camera, or a part of it (`Range`)."""
    name = desk.require_camera(visitor, camera)
    found = _open(desk, visitor, name, read_time(at))
    if not may_play(found, visitor):
        raise Absent("this recording is played picture by picture; take recordings/picture")
    desk.viewings.write_down(visitor, "view recording", name, from_us=found.from_us)
    return FileResponse(
        found.path,
        media_type=VIDEO,
        headers={"Cache-Control": "private, max-age=600", **OF_VISITOR},
    )


@routes.get(
    "/cameras/{camera}/recordings/picture",
    least=Role.VIEWER,
    response_class=Response,
    responses={200: {"content": {JPEG: {}}, "description": "A picture."}},
)
def show_still(camera: CameraPath, at: AtQuery, visitor: VisitorOf, desk: DeskOf) -> Response:
    """The picture that a camera showed at a moment."""
    name, at_us = desk.require_camera(visitor, camera), read_time(at)
    moment = _open(desk, visitor, name, at_us)
    desk.viewings.write_down(visitor, "view recording", name, from_us=moment.from_us)
    with desk.decoding():
        still = desk.recordings.frame_at(moment, at_us)
    jpeg = to_jpeg(still.pixels, quality=_QUALITY)
    return Response(
        jpeg,
        media_type=JPEG,
        headers={"X-Noctule-Captured-At-Us": str(still.captured_at_us)},
    )


@routes.post(
    "/cameras/{camera}/clips",
    least=Role.OPERATOR,
    response_class=FileResponse,
    responses={200: {"content": {_ZIP: {}}, "description": "The clip, and its paper."}},
)
def export_clip(
    camera: CameraPath, asked: AskedClip, visitor: VisitorOf, desk: DeskOf
) -> FileResponse:
    """A stretch of recordings, at most an hour, with a paper that says what it is; audited."""
    name = desk.require_camera(visitor, camera)
    span = asked_span(asked.from_, asked.to)
    if (span.to_us or 0) - (span.from_us or 0) > _LONGEST_CLIP_US:
        raise QuestionInvalid("a clip is an hour long at most; export it in parts")
    shown = desk.recordings.moments(name, from_us=span.from_us or 0, to_us=span.to_us or 0)
    if not all(may_play(each, visitor) for each in shown):
        visitor.require_all()
    folder = Path(tempfile.mkdtemp(prefix="noctule-clip-"))
    try:
        with desk.decoding():
            packed = _export(desk, visitor, name, span, asked.reason, folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return FileResponse(
        packed,
        media_type=_ZIP,
        filename=packed.name,
        background=BackgroundTask(shutil.rmtree, folder, ignore_errors=True),
    )


def _export(
    desk: Desk, visitor: Visitor, camera: CameraId, span: Span, reason: str, folder: Path
) -> Path:
    """A zip of clip and paper; it is written down before anybody gets it."""
    from_us, to_us = span.from_us or 0, span.to_us or 0
    clip = folder / f"{camera}-{iso_time(from_us)[:19].replace(':', '')}Z.mp4"
    export(
        desk.recordings,
        desk.database,
        camera,
        (from_us, to_us),
        clip,
        made_by=visitor.name,
        reason=reason,
        clock=desk.clock,
    )
    packed = clip.with_suffix(".zip")
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for file in (clip, paper_of(clip)):
            archive.write(file, file.name)
    clip.unlink()
    return packed


def _open(desk: Desk, visitor: Visitor, camera: CameraId, at_us: int) -> Moment:
    """The file that shows a moment, if the camera's part of its picture is known.

    Raises:
        Refused: It is not, and they may not see all that the file may show.
    """
    found = desk.recordings.open_moment(camera, at_us)
    if not found.is_region_known and visitor.cameras is not None:
        raise Refused(
            "this recording may show other cameras, too, since its camera is configured no more; "
            "ask somebody who sees all"
        )
    return found


def may_play(moment: Moment, visitor: Visitor) -> bool:
    """Whether the file may be played as it is: it may show what another camera sees, too."""
    if moment.codec == "images":
        return False
    return visitor.cameras is None or (moment.is_region_known and moment.region is None)


def asked_span(start: str, end: str) -> Span:
    """A span that was written out; it ends after it begins."""
    return forward(Span(from_us=read_time(start), to_us=read_time(end)))
