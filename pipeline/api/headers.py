"""What every answer says to browsers, and how large a question may be."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.api.errors import answer_error

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "media-src 'self' blob:; font-src 'self'; connect-src 'self'; manifest-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'"
)
"""Nothing inline, nothing from elsewhere, no frames around us, no HTML out of strings."""
ALWAYS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
OF_VISITOR = {"Vary": "Cookie, Authorization"}
"""Of what browsers keep: whoever signs in after somebody else gets nothing of theirs."""
_SAFE_ONLY = {"Strict-Transport-Security": "max-age=31536000"}
_PRIVATE = ("Cache-Control", "no-store")
_BODY_BYTES = 256_000


class SafeHeaders:
    """Adds the headers to every answer, also to errors; what a route says itself stays."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        wanted = dict(ALWAYS)
        if scope.get("scheme") == "https":
            wanted |= _SAFE_ONLY

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = {name.lower() for name, _ in message.get("headers", [])}
                more = [*wanted.items(), _PRIVATE]
                message["headers"] = [
                    *message.get("headers", []),
                    *(
                        (name.lower().encode(), value.encode())
                        for name, value in more
                        if name.lower().encode() not in said
                    ),
                ]
            await send(message)

        await self._app(scope, receive, send_with_headers)


class BodyLimit:
    """Refuses questions that are too large, told or not, before they fill memory or disk.

    Args:
        larger: Bytes at most, by path; elsewhere 256 kB.
    """

    def __init__(self, app: ASGIApp, *, larger: Mapping[str, int]) -> None:
        self._app = app
        self._larger = dict(larger)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._larger.get(scope["path"], _BODY_BYTES)
        told = next((v for n, v in scope["headers"] if n == b"content-length"), b"0")
        if not told.isdigit() or int(told) > most:
            refusal = answer_error(413, "too_large", _words(most), "send less")
            await refusal(scope, receive, send)
            return
        n_bytes = 0

        async def receive_some() -> Message:
            nonlocal n_bytes
            message = await receive()
            n_bytes += len(message.get("body", b""))
            if n_bytes > most:
                raise HTTPException(413, _words(most))
            return message

        await self._app(scope, receive_some, send)


def _words(most: int) -> str:
    return f"the question is larger than {most:,} bytes".replace(",", " ")
