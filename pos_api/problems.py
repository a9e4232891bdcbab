"""Errors as RFC 9457 problem details. The codes are those of protocol §9; `type` is stable and ends in the code."""

import math
from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

import msgspec
import structlog
from django.core.exceptions import DisallowedHost, SuspiciousOperation
from django.db import InterfaceError, InternalError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.views.defaults import bad_request
from msgspec import UNSET, Meta, UnsetType
from psycopg_pool import PoolTimeout
from rest_framework import exceptions

from backoffice.domain.cards.search import mask_numbers
from backoffice.domain.wire.answers import LimitsAnswer, Pointer, StandingClose
from backoffice.domain.wire.conversion import Violation, learn_types
from backoffice.domain.wire.envelope import BodyMalformed, EnvelopeInvalid, TooManyOrders
from backoffice.ingestion.batch.accept import IdentifierReused, ShiftUnknown
from backoffice.ingestion.shifts import AlreadyClosed, NoSuchShift, ShiftAlreadyOpen
from backoffice.ingestion.stores import ActivationRefused
from pos_api.limits import current_limits

log = structlog.get_logger(__name__)

TYPE_PREFIX = "https://backoffice.example/problems/"
PROBLEM_PAGES = "/problems/"
"""Where every service has a page for each code: the path of `type`."""
CONTENT_TYPE = "application/problem+json"

TITLES: Mapping[str, tuple[int, str]] = {
    "body-malformed": (400, "The body is not JSON in UTF-8."),
    "digest-mismatch": (400, "The body does not match its Content-Digest."),
    "cursor-invalid": (400, "This service did not issue that cursor."),
    "credential-invalid": (401, "The credential is not valid."),
    "activation-code-invalid": (403, "The activation code is not valid."),
    "not-found": (404, "There is nothing here for this terminal."),
    "shift-unknown": (404, "This shift was never opened."),
    "method-not-allowed": (405, "This address does not support that method."),
    "body-timeout": (408, "The body did not arrive in time."),
    "shift-already-open": (409, "This terminal already has an open shift."),
    "length-required": (411, "The request does not say how long its body is."),
    "too-large": (413, "The body is larger than the service accepts."),
    "media-type": (415, "The body is in a format that the service does not accept."),
    "identifier-reused": (422, "This identifier is already in use for something else."),
    "envelope-invalid": (422, "This is not the message that this address expects."),
    "too-many-requests": (429, "This terminal is sending too many requests."),
    "internal": (500, "Something went wrong here. Nothing was lost: send it again."),
    "unavailable": (503, "The service cannot store anything at the moment."),
}

# Neither is a closed list: codes may be added (protocol §2.6).
ProblemType = Annotated[
    str, Meta(extra_json_schema={"format": "uri", "examples": [TYPE_PREFIX + code for code in TITLES]})
]
PLACES = ("missing", "invalid", "currency-not-of-store")
PlaceCode = Annotated[str, Meta(examples=list(PLACES))]


class ProblemPlace(msgspec.Struct):
    """One place in the body that is at fault."""

    pointer: Pointer
    code: PlaceCode
    detail: str


class ProblemAnswer(msgspec.Struct):
    """RFC 9457. Decide by the last part of `type`, the code; the words may change.

    `errors` comes with `envelope-invalid` and names every fault, 20 at most; `limits` comes with `too-large`, `shift_id`
    with `shift-already-open` (the one that is open), `declared` with `identifier-reused` of a close (the declaration that
    stands, its batches counted, not listed).
    """

    type: ProblemType
    title: str
    status: Annotated[int, Meta(ge=400, le=599)]
    detail: str
    instance: str
    errors: list[ProblemPlace] | UnsetType = UNSET
    limits: LimitsAnswer | UnsetType = UNSET
    shift_id: UUID | UnsetType = UNSET
    declared: StandingClose | UnsetType = UNSET


class Problem(Exception):
    """Any answer other than success: a code of protocol §9, a sentence for people, and members of `ProblemAnswer`."""

    def __init__(
        self, code: str, detail: str = "", *, headers: Mapping[str, str] | None = None, **members: Any
    ) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})
        self.members = members

    def answer(self, *, instance: str) -> ProblemAnswer:
        """The body of the answer; `instance` is the path that was asked for."""
        status, title = TITLES[self.code]
        return ProblemAnswer(
            type=TYPE_PREFIX + self.code,
            title=title,
            status=status,
            detail=self.detail or title,
            instance=instance,
            **self.members,
        )


def problem_response(error: Exception, context: Mapping[str, Any]) -> HttpResponse:
    """DRF's exception handler: every error in a view becomes a problem. One we did not foresee is logged and is a 500."""
    request: HttpRequest | None = context.get("request")
    problem = error if isinstance(error, Problem) else _translate(error)
    return _response(problem, instance=request.path if request is not None else "")


learn_types(globals())


def refused_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's `handler400`, for requests it refuses before any view: terminals get a problem, browsers a page."""
    if not request.path.startswith("/api/"):
        return bad_request(request, exception)
    return _response(_translate(exception), instance=request.path)


def _response(problem: Problem, *, instance: str) -> HttpResponse:
    answer = problem.answer(instance=mask_numbers(instance))
    body = msgspec.json.encode(answer)
    return HttpResponse(body, status=answer.status, headers=problem.headers, content_type=CONTENT_TYPE)


def _place(fault: EnvelopeInvalid | Violation) -> ProblemPlace:
    place = {"pointer": fault.pointer, "code": fault.code, "detail": fault.detail}
    return msgspec.convert(place, ProblemPlace)


def _translate(error: Exception) -> Problem:  # noqa: C901, PLR0911, PLR0912 - one line an error
    match error:
        case BodyMalformed():
            return Problem("body-malformed", error.detail)
        case EnvelopeInvalid():
            return Problem("envelope-invalid", error.detail, errors=[_place(error), *map(_place, error.others)])
        case TooManyOrders():
            return Problem("too-large", str(error), limits=current_limits())
        case ActivationRefused():
            return Problem("activation-code-invalid", "Ask head office for a new code.")
        case ShiftUnknown():
            return Problem("shift-unknown", "Open it first, then send the batch again: nothing is lost.")
        case NoSuchShift():
            return Problem("shift-unknown", "This terminal has opened no shift with this identifier.")
        case ShiftAlreadyOpen():
            return Problem("shift-already-open", "Close the open shift first.", shift_id=error.shift_id)
        case AlreadyClosed():
            return Problem(
                "identifier-reused",
                "The shift was already closed with different content, which stands.",
                declared=error.declared,
            )
        case IdentifierReused():
            return Problem("identifier-reused", "It was used before with different content, or by another terminal.")
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
            return Problem("not-found", "The service does not answer to the name in the Host header.")
        case SuspiciousOperation():
            return Problem("not-found", "No address of the service takes such a request.")
        case OperationalError() | InternalError() | InterfaceError() | PoolTimeout():
            log.error("database unavailable", error=str(error))
            return Problem("unavailable", "Send again with the same identifiers.", headers={"Retry-After": "5"})
    log.error("request failed", exc_info=error)
    return Problem("internal")
