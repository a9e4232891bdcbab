"""The OpenAPI document's schemas, made from the very types that read requests and write answers.

Each view describes what is its own with `describe`; `pos_api.description.operations` adds what all operations share.
"""

from collections.abc import Callable, Mapping, Sequence
from inspect import cleandoc
from typing import Annotated, Any, TypeVar

import msgspec
from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from msgspec import UNSET, Meta, UnsetType

from backoffice.domain.accounts import CASH_REASON_ACCOUNTS, LINE_KINDS, PAYMENT_ACCOUNTS
from backoffice.domain.limits import MAX_CODE, MAX_LINES, MAX_PAYMENTS, MAX_TAXES
from backoffice.domain.orders import TAX_KINDS, CashMovement, Order
from backoffice.domain.rules import ORDER_TYPES
from backoffice.domain.scalars import MAX_MINOR, MAX_NUMBER, Instant, Scaled, scalar_schema
from backoffice.domain.wire import answers
from backoffice.domain.wire.messages import Activation, CloseShift, Heartbeat, OpenShift
from pos_api.description.operations import PROBLEMS_OF, complete
from pos_api.description.words import WORDS
from pos_api.problems import ProblemAnswer

View = TypeVar("View", bound=Callable[..., Any])


class Batch(msgspec.Struct):
    """Orders and cash movements of one shift; one of the two lists must be there. A member that cannot be read is held, without the others."""

    sent_at: Instant | UnsetType = UNSET
    orders: Annotated[list[Order], Meta(max_length=settings.MAX_BATCH_ORDERS)] = []
    cash_movements: Annotated[list[CashMovement], Meta(max_length=settings.MAX_BATCH_ORDERS)] = []


TYPES: Sequence[type] = (
    Activation,
    OpenShift,
    CloseShift,
    Batch,
    answers.Activated,
    answers.TerminalAnswer,
    answers.ShiftAnswer,
    answers.Receipt,
    ProblemAnswer,
    Heartbeat,
    answers.HeartbeatTaken,
    answers.TokenAnswer,
    answers.StoreOrdersAnswer,
    answers.OrderInBooks,
)

_CODE = {"maxLength": MAX_CODE}
# Limits that the types do not enforce, since an order beyond them is held or flagged. Terminals keep to them all the same.
# Texts that only describe have none: a longer one is shortened, and no client should refuse a sale for it.
LIMITS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "Order": {
        "type": {**_CODE, "examples": sorted(ORDER_TYPES)},
        "lines": {"maxItems": MAX_LINES},
        "payments": {"maxItems": MAX_PAYMENTS},
    },
    "Line": {
        "kind": {**_CODE, "examples": sorted(LINE_KINDS)},
        "taxes": {"maxItems": MAX_TAXES},
    },
    "Tax": {"code": _CODE, "kind": {"examples": sorted(TAX_KINDS)}},
    "Payment": {"method": {**_CODE, "examples": sorted(PAYMENT_ACCOUNTS)}},
    "CashMovement": {
        "amount": {"minimum": 1},
        "reason": {**_CODE, "examples": sorted(CASH_REASON_ACCOUNTS)},
    },
}
YEARS = "^20[0-9]{2}-"
REFERENCE = "#/components/schemas/{name}"


def _polish(schema: Any) -> Any:
    # msgspec's schema, put the way that generators of clients understand best.
    if isinstance(schema, list):
        return [_polish(member) for member in schema]
    if not isinstance(schema, dict):
        return schema
    polished: dict[str, Any] = {
        # Names in `properties` are fields, and a field may be called "title".
        name: {field: _polish(part) for field, part in member.items()} if name == "properties" else _polish(member)
        for name, member in schema.items()
        if name != "title"
    }
    if polished.get("additionalProperties") is False:
        del polished["additionalProperties"]  # a newer terminal may send more fields (§2.6)
    if polished.get("type") == "object" and "properties" not in polished:
        polished.setdefault("additionalProperties", True)  # else generators make types of it that hold nothing
    if isinstance(polished.get("enum"), list):
        polished["type"] = "string"
    if polished.get("format") == "date-time":
        polished["pattern"] = YEARS
    if isinstance(polished.get("description"), str):
        polished["description"] = cleandoc(polished["description"])  # Markdown would show an indented line as code
    return polished


