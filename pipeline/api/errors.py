"""One shape for everything that goes wrong: a code for programs, words and advice for people.

Permanent
├── QuestionInvalid    400  what was asked cannot be understood
├── LoginNeeded        401  nobody knows who asks
├── LoginRefused       401  name or password is wrong
├── Refused            403  who asks may not do that
├── Absent             404  there is nothing of this name, or who asks may not see it
├── Conflicting        409  it cannot be so together with what is there
├── CameraUnusable     409  a camera cannot be seen
└── PictureRefused     422  an upload is no picture that can be searched for
Transient
├── TooOften           429  wait and try again
└── Busy               503  too many ask at once
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from models.errors import PictureInvalid
from pipeline.errors import FileUnwritable, RuleUnusable, UsageInvalid
from storage.errors import (
    AccountRefused,
    AuditFailed,
    BadCursor,
    DatabaseBusy,
    DeskRefused,
    ErasureRefused,
    EvidenceBusy,
    NotFound,
    PersonErased,
    VerdictRefused,
)
from streams.errors import NoctuleError, Permanent, Transient

logger = logging.getLogger(__name__)

_RETRY_S = 1


class QuestionInvalid(Permanent):
    """What was asked cannot be understood."""


class LoginNeeded(Permanent):
    """The question needs somebody who is logged in."""


class LoginRefused(Permanent):
    """Name or password is wrong; which of them is not told."""


class Refused(Permanent):
    """Who asks may not do that."""

    code = "forbidden"


class PasswordOutdated(Refused):
    """A one-time password must be changed before anything else."""

    code = "password_must_change"


class CsrfMissing(Refused):
    """A browser's request that changes something does not come from our own pages."""

    code = "csrf"


class Absent(Permanent):
    """There is nothing of this name that who asks may see."""


class Conflicting(Permanent):
    """It cannot be so together with what is there."""


class CameraUnusable(Permanent):
    """A camera cannot be seen; the words say why, and what to do."""


class PictureRefused(Permanent):
    """An upload that is no picture, or too large a one."""


class TooOften(Transient):
    """Asked too often; `retry_s` says when to ask again."""

    def __init__(self, words: str, *, retry_s: float) -> None:
        super().__init__(words)
        self.retry_s = retry_s


class Busy(Transient):
    """Too many ask at once."""


class ErrorDetail(BaseModel):
    """What went wrong."""

    code: str = Field(description="For programs; does not change.", examples=["not_found"])
    message: str = Field(description="For people.", examples=["nobody is called P-0042"])
    what_to_do: str = Field(
        description="The next step; may be empty.",
        examples=["look the person up under /identities"],
    )


class ErrorAnswer(BaseModel):
    """The one shape of all errors."""

    error: ErrorDetail


_STATUS: Mapping[type[NoctuleError], tuple[int, str]] = {
    QuestionInvalid: (400, "invalid"),
    LoginNeeded: (401, "login_needed"),
    LoginRefused: (401, "login_refused"),
    Refused: (403, "forbidden"),
    Absent: (404, "not_found"),
    PersonErased: (410, "erased"),
    NotFound: (404, "not_found"),
    Conflicting: (409, "conflict"),
    CameraUnusable: (409, "camera_unusable"),
    FileUnwritable: (409, "unwritable"),
    VerdictRefused: (409, "verdict_refused"),
    DeskRefused: (409, "conflict"),
    AccountRefused: (409, "account_refused"),
    BadCursor: (400, "invalid"),
    UsageInvalid: (400, "invalid"),
    RuleUnusable: (422, "rule_unusable"),
    ErasureRefused: (409, "legal_hold"),
    PictureRefused: (422, "picture_refused"),
    PictureInvalid: (422, "picture_refused"),
    TooOften: (429, "too_often"),
    Busy: (503, "busy"),
    DatabaseBusy: (503, "busy"),
    EvidenceBusy: (503, "busy"),
    AuditFailed: (503, "not_audited"),
}
_HTTP_CODES = {
    400: "invalid",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "media_type",
    416: "range",
}


def answer_error(
    status: int,
    code: str,
    message: str,
    what_to_do: str = "",
    *,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """An error in the one shape."""
    body = {"error": {"code": code, "message": message, "what_to_do": what_to_do}}
    return JSONResponse(
        body, status_code=status, headers={"Cache-Control": "no-store", **(headers or {})}
    )


def add_error_handlers(app: FastAPI, *, headers: Mapping[str, str]) -> None:
    """Turn every error into the one shape.

    Args:
        headers: Of the answer to a fault of this program, which no middleware sees.
    """

    def tell_fault(request: Request, error: Exception) -> JSONResponse:
        answer = _tell_fault(request, error)
        answer.headers.update(headers)
        return answer

    app.add_exception_handler(NoctuleError, _tell_ours)
    app.add_exception_handler(RequestValidationError, _tell_invalid)
    app.add_exception_handler(HTTPException, _tell_http)
    app.add_exception_handler(Exception, tell_fault)


def _tell_ours(_: Request, error: Exception) -> JSONResponse:
    status, code = next(
        (_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), (500, "failed")
    )
    message, _sign, what_to_do = str(error).partition("; ")
    headers: dict[str, str] = {}
    if isinstance(error, Refused):
        code = error.code
    if isinstance(error, TooOften):
        headers["Retry-After"] = str(max(1, round(error.retry_s)))
    elif status == 503:
        headers["Retry-After"] = str(_RETRY_S)
    if isinstance(error, LoginNeeded):
        headers["WWW-Authenticate"] = "Bearer"
    if status == 500:  # its words may hold paths and addresses: for the log, not for everybody
        logger.error("a question failed: %s", error)
        message, what_to_do = "this could not be answered", "the server's log says why"
    elif status == 503 and code != "busy":
        logger.error("a question was refused: %s", error)
    elif isinstance(error, DatabaseBusy):
        logger.warning("a question was put off: %s", error)
        message, what_to_do = "the database does not answer at the moment", "try again in a moment"
    return answer_error(status, code, message, what_to_do, headers=headers)


def _tell_invalid(_: Request, error: Exception) -> JSONResponse:
    """What was given is not repeated: it may be a password."""
    mistakes = error.errors() if isinstance(error, RequestValidationError) else []
    told = [
        f"{'.'.join(str(step) for step in mistake['loc'])}: {mistake['msg']}"
        for mistake in mistakes[:5]
    ]
    return answer_error(422, "invalid", "; ".join(told), "see /api/v1/openapi.json")


def _tell_http(_: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    code = _HTTP_CODES.get(status, "failed")
    message = str(error.detail) if isinstance(error, HTTPException) else ""
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    return answer_error(status, code, message, headers=headers)


def _tell_fault(request: Request, error: Exception) -> JSONResponse:
    """A fault of this program: the log has the trace, the answer says nothing of it."""
    route = getattr(request.scope.get("route"), "path", "?")
    logger.error("%s %s failed", request.method, route, exc_info=error)
    return answer_error(500, "failed", "this could not be answered", "the server's log says why")
