"""What happens, as server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Header, Request
from fastapi.responses import StreamingResponse

from pipeline.api.desk import Desk, DeskOf
from pipeline.api.events import MOST_AT_ONCE, RELOAD, Event, to_event
from pipeline.api.routing import Routes
from pipeline.api.streaming import Stream, Watching
from pipeline.api.visitors import Visitor, VisitorOf
from storage.browsing import sightings_since
from storage.desk.types import Role
from storage.types import SightingId

routes = Routes("events")
_EVENTS = "text/event-stream"
_LOOK_S, _BEAT_S = 0.5, 5.0
"""So soon it ends when the server does; so seldom it says that it is still there."""
_HELLO = b"retry: 2000\nevent: hello\ndata: {}\n\n"
_BEAT = b": still here\n\n"


@routes.get(
    "/events",
    least=Role.VIEWER,
    response_class=StreamingResponse,
    responses={200: {"content": {_EVENTS: {}}, "description": "One event after the other."}},
)
def listen(
    request: Request,
    visitor: VisitorOf,
    desk: DeskOf,
    last_event_id: Annotated[str | None, Header(max_length=40)] = None,
) -> StreamingResponse:
    """What happens from now on, or since `Last-Event-ID`; goes on until it is closed.

    `boxes`: people in a camera's newest picture, and its health. `sighting`: a visit was recorded.
    `changed`: somebody said anew who a visit is. `alert`: something was raised, or dealt with.
    `reload`: too much happened to tell; load lists anew.
    """
    desk.viewings.write_down(visitor, "view events")
    since = last_event_id if last_event_id and last_event_id.isdecimal() else None
    after = None if since is None or len(since) > 18 else SightingId(int(since))
    events = _events(desk, Watching(desk, request, visitor), after)
    return Stream(events, desk=desk, visitor=visitor, media_type=_EVENTS)


async def _events(desk: Desk, watching: Watching, after: SightingId | None) -> AsyncIterator[bytes]:
    yield _HELLO
    with desk.broadcast.listening() as listener:
        if after is not None:
            missed = await asyncio.to_thread(
                sightings_since, desk.database, after, limit=MOST_AT_ONCE + 1
            )
            if len(missed) > MOST_AT_ONCE:
                missed = []
                yield RELOAD.encode(sees_all=True)
            for sighting in missed:
                event = to_event(sighting)
                if _may_know(watching.visitor, event):
                    yield event.encode(sees_all=watching.visitor.cameras is None)
        silent_s = 0.0
        while await watching.may_go_on():
            came = await listener.take(wait_s=_LOOK_S)
            visitor = watching.visitor
            told = [
                event.encode(sees_all=visitor.cameras is None)
                for event in came
                if _may_know(visitor, event)
            ]
            silent_s = 0.0 if told else silent_s + _LOOK_S
            if told:
                yield b"".join(told)
            elif silent_s >= _BEAT_S:
                silent_s = 0.0
                yield _BEAT


def _may_know(visitor: Visitor, event: Event) -> bool:
    """Whether they see one of the event's cameras, or all, or it is for everybody."""
    if event.cameras is None or visitor.cameras is None:
        return True
    return any(visitor.sees(camera) for camera in event.cameras)
