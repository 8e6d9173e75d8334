"""Recorded segments as HLS, for players that scrub along a stretch of recordings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import Query, Response
from fastapi.responses import StreamingResponse

from pipeline.api.desk import Desk, DeskOf
from pipeline.api.errors import Absent, QuestionInvalid
from pipeline.api.headers import OF_VISITOR
from pipeline.api.routes.recordings import VIDEO, AtQuery, may_play
from pipeline.api.routing import PREFIX, Routes
from pipeline.api.times import SpanQuery, read_time
from pipeline.api.visitors import Visitor, VisitorOf
from pipeline.api.words import CameraPath
from pipeline.playlist import playlist
from pipeline.recordings import Moment
from storage.desk.types import Role
from streams.errors import SourceUnreadable
from streams.recording.fragments import moved, read_fragments
from streams.types import CameraId

routes = Routes("recordings")
_PLAYLIST = "application/vnd.apple.mpegurl"
_BY_PICTURE = "this recording is played picture by picture; take recordings/picture"
_LONGEST_US = 86_400_000_000
_KEPT = {"Cache-Control": "private, max-age=600", **OF_VISITOR}
LaterQuery = Annotated[
    int,
    Query(ge=0, le=2**48, description="How much later its pictures are, in ticks of its clock."),
]


class _Addresses:
    """Of a camera's segments. They end in .mp4: FFmpeg takes nothing else out of a playlist."""

    def __init__(self, camera: CameraId) -> None:
        self._base = f"{PREFIX}/cameras/{camera}/recordings"

    def head(self, from_us: int) -> str:
        return f"{self._base}/head.mp4?at={from_us}"

    def part(self, from_us: int, *, later_ticks: int) -> str:
        return f"{self._base}/part.mp4?at={from_us}&later={later_ticks}"


@routes.get(
    "/cameras/{camera}/recordings/playlist.m3u8",
    least=Role.VIEWER,
    response_class=Response,
    responses={200: {"content": {_PLAYLIST: {}}, "description": "HLS, RFC 8216."}},
)
def show_playlist(
    camera: CameraPath, visitor: VisitorOf, desk: DeskOf, span: SpanQuery
) -> Response:
    """Recorded segments of a live camera for players that scrub, a day at most."""
    name = desk.require_camera(visitor, camera)
    if span.from_us is None or span.to_us is None:
        raise QuestionInvalid("expected `from` and `to`, the stretch that is to be played")
    if span.to_us - span.from_us > _LONGEST_US:
        raise QuestionInvalid("a playlist is a day long at most; ask for a part")
    shown = desk.recordings.moments(name, from_us=span.from_us, to_us=span.to_us)
    if not all(may_play(each, visitor) for each in shown if each.is_segment):
        raise Absent(_BY_PICTURE)
    told = playlist(
        desk.recordings,
        name,
        from_us=span.from_us,
        to_us=span.to_us,
        addresses=_Addresses(name),
    )
    return Response(told, media_type=_PLAYLIST)


@routes.get(
    "/cameras/{camera}/recordings/head.mp4",
    least=Role.VIEWER,
    response_class=Response,
    responses={200: {"content": {VIDEO: {}}, "description": "`ftyp` and `moov`."}},
)
def show_head(camera: CameraPath, at: AtQuery, visitor: VisitorOf, desk: DeskOf) -> Response:
    """What a player needs before the parts of a playlist; it shows nothing."""
    found = _segment(desk, visitor, desk.require_camera(visitor, camera), at)
    with _still_there():
        head = read_fragments(found.path).head
    return Response(head, media_type=VIDEO, headers=_KEPT)


@routes.get(
    "/cameras/{camera}/recordings/part.mp4",
    least=Role.VIEWER,
    response_class=StreamingResponse,
    responses={200: {"content": {VIDEO: {}}, "description": "Fragments."}},
)
def show_part(
    camera: CameraPath, at: AtQuery, later: LaterQuery, visitor: VisitorOf, desk: DeskOf
) -> StreamingResponse:
    """A segment as a part of a playlist: its pictures as they are, later by `later`."""
    name = desk.require_camera(visitor, camera)
    found = _segment(desk, visitor, name, at)
    desk.viewings.write_down(visitor, "view recording", name, from_us=found.from_us)
    with _still_there():
        n_bytes, content = moved(found.path, later)
    headers = {"Content-Length": str(n_bytes), **_KEPT}
    return StreamingResponse(content, media_type=VIDEO, headers=headers)


@contextmanager
def _still_there() -> Iterator[None]:
    """Retention may take a file away between finding and opening it."""
    try:
        yield
    except SourceUnreadable as error:
        raise Absent(str(error)) from error


def _segment(desk: Desk, visitor: Visitor, camera: CameraId, at: str) -> Moment:
    found = desk.recordings.open_moment(camera, read_time(at))
    if not found.is_segment:
        raise Absent("a file that is watched as a camera has no parts; take recordings/moment")
    if not may_play(found, visitor):
        raise Absent(_BY_PICTURE)
    return found