def _scalar_schema(kind: type[Any]) -> dict[str, Any]:
    schema = scalar_schema(kind)
    if not issubclass(kind, Scaled):
        return schema
    # The bound of ±10^12 (§2.4) becomes part of the pattern.
    text = schema["anyOf"][1] if "anyOf" in schema else schema
    places = f"{{1,{kind.decimals}}}"
    text["pattern"] = rf"^-?(?:0?[0-9]{{1,12}}(?:\.[0-9]{places})?|{MAX_MINOR}(?:\.0{places})?)$"
    return schema


def _components() -> tuple[tuple[dict[str, Any], ...], dict[str, Any]]:
    references, components = msgspec.json.schema_components(TYPES, schema_hook=_scalar_schema, ref_template=REFERENCE)
    polished = {name: _polish(schema) for name, schema in components.items()}
    for name, words in WORDS.items():
        polished[name]["description"] = words
    for name, fields in LIMITS.items():
        for field, limit in fields.items():
            polished[name]["properties"][field].update(limit)
    return references, polished


_references, COMPONENTS = _components()
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
    ORDER_IN_BOOKS,
) = _references

HEADERS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "Content-Digest": (
        "RFC 9530, over the bytes as sent. Algorithms other than sha-256 are ignored.",
        {"type": "string", "examples": ["sha-256=:RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=:"]},
    ),
    "Content-Encoding": (
        "How the body is compressed. Without it, the body is not compressed.",
        {"type": "string", "enum": ["gzip", "identity"]},
    ),
    "Prefer": (
        "RFC 7240: with `wait=N` the answer has the outcome if it is ready within N seconds, at most 10; best effort.",
        {"type": "string", "examples": ["wait=3"]},
    ),
}
REQUIRED = frozenset({"terminal_id", "number"})
QUERY: Mapping[str, tuple[str, dict[str, Any]]] = {
    "after": (
        "`next` from an earlier answer. Without it, the feed begins with the store's first order.",
        {"type": "string", "pattern": "^[A-Za-z0-9_-]*$"},
    ),
    "terminal_id": ("The terminal that made the order.", {"type": "string", "format": "uuid"}),
    "number": ("The order's number.", {"type": "integer", "minimum": 1, "maximum": MAX_NUMBER}),
    "limit": (
        "Orders in one answer. A larger number counts as the maximum; anything that is not a number counts as absent.",
        {"type": "integer", "minimum": 1, "maximum": 1000, "default": 200},
    ),
    "results": (
        "`all` lists every order and cash movement, also those posted without flags, once the batch is processed.",
        {"type": "string", "enum": ["all"]},
    ),
}


def add_components(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:  # noqa: ARG001, FBT001
    """A drf-spectacular hook: puts our schemas into the document, and completes its operations."""
    result.setdefault("components", {}).setdefault("schemas", {}).update(COMPONENTS)
    complete(result)
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
    """Documents one method of a view: what it takes, what it answers, and the problems that only it has.

    Headers and problems that come with a body, a credential or identifiers are added by themselves.
    """
    body_headers = ("Content-Digest", "Content-Encoding") if request else ()
    parameters = [
        OpenApiParameter(name, schema, OpenApiParameter.HEADER, description=description)
        for name, (description, schema) in HEADERS.items()
        if name in {*headers, *body_headers}
    ] + [
        OpenApiParameter(name, QUERY[name][1], description=QUERY[name][0], required=name in REQUIRED) for name in query
    ]
    return extend_schema(
        summary=summary,
        request={"application/json": request} if request else None,
        responses={
            (status, "application/json"): OpenApiResponse(response=schema) for status, schema in responses.items()
        },
        parameters=parameters,
        extensions={PROBLEMS_OF: list(problems)},
    )
