"""Answers that go on: they end when their visitor may not ask any more, or the server does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from fastapi import Request
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from pipeline.api.desk import Desk
from pipeline.api.visitors import Visitor, recognise

RECHECK_S = 10.0
"""So soon somebody who was signed out, disabled or restricted sees nothing more."""


class Stream(StreamingResponse):
    """An answer that goes on, counted as open until it ends, however it ends.

    Args:
        content: What is sent.
        visitor: Whose it is.
        media_type: Of all that is sent.

    Raises:
        Busy: Too many are open.
    """

    def __init__(
        self, content: AsyncIterator[bytes], *, desk: Desk, visitor: Visitor, media_type: str
    ) -> None:
        super().__init__(content, media_type=media_type, headers={"X-Accel-Buffering": "no"})
        self._desk = desk
        self._who = visitor.name
        desk.open_stream(visitor)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._desk.close_stream(self._who)


class Watching:
    """Whether a visitor may go on looking."""

    def __init__(self, desk: Desk, request: Request, visitor: Visitor) -> None:
        self._desk = desk
        self._request = request
        self._checked_s = desk.clock.monotonic_s()
        self.visitor = visitor

    async def may_go_on(self) -> bool:
        """False once they are signed out or the server closes; `visitor` says what they see now."""
        if self._desk.is_closing.is_set():
            return False
        now_s = self._desk.clock.monotonic_s()
        if now_s - self._checked_s < RECHECK_S:
            return True
        self._checked_s = now_s
        self.visitor = await asyncio.to_thread(recognise, self._desk, self._request)
        return self.visitor.account is not None
