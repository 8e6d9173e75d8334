"""The newest picture of a camera, once or as motion JPEG."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from pipeline.api.desk import Desk, DeskOf
from pipeline.api.errors import Absent
from pipeline.api.headers import OF_VISITOR
from pipeline.api.routing import Routes
from pipeline.api.streaming import Stream, Watching
from pipeline.api.visitors import VisitorOf
from pipeline.api.words import CameraPath
from storage.desk.types import Role
from streams.types import CameraId

routes = Routes("live")
JPEG = "image/jpeg"
_BOUNDARY = "picture"
_MOTION = f"multipart/x-mixed-replace; boundary={_BOUNDARY}"
_LOOK_S = 0.05
_AGAIN_S = 5.0
"""A picture that does not change is sent again this often: else proxies and browsers give up."""


@routes.get(
    "/cameras/{camera}/picture",
    least=Role.VIEWER,
    response_class=Response,
    responses={200: {"content": {JPEG: {}}, "description": "The newest picture."}},
)
def show_newest(camera: CameraPath, visitor: VisitorOf, desk: DeskOf) -> Response:
    """The newest picture; `ETag` changes with it."""
    name = desk.require_camera(visitor, camera)
    desk.viewings.write_down(visitor, "view live", name)
    desk.live.want(desk.clock.monotonic_s())
    found = desk.live.picture(name)
    if found is None:
        raise Absent(f"{name} has no picture now; is the watcher running?")
    tag = f'"{found.version & 0xFFFFFFFFFFFFFFFF:x}"'
    return Response(
        found.jpeg,
        media_type=JPEG,
        headers={"ETag": tag, "Cache-Control": "private, no-cache", **OF_VISITOR},
    )


@routes.get(
    "/cameras/{camera}/stream",
    least=Role.VIEWER,
    response_class=StreamingResponse,
    responses={200: {"content": {_MOTION: {}}, "description": "One picture after the other."}},
)
def stream(
    camera: CameraPath, request: Request, visitor: VisitorOf, desk: DeskOf
) -> StreamingResponse:
    """Pictures as they come, as motion JPEG; goes on until it is closed."""
    name = desk.require_camera(visitor, camera)
    desk.viewings.write_down(visitor, "view live", name)
    pictures = _pictures(desk, name, Watching(desk, request, visitor))
    return Stream(pictures, desk=desk, visitor=visitor, media_type=_MOTION)


async def _pictures(desk: Desk, camera: CameraId, watching: Watching) -> AsyncIterator[bytes]:
    version, sent_s = None, 0.0
    while await watching.may_go_on() and watching.visitor.sees(camera):
        found = await asyncio.to_thread(desk.live.picture, camera)
        now_s = desk.clock.monotonic_s()
        desk.live.want(now_s)
        if found is not None and (found.version != version or now_s - sent_s > _AGAIN_S):
            version, sent_s = found.version, now_s
            head = f"--{_BOUNDARY}\r\nContent-Type: {JPEG}\r\nContent-Length: {len(found.jpeg)}"
            yield f"{head}\r\n\r\n".encode() + found.jpeg + b"\r\n"
        await asyncio.sleep(_LOOK_S)
