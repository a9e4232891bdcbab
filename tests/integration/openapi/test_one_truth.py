"""docs/terminal-protocol.md and the OpenAPI document say the same; tests/unit/docs holds the former against the code."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from backoffice.domain.accounts import PAYMENT_ACCOUNTS
from backoffice.domain.states import BatchState, ShiftState
from pos_api.problems import CONTENT_TYPE, TITLES, TYPE_PREFIX
from tests.integration.openapi.contract import BASE_PATH, document, errors, operations
from tests.unit.docs.documents import PROTOCOL, blocks, rows, section

TEXT = PROTOCOL.read_text()
CODE = re.compile(r"`([^`]+)`")
FIELD = re.compile(r"\b[a-z][a-z0-9_]*\b")
KEY = re.compile(r'"([a-z][a-z0-9_]*)":')


def components() -> dict[str, Any]:
    return document()["components"]["schemas"]


def properties(name: str) -> dict[str, Any]:
    return components()[name]["properties"]


def test_both_list_the_same_operations():
    listed = set(re.findall(r"^\| `([A-Z]+ /[^`]+)`", TEXT, re.MULTILINE))
    assert listed == {name for name, _ in operations()}
    assert f"Base path `{BASE_PATH}/`" in TEXT


def test_both_list_the_same_problems():
    listed = {cells[1].strip("`") for cells in rows(section(PROTOCOL, "## 9. ")) if cells[0].isdigit()}
    assert {TYPE_PREFIX + code for code in listed} == set(properties("ProblemAnswer")["type"]["examples"])
    shown = {
        code
        for _, operation in operations()
        for response in operation["responses"].values()
        for code in response["content"].get(CONTENT_TYPE, {}).get("examples", ())
    }
    assert shown == listed


def test_both_list_the_same_codes_of_places():
    (line,) = re.findall(r"The code of a place is (.*)$", TEXT, re.MULTILINE)
    assert set(CODE.findall(line)) == set(properties("ProblemPlace")["code"]["examples"])


def test_both_list_the_same_reasons():
    listed = [cells[0].strip("`") for cells in rows(section(PROTOCOL, "### Reasons")) if cells[0] != "code"]
    assert listed == properties("ReasonAnswer")["code"]["examples"]


@pytest.mark.parametrize("name", ["ResultAnswer", "MovementResultAnswer"])
def test_both_list_the_same_outcomes(name: str):
    listed = {cells[0].strip("`") for cells in rows(section(PROTOCOL, "### Outcomes")) if cells[0] != "outcome"}
    assert listed == set(properties(name)["outcome"]["enum"]) == set(properties("OutcomesAnswer"))


def test_both_list_the_same_states():
    shift = re.findall(r"[a-z]+", blocks(section(PROTOCOL, "### States"), "")[0])
    assert set(shift) == set(properties("ShiftAnswer")["state"]["enum"]) == set(ShiftState)
    (line,) = re.findall(r"^- `state` is (.*?)\. ", TEXT, re.MULTILINE)
    assert set(CODE.findall(line)) == set(properties("Receipt")["state"]["enum"]) == set(BatchState)


PARTS = {"order": "Order", "line": "Line", "tax": "Tax", "payment": "Payment"}
DEFAULTS = {"absent": None, "null": None, "[]": [], '""': "", "0": 0}


def described_parts() -> Iterator[tuple[str, set[str], dict[str, Any]]]:
    """Component, required fields, and optional ones with their default, from the table of an order."""
    for cells in rows(section(PROTOCOL, "### An order")):
        if cells[0] in PARTS:
            optional = {}
            for entry in filter(None, cells[2].split(" · ")):
                field, said = re.fullmatch(r"`(\w+)` ([^,]+).*", entry).groups()
                optional[field] = DEFAULTS.get(said, said.strip("`"))
            yield PARTS[cells[0]], set(re.findall(r"`([a-z_]+)`", cells[1])), optional


def test_the_parts_of_an_order_have_the_same_fields_and_defaults():
    described = list(described_parts())
    assert len(described) == len(PARTS)
    for name, required, optional in described:
        assert set(components()[name]["required"]) == required
        assert set(properties(name)) == required | set(optional)
        for field, default in optional.items():
            assert properties(name)[field].get("default") == default, (name, field)


def test_the_same_fields_may_be_null():
    (line,) = re.findall(r"^An optional field is never null, except (.*)\.$", TEXT, re.MULTILINE)
    nullable = {
        field
        for name in (*PARTS.values(), "CashMovement")
        for field, schema in properties(name).items()
        if {"type": "null"} in schema.get("anyOf", [])
    }
    assert nullable == set(CODE.findall(line))


@pytest.mark.parametrize(
    ("field", "name", "key"),
    [
        ("`mode`", "Order", "mode"),
        ("`kind`", "Order", "kind"),
        ("`status`", "Order", "status"),
        ("`type`", "Order", "type"),
        ("line `kind`", "Line", "kind"),
        ("tax `kind`", "Tax", "kind"),
        ("`method`", "Payment", "method"),
        ("`printed_to`", "Order", "printed_to"),
    ],
)
def test_a_field_has_the_same_values(field: str, name: str, key: str):
    (cell,) = [cells[1] for cells in rows(section(PROTOCOL, "### An order")) if cells[0] == field]
    schema = properties(name)[key]
    fields = {field for component in components().values() for field in component.get("properties", {})}
    told, known = set(CODE.findall(cell)), set(schema.get("enum") or schema["examples"])
    assert known <= told
    assert told - known <= fields


def test_an_opening_has_the_same_fields():
    table = [cells for cells in rows(section(PROTOCOL, "## 4. ")) if re.fullmatch(r"`\w+`", cells[0])]
    assert {cells[0].strip("`") for cells in table} == set(properties("OpenShift"))
    optional = {cells[0].strip("`") for cells in table if cells[1].startswith("optional")}
    assert set(components()["OpenShift"]["required"]) == set(properties("OpenShift")) - optional


def test_a_heartbeat_and_a_close_require_the_same():
    (line,) = re.findall(r"^(`sent_at`.*?) are required\. ", TEXT, re.MULTILINE)
    assert set(CODE.findall(line)) == set(components()["Heartbeat"]["required"])
    (line,) = re.findall(r"Every field is required, but for (.*)\.$", TEXT, re.MULTILINE)
    optional = set(re.findall(r"`(\w+)`", line))
    assert set(components()["CloseShift"]["required"]) == set(properties("CloseShift")) - optional
    assert set(components()["Totals"]["required"]) == set(properties("Totals"))


# The block that follows these words is this message, shortened with "…" here and there.
MESSAGES = {
    "`POST /activations` (no": "Activation",
    "`GET /terminal` →": "TerminalAnswer",
    "`PUT /terminal/heartbeat` —": "Heartbeat",
    "`PUT /shifts/{shift_id}` — open": "OpenShift",
    "### The receipt": "Receipt",
    "### An order": "Order",
    "`PUT /shifts/{shift_id}/close`\n": "CloseShift",
    "### How a shift stands": "ShiftAnswer",
}


def example_after(words: str) -> Any:
    return json.loads(blocks(TEXT[TEXT.index(words) :], "json")[0])


@pytest.mark.parametrize(("words", "name"), MESSAGES.items(), ids=MESSAGES.values())
def test_an_example_of_the_protocol_shows_every_field_and_no_other(words: str, name: str):
    shown = example_after(words)
    if name == "OpenShift":
        assert set(components()[name]["required"]) <= set(shown) <= set(properties(name))
    else:
        assert set(shown) == set(properties(name))
    wrong = [error for error in errors(components()[name], shown) if "…" not in error and "is a required" not in error]
    assert wrong == []


def test_the_problem_of_the_protocol_is_one_of_the_document():
    shown = next(json.loads(block) for block in blocks(TEXT, "json") if '"type"' in block and "/problems/" in block)
    assert errors(components()["ProblemAnswer"], shown) == []
    assert TITLES[shown["type"].removeprefix(TYPE_PREFIX)] == (shown["status"], shown["title"])


def test_both_know_the_same_fields():
    fields = {field for name in components() for field in components()[name].get("properties", {})}
    told = {
        word for span in CODE.findall(re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL)) for word in FIELD.findall(span)
    }
    of_requests = TEXT[: TEXT.index("\n## 12. The cache file")]
    shown = {key for block in blocks(of_requests, "json") for key in KEY.findall(block)}
    assert fields - told - shown == set()
    assert shown - fields <= set(PAYMENT_ACCOUNTS)  # methods are the keys of `payments`


def test_every_query_and_header_of_the_document_is_in_the_protocol():
    for _, operation in operations():
        for parameter in operation.get("parameters", ()):
            assert parameter["name"] in TEXT
        for response in operation["responses"].values():
            assert all(header in TEXT for header in response.get("headers", {}) if header != "WWW-Authenticate")
