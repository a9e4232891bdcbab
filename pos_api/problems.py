"""Errors as RFC 9457 problem details. The codes are protocol §9; `type` is stable and ends in the code."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
import structlog
from django.core.exceptions import DisallowedHost, SuspiciousOperation
from django.db import InterfaceError, InternalError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.defaults import bad_request
from msgspec import UNSET, Meta, UnsetType
from psycopg_pool import PoolTimeout
from rest_framework import exceptions
from rest_framework.response import Response

from backoffice.domain.wire.answers import LimitsAnswer, Pointer
from backoffice.domain.wire.envelope import BodyMalformed, EnvelopeInvalid, TooManyOrders
from backoffice.domain.wire.messages import CloseShift
from backoffice.ingestion.batch.accept import IdentifierReused, ShiftUnknown
from backoffice.ingestion.shifts import AlreadyClosed, NoSuchShift, ShiftAlreadyOpen
from backoffice.ingestion.stores import ActivationRefused
from pos_api.limits import limits_json

log = structlog.get_logger(__name__)

TYPE_PREFIX = "https://backoffice.example/problems/"
CONTENT_TYPE = "application/problem+json"

TITLES: Mapping[str, tuple[int, str]] = {
    "body-malformed": (400, "The body is not JSON in UTF-8."),
    "digest-mismatch": (400, "The body is not what Content-Digest says."),
    "cursor-invalid": (400, "The cursor is none that this service gave."),
    "credential-invalid": (401, "The credential is not valid."),
    "activation-code-invalid": (403, "The activation code is not valid."),
    "not-found": (404, "There is nothing here for this terminal."),
    "shift-unknown": (404, "This shift was never opened."),
    "method-not-allowed": (405, "This address does not take this method."),
    "body-timeout": (408, "The body did not arrive in time."),
    "shift-already-open": (409, "Another shift of this terminal is open."),
    "length-required": (411, "The request does not say how long its body is."),
    "too-large": (413, "The body is larger than the service takes."),
    "media-type": (415, "The body is in a format that the service does not read."),
    "identifier-reused": (422, "This identifier stands for something else already."),
    "envelope-invalid": (422, "The message is not what this address takes."),
    "too-many-requests": (429, "This terminal asks too often."),
    "internal": (500, "Something broke here. Nothing was lost: send again."),
    "unavailable": (503, "The service cannot store anything at the moment."),
}

ProblemType = Annotated[str, Meta(extra_json_schema={"enum": [TYPE_PREFIX + code for code in TITLES]})]


class ProblemPlace(msgspec.Struct):
    """One place in the body that is at fault."""

    pointer: Pointer
    code: Literal["missing", "invalid", "currency-not-of-store"]
    detail: str


class ProblemAnswer(msgspec.Struct):
    """RFC 9457. Decide by the last part of `type`, the code; the words may change.

    `errors` comes with `envelope-invalid`, `limits` with `too-large`, `shift_id` with `shift-already-open` (the one that
    is open), `declared` with `identifier-reused` of a close (the declaration that stands).
    """

    type: ProblemType
    title: str
    status: Annotated[int, Meta(ge=400, le=599)]
    detail: str
    instance: str
    errors: list[ProblemPlace] | UnsetType = UNSET
    limits: LimitsAnswer | UnsetType = UNSET
    shift_id: UUID | UnsetType = UNSET
    declared: CloseShift | UnsetType = UNSET


class Problem(Exception):
    """An answer other than success: one code of protocol §9, a sentence for people, and members of its own."""

    def __init__(
        self, code: str, detail: str = "", *, headers: Mapping[str, str] | None = None, **members: Any
    ) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})
        self.members = members


def problem_response(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """DRF's exception handler: every error of a view becomes a problem; an unknown one is logged and is a 500."""
    problem = error if isinstance(error, Problem) else _translate(error)
    request: HttpRequest | None = context.get("request")
    body = _body(problem, instance=request.path if request is not None else "")
    response = Response(body, status=body["status"], headers=problem.headers, content_type=CONTENT_TYPE)
    response.exception = True
    return response


def refused_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's `handler400`, for what it refuses before any view: a terminal reads a problem, a browser a page."""
    if not request.path.startswith("/api/"):
        return bad_request(request, exception)
    problem = _translate(exception)
    body = _body(problem, instance=request.path)
    return JsonResponse(body, status=body["status"], headers=problem.headers, content_type=CONTENT_TYPE)


def _body(problem: Problem, *, instance: str) -> dict[str, Any]:
    status, title = TITLES[problem.code]
    return {
        "type": TYPE_PREFIX + problem.code,
        "title": title,
        "status": status,
        "detail": problem.detail or title,
        "instance": instance,
        **problem.members,
    }


def _translate(error: Exception) -> Problem:  # noqa: C901, PLR0911, PLR0912 - one line an error
    match error:
        case BodyMalformed():
            return Problem("body-malformed", error.detail)
        case EnvelopeInvalid():
            place = {"pointer": error.pointer, "code": error.code, "detail": error.detail}
            return Problem("envelope-invalid", error.detail, errors=[place])
        case TooManyOrders():
            return Problem("too-large", str(error), limits=limits_json())
        case ActivationRefused():
            return Problem("activation-code-invalid", "Ask head office for another code.")
        case ShiftUnknown():
            return Problem("shift-unknown", "Open it first, then send the batch again: nothing is lost.")
        case NoSuchShift():
            return Problem("shift-unknown", "No shift of this identifier was opened by this terminal.")
        case ShiftAlreadyOpen():
            return Problem("shift-already-open", "Close the open shift first.", shift_id=str(error.shift_id))
        case AlreadyClosed():
            return Problem(
                "identifier-reused", "The shift was closed with other content, which stands.", declared=error.declared
            )
        case IdentifierReused():
            return Problem("identifier-reused", "It was used with other content, or by another terminal.")
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            return Problem("credential-invalid", "Activate the terminal again.", headers={"WWW-Authenticate": "Bearer"})
        case exceptions.Throttled():
            wait_s = max(1, math.ceil(getattr(error, "wait", None) or 1))
            return Problem("too-many-requests", f"Wait {wait_s} s.", headers={"Retry-After": str(wait_s)})
        case exceptions.MethodNotAllowed():
            return Problem("method-not-allowed")
        case exceptions.NotFound():
            return Problem("not-found")
        case DisallowedHost():
            return Problem("not-found", "The service does not go by the name in the Host header.")
        case SuspiciousOperation():
            return Problem("not-found", "No address of the service has so many or such fields.")
        case OperationalError() | InternalError() | InterfaceError() | PoolTimeout():
            log.error("database unavailable", error=str(error))
            return Problem("unavailable", "Send again with the same identifiers.", headers={"Retry-After": "5"})
    log.error("request failed", exc_info=error)
    return Problem("internal")
