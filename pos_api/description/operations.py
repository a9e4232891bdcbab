"""What the OpenAPI document says about each operation: its description, identifiers, headers, examples and problems."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from pos_api.description.examples import STORY, problem
from pos_api.problems import CONTENT_TYPE, TITLES, TYPE_PREFIX

BASE_PATH = "/api/v1"
PROBLEMS_OF = "x-problems"
"""Carries a view's own problem codes from `describe` to `complete`, which makes responses of them."""

OF_A_BODY = (
    "body-malformed",
    "digest-mismatch",
    "body-timeout",
    "length-required",
    "too-large",
    "media-type",
    "envelope-invalid",
)
OF_A_CREDENTIAL = ("credential-invalid", "too-many-requests")
OF_IDENTIFIERS = ("not-found",)
OF_ALL = ("internal", "unavailable")

INTRODUCTION = """\
The contract between a POS terminal and Back Office. Bodies are JSON in UTF-8 with a `Content-Length`; a request body may
be sent with `Content-Encoding: gzip`.

- **2xx means durable**: the service answers it only after the body is committed.
- **Every write of business data is a PUT to an identifier that the terminal minted** and saved before sending, so it may
  be repeated for ever. Same identifier, same content: the same answer, no effect. Same identifier, different content: 422
  `identifier-reused`.
- **Money is an integer in the minor unit** of the shift's currency. Quantities and rates are decimal strings.
- **Unknown fields** are ignored by the rules and kept in the stored body. An order is never refused for what it says: it
  is posted, posted with flags, or held for a person.
- **Errors** are RFC 9457 `application/problem+json`. Decide by the last part of `type`:

| status | code | |
|---|---|---|
"""


class Operation(NamedTuple):
    """One operation: its identifier in generated clients, its description, and what each status means."""

    id: str
    tag: str
    description: str
    answers: Mapping[int, str]


OPERATIONS: Mapping[str, Operation] = {
    "POST /activations": Operation(
        "activate",
        "terminal",
        "Turns an activation code, which head office shows once, into a token. Earlier tokens of the terminal are revoked.",
        {201: "The terminal, its store and its token, which is shown this once."},
    ),
    "GET /terminal": Operation(
        "getTerminal",
        "terminal",
        "Who the terminal is, where it stands, and how much it may send at once.",
        {200: "The terminal. A setting that is null flags nothing."},
    ),
    "PUT /terminal/heartbeat": Operation(
        "sendHeartbeat",
        "terminal",
        "How the terminal is, sent whenever it is online. Only the newest heartbeat is kept.",
        {200: "The service's time, and the order numbers that have not arrived."},
    ),
    "POST /terminal/token": Operation(
        "rotateToken",
        "terminal",
        "The present token works until the new one is first used, then never again. Asking again replaces an unused token.",
        {201: "The new token, which is shown this once."},
    ),
    "PUT /shifts/{shift_id}": Operation(
        "openShift",
        "shifts",
        "Opens a shift. With `closed_at` it is recorded as already ended, and may be opened beside an open one.",
        {200: "It had already been opened like this: the shift as it stands now.", 201: "The shift is open."},
    ),
    "GET /shifts/{shift_id}": Operation(
        "getShift",
        "shifts",
        "What was declared beside what is posted, what is missing, and the cash drawer.",
        {200: "The shift as it stands now."},
    ),
    "PUT /shifts/{shift_id}/close": Operation(
        "closeShift",
        "shifts",
        "Declares the end of a shift. It is `closing` until every declared batch and number has arrived and is processed.",
        {200: "It had already been declared like this: the shift as it stands now.", 202: "The declaration is stored."},
    ),
    "PUT /shifts/{shift_id}/batches/{batch_id}": Operation(
        "sendBatch",
        "orders",
        "Stores orders and cash movements of a shift. A live order is a batch of one, sent with `Prefer: wait=N`. "
        "A closed shift still accepts batches.",
        {
            200: "Stored and processed: its receipt.",
            202: "Stored: the receipt as it stands. Ask for it again at `Location`.",
        },
    ),
    "GET /batches/{batch_id}": Operation(
        "getBatch",
        "orders",
        "What became of each order and cash movement in a batch.",
        {
            200: "The receipt. Until the batch is processed, all outcomes are 0 and the lists empty; `orders` is how many were sent."
        },
    ),
    "GET /store/orders": Operation(
        "getStoreOrders",
        "orders",
        "Every posted paid order of the store once, the terminal's own included. Follow the feed with the cursor `next`.",
        {200: "A page of orders. `Retry-After` says when to ask again."},
    ),
}

