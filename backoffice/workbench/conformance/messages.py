"""From a request to its message, by the service's own readers; what cannot be read is refused and noted."""

from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from backoffice.domain.scalars import is_canonical_uuid
from backoffice.domain.wire.conversion import Violation
from backoffice.domain.wire.envelope import BodyMalformed, Envelope, EnvelopeInvalid, TooManyOrders, decode_batch
from backoffice.workbench.conformance.notes import Notebook
from backoffice.workbench.conformance.rules import rule_of_place
from backoffice.workbench.conformance.traffic import LIMITS, Refused, Request, problem_answer, unframed

Message = TypeVar("Message")


def body_of(notes: Notebook, request: Request, *, small: bool = False) -> bytes:
    """The body without its encoding. Raises Refused."""
    body = unframed(request, small=small)
    notes.kept("framing")
    if "content-digest" in request.headers:
        notes.kept("digest")
    if request.headers.get("content-encoding", "").lower() == "gzip":
        notes.kept("gzip")
    return body


def message_of(
    notes: Notebook, request: Request, read: Callable[[bytes], Message], *, otherwise: str, small: bool = True
) -> Message:
    """The message of a request. A wrong one breaks the rule of the wrong field, or `otherwise`. Raises Refused."""
    body = body_of(notes, request, small=small)
    try:
        return read(body)
    except BodyMalformed as error:
        raise _malformed(request, error) from None
    except EnvelopeInvalid as error:
        raise _invalid(request, error, otherwise=otherwise) from None


def envelope_of(request: Request, body: bytes) -> Envelope:
    """The members of a batch. Raises Refused."""
    try:
        return decode_batch(body, max_orders=LIMITS["max_batch_orders"])
    except BodyMalformed as error:
        raise _malformed(request, error) from None
    except EnvelopeInvalid as error:
        raise _invalid(request, error, otherwise="framing") from None
    except TooManyOrders as error:
        raise Refused(problem_answer("too-large", str(error), limits=LIMITS)) from None


def _malformed(request: Request, error: BodyMalformed) -> Refused:
    answer = problem_answer("body-malformed", error.detail)
    return Refused(answer, rule="framing", what=f"{request.line}: {error.detail}")


def _invalid(request: Request, error: EnvelopeInvalid, *, otherwise: str) -> Refused:
    """Every fault is named in the answer; the first says which rule is broken."""
    faults: list[EnvelopeInvalid | Violation] = [error, *error.others]
    errors = [{"pointer": fault.pointer, "code": fault.code, "detail": fault.detail} for fault in faults]
    rule = rule_of_place(error.pointer, otherwise)
    what = f"{request.line}, {error.pointer or 'the body'}: {error.detail}"
    return Refused(problem_answer("envelope-invalid", error.detail, errors=errors), rule=rule, what=what)


def uuid_in_address(text: str) -> UUID:
    """An identifier in an address. Raises Refused."""
    if not is_canonical_uuid(text):
        raise Refused(problem_answer("not-found"), rule="uuids", what=f'"{text[:50]}" in an address')
    return UUID(text)
