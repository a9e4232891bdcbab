"""What the OpenAPI document says about each operation: its description, identifiers, headers, examples and problems.

Clients are generated from it. What may grow in version 1 (docs/versions.md), such as problems, is therefore never a closed
list, and an answer has one schema: generators leave out what narrows another schema.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from pos_api.description.examples import STORY, problem
from pos_api.problems import CONTENT_TYPE, PROBLEM_PAGES, TITLES

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
OF_ALL = ("method-not-allowed", "internal", "unavailable")

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
- **Errors** are RFC 9457 `application/problem+json`. Decide by the last part of `type`.
- **Answers may gain** fields, and codes of reasons and problems may be added: pass over what you do not know. States and
  outcomes stay as they are.
- To generate a client, generate its types; send the saved bytes of a request yourself, so that a repeat is the same.

The [protocol](/api/protocol/) says all of it in full. Each problem has a page:

| status | code | |
|---|---|---|
"""
SERVERS = ({"url": "/", "description": "The Back Office that serves this document."},)
LICENCE = {"name": "The licence of Back Office itself"}
PROTOCOL = {"url": "/api/protocol/", "description": "The terminal protocol in full."}
# Tags and operations in the order of a till's day.
TAGS: Mapping[str, str] = {
    "terminal": "Who the terminal is and how it is.",
    "opening": "The shift begins.",
    "selling": "Orders and cash movements, and what became of them.",
    "store": "What the terminals of the store sold.",
    "closing": "The shift ends, and settles.",
}


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
        "opening",
        "Opens a shift. With `closed_at` it is recorded as already ended, and may be opened beside an open one.",
        {200: "It had already been opened like this: the shift as it stands now.", 201: "The shift is open."},
    ),
    "PUT /shifts/{shift_id}/batches/{batch_id}": Operation(
        "sendBatch",
        "selling",
        "Stores orders and cash movements of a shift. A live order is a batch of one, sent with `Prefer: wait=N`. "
        "A closed shift still accepts batches.",
        {
            200: "Stored and processed: its receipt.",
            202: "Stored: the receipt as it stands. Ask for it again at `Location`.",
        },
    ),
    "GET /batches/{batch_id}": Operation(
        "getBatch",
        "selling",
        "What became of each order and cash movement in a batch.",
        {
            200: "The receipt. Until the batch is processed, all outcomes are 0 and the lists empty; `orders` is how many were sent."
        },
    ),
    "GET /store/orders": Operation(
        "getStoreOrders",
        "store",
        "Every posted paid order of the store once, the terminal's own included. Follow the feed with the cursor `next`.",
        {200: "A page of orders. `Retry-After` says when to ask again."},
    ),
    "GET /store/orders/by-number": Operation(
        "findStoreOrderByNumber",
        "store",
        "An order of any terminal of the store, by what stands on its receipt, and what was given back of it.",
        {200: "The order as it was sent, masked."},
    ),
    "GET /store/orders/{order_id}": Operation(
        "findStoreOrder",
        "store",
        "An order of any terminal of the store, and what was given back of it: what a refund at another till needs.",
        {200: "The order as it was sent, masked."},
    ),
    "PUT /shifts/{shift_id}/close": Operation(
        "closeShift",
        "closing",
        "Declares the end of a shift. It is `closing` until every declared batch and number has arrived and is processed.",
        {200: "It had already been declared like this: the shift as it stands now.", 202: "The declaration is stored."},
    ),
    "GET /shifts/{shift_id}": Operation(
        "getShift",
        "closing",
        "What was declared beside what is posted, what is missing, and the cash drawer.",
        {200: "The shift as it stands now."},
    ),
}

IDENTIFIERS: Mapping[str, str] = {
    "shift_id": "Minted by the terminal for its shift.",
    "order_id": "Minted by the terminal that made the order.",
    "batch_id": "Minted by the terminal for this batch, and kept until it is settled.",
}
RETRY_AFTER = {"description": "Seconds to wait.", "required": True, "schema": {"type": "integer", "minimum": 0}}
LOCATION = {
    "description": "Where the receipt is.",
    "required": True,
    "schema": {"type": "string", "format": "uri-reference"},
}
ALLOW = {"description": "The methods of this address.", "required": True, "schema": {"type": "string"}}
REQUEST_ID = {
    "description": "What the service's logs call this request. Name it to whoever operates the service.",
    "required": False,
    "schema": {"type": "string"},
}
CHALLENGE = {"description": "`Bearer`.", "required": True, "schema": {"type": "string"}}
PROBLEM_HEADERS: Mapping[int, Mapping[str, Any]] = {
    401: {"WWW-Authenticate": CHALLENGE},
    405: {"Allow": ALLOW},
    429: {"Retry-After": RETRY_AFTER},
    503: {"Retry-After": RETRY_AFTER},
}
ANSWER_HEADERS: Mapping[str, Mapping[str, Any]] = {
    "PUT /shifts/{shift_id}/batches/{batch_id}": {"Location": LOCATION},
    "GET /store/orders": {"Retry-After": RETRY_AFTER},
}


def complete(document: dict[str, Any]) -> None:
    """Completes the document in place. Raises KeyError for an operation that has no entry here."""
    table = "".join(f"| {status} | {_page(code)} | {title} |\n" for code, (status, title) in TITLES.items())
    document["info"] |= {"description": INTRODUCTION + table, "license": LICENCE}
    document["servers"] = list(SERVERS)
    document["externalDocs"] = PROTOCOL
    document["tags"] = [{"name": name, "description": description} for name, description in TAGS.items()]
    document["components"]["examples"] = {
        code: {"summary": title, "value": problem(code)} for code, (_, title) in TITLES.items()
    }
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _complete(operation, _key(method, path))
    document["paths"] = _in_order(document["paths"])


def _key(method: str, path: str) -> str:
    return f"{method.upper()} {path.removeprefix(BASE_PATH)}"


def _in_order(paths: dict[str, Any]) -> dict[str, Any]:
    """Paths by their first operation of the day, and the operations of a path likewise."""
    place = {key: index for index, key in enumerate(OPERATIONS)}
    sorted_paths = {
        path: dict(sorted(operations.items(), key=lambda item: place[_key(item[0], path)]))
        for path, operations in paths.items()
    }
    return dict(sorted(sorted_paths.items(), key=lambda item: place[_key(next(iter(item[1])), item[0])]))


def _page(code: str) -> str:
    return f"[`{code}`]({PROBLEM_PAGES}{code})"


def _complete(operation: dict[str, Any], key: str) -> None:
    words = OPERATIONS[key]
    operation.update(operationId=words.id, tags=[words.tag], description=words.description)
    operation.setdefault("security", [])
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
    for response in operation["responses"].values():
        response.setdefault("headers", {})["X-Request-ID"] = REQUEST_ID


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
    if operation["security"]:
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
    content = {
        "schema": {"$ref": "#/components/schemas/ProblemAnswer"},
        "examples": {code: {"$ref": f"#/components/examples/{code}"} for code in codes},
    }
    response: dict[str, Any] = {
        "description": "\n".join(f"- {_page(code)}: {TITLES[code][1]}" for code in codes),
        "content": {CONTENT_TYPE: content},
    }
    if status in PROBLEM_HEADERS:
        response["headers"] = dict(PROBLEM_HEADERS[status])
    return response