IDENTIFIERS: Mapping[str, str] = {
    "shift_id": "Minted by the terminal for its shift.",
    "batch_id": "Minted by the terminal for this batch, and kept until it is settled.",
}
RETRY_AFTER = {"description": "Seconds to wait.", "required": True, "schema": {"type": "integer", "minimum": 0}}
LOCATION = {
    "description": "Where the receipt is.",
    "required": True,
    "schema": {"type": "string", "format": "uri-reference"},
}
CHALLENGE = {"description": "`Bearer`.", "required": True, "schema": {"type": "string"}}
PROBLEM_HEADERS: Mapping[int, Mapping[str, Any]] = {
    401: {"WWW-Authenticate": CHALLENGE},
    429: {"Retry-After": RETRY_AFTER},
    503: {"Retry-After": RETRY_AFTER},
}
ANSWER_HEADERS: Mapping[str, Mapping[str, Any]] = {
    "PUT /shifts/{shift_id}/batches/{batch_id}": {"Location": LOCATION},
    "GET /store/orders": {"Retry-After": RETRY_AFTER},
}


def complete(document: dict[str, Any]) -> None:
    """Completes the document in place. Raises KeyError for an operation that has no entry here."""
    table = "".join(f"| {status} | `{code}` | {title} |\n" for code, (status, title) in TITLES.items())
    document["info"]["description"] = INTRODUCTION + table
    document["components"]["examples"] = {
        code: {"summary": title, "value": problem(code)} for code, (_, title) in TITLES.items()
    }
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _complete(operation, f"{method.upper()} {path.removeprefix(BASE_PATH)}")


def _complete(operation: dict[str, Any], key: str) -> None:
    words = OPERATIONS[key]
    operation.update(operationId=words.id, tags=[words.tag], description=words.description)
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path":
            parameter["schema"] = {"type": "string", "format": "uuid"}
            parameter["description"] = IDENTIFIERS[parameter["name"]]
    for status, description in words.answers.items():
        response = operation["responses"][str(status)]
        response["description"] = description
        response.setdefault("headers", {}).update(ANSWER_HEADERS.get(key, {}))
    _add_examples(operation, key)
    _add_problems(operation)


def _add_examples(operation: dict[str, Any], key: str) -> None:
    for exchange in STORY:
        if exchange.operation != key:
            continue
        if exchange.request is not None:
            operation["requestBody"]["required"] = True
            _example(operation["requestBody"]["content"]["application/json"], exchange.name, exchange.request)
        answer = operation["responses"][str(exchange.status)]["content"]["application/json"]
        _example(answer, exchange.name, exchange.answer)


def _example(place: dict[str, Any], name: str, value: Any) -> None:
    place.setdefault("examples", {})[name] = {"value": value}


def _add_problems(operation: dict[str, Any]) -> None:
    codes = {*operation.pop(PROBLEMS_OF), *OF_ALL}
    if "requestBody" in operation:
        codes |= {*OF_A_BODY}
    if "security" in operation:
        codes |= {*OF_A_CREDENTIAL}
    if any(parameter["in"] == "path" for parameter in operation.get("parameters", ())):
        codes |= {*OF_IDENTIFIERS}
    by_status: dict[int, list[str]] = {}
    for code, (status, _) in TITLES.items():
        if code in codes:
            by_status.setdefault(status, []).append(code)
    for status, of_status in by_status.items():
        operation["responses"][str(status)] = _problem_response(status, of_status)


def _problem_response(status: int, codes: list[str]) -> dict[str, Any]:
    particular = {"properties": {"type": {"enum": [TYPE_PREFIX + code for code in codes]}, "status": {"const": status}}}
    content = {
        "schema": {"allOf": [{"$ref": "#/components/schemas/ProblemAnswer"}, particular]},
        "examples": {code: {"$ref": f"#/components/examples/{code}"} for code in codes},
    }
    response: dict[str, Any] = {
        "description": "\n".join(f"- `{code}`: {TITLES[code][1]}" for code in codes),
        "content": {CONTENT_TYPE: content},
    }
    if status in PROBLEM_HEADERS:
        response["headers"] = dict(PROBLEM_HEADERS[status])
    return response
