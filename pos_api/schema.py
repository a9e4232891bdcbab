"""The OpenAPI document: its components come from the very types that read requests (protocol, first paragraph)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema

from backoffice.domain.fields import scalar_schema
from backoffice.domain.orders import CashMovement, Order
from backoffice.domain.wire import Activation, CloseShift, Heartbeat, OpenShift
from pos_api import answers
from pos_api.problems import CONTENT_TYPE, TITLES

View = TypeVar("View", bound=Callable[..., Any])


class Batch(msgspec.Struct):
    """Orders and cash movements of one shift. Members that cannot be read are held, each alone."""

    sent_at: str = ""
    orders: list[Order] = []
    cash_movements: list[CashMovement] = []


TYPES: Sequence[type] = (
    Activation,
    OpenShift,
    CloseShift,
    Batch,
    answers.Activated,
    answers.TerminalAnswer,
    answers.ShiftAnswer,
    answers.Receipt,
    answers.ProblemAnswer,
    Heartbeat,
    answers.HeartbeatTaken,
    answers.TokenAnswer,
    answers.StoreOrdersAnswer,
)

REFERENCE = "#/components/schemas/{name}"
_references, COMPONENTS = msgspec.json.schema_components(TYPES, schema_hook=scalar_schema, ref_template=REFERENCE)
(
    ACTIVATION,
    OPEN_SHIFT,
    CLOSE_SHIFT,
    BATCH,
    ACTIVATED,
    TERMINAL,
    SHIFT,
    RECEIPT,
    PROBLEM,
    HEARTBEAT,
    HEARTBEAT_TAKEN,
    TOKEN,
    STORE_ORDERS,
) = _references

ALWAYS = ("credential-invalid", "too-many-requests", "unavailable")

HEADERS: Mapping[str, str] = {
    "Content-Digest": "RFC 9530: `sha-256=:…:` over the bytes as sent.",
    "Content-Encoding": "`gzip`, or absent.",
    "Prefer": "RFC 7240: `wait=N` answers with the outcome if it is ready within N seconds, 10 at most.",
}
QUERY: Mapping[str, str] = {
    "after": "`next` of an earlier answer; absent, the feed begins with the store's first order.",
    "limit": "Orders in one answer, 1 to 1000; 200 unless said otherwise.",
    "results": "`all` lists every order, not only those that are not plainly posted.",
}


def add_components(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:  # noqa: ARG001, FBT001
    """A spectacular hook: puts the components of our types into the document."""
    result.setdefault("components", {}).setdefault("schemas", {}).update(COMPONENTS)
    return result


def describe(
    summary: str,
    *,
    responses: Mapping[int, dict[str, Any]],
    request: dict[str, Any] | None = None,
    problems: Sequence[str] = (),
    headers: Sequence[str] = (),
    query: Sequence[str] = (),
) -> Callable[[View], View]:
    """Documents one method of a view: what it takes, answers, and which problems it may answer with."""
    answers_by_status: dict[Any, Any] = {
        (status, "application/json"): OpenApiResponse(response=schema) for status, schema in responses.items()
    }
    for status, codes in _by_status((*problems, *ALWAYS)).items():
        answers_by_status[(status, CONTENT_TYPE)] = OpenApiResponse(response=PROBLEM, description=", ".join(codes))
    parameters = [
        OpenApiParameter(name, str, OpenApiParameter.HEADER, description=HEADERS[name], required=False)
        for name in headers
    ] + [OpenApiParameter(name, str, description=QUERY[name], required=False) for name in query]
    return extend_schema(
        summary=summary,
        request={"application/json": request} if request else None,
        responses=answers_by_status,
        parameters=parameters,
    )


def _by_status(codes: Sequence[str]) -> dict[int, list[str]]:
    grouped: dict[int, list[str]] = {}
    for code in codes:
        grouped.setdefault(TITLES[code][0], []).append(code)
    return grouped
