"""docs/terminal-protocol.md against the code: codes, limits, addresses, and examples that the rules themselves read."""

import ast
import json
import re
from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.conf import settings
from django.urls import get_resolver

from backoffice.domain import limits
from backoffice.domain.accounts import LINE_KINDS, PAYMENT_ACCOUNTS
from backoffice.domain.cards.masking import MAX_FINDINGS
from backoffice.domain.orders import Order
from backoffice.domain.reasons import REASONS
from backoffice.domain.rules import MAX_OF_A_CODE, holds
from backoffice.domain.totals import compute_totals, expected_cash, reconcile
from backoffice.domain.wire import messages
from backoffice.domain.wire.envelope import MAX_DEPTH, decode_batch
from backoffice.domain.wire.members import read_movement, read_order
from pos_api.limits import MAX_SMALL_BODY
from pos_api.problems import PLACES, TITLES
from tests.unit.deployment.files import CADDYFILE, settings_variables
from tests.unit.docs.documents import CHECKOUT, PROTOCOL, blocks, rows, section
from tests.unit.domain.builders import a_shift

CODE = re.compile(r"`([^`]+)`")
FIRST_SHIFT = section(PROTOCOL, "## 11. ")


def heredoc(name: str) -> bytes:
    """A file that the first shift writes, with identifiers in place of the shell's names."""
    (text,) = re.findall(rf"cat > {name} <<END\n(.*?)\nEND", "\n".join(blocks(FIRST_SHIFT, "sh")), re.DOTALL)
    known: dict[str, str] = {}

    def put(found: re.Match[str]) -> str:
        # A name stands for one identifier, a call for another each time.
        return known.setdefault(found[0], str(uuid4())) if found[0] != "$(new_id)" else str(uuid4())

    return re.sub(r"\$\(new_id\)|\$[A-Z]+", put, text).encode()


def orders_of(name: str) -> list[Order]:
    orders = [read_order(raw) for raw in decode_batch(heredoc(name), max_orders=10).orders]
    assert all(isinstance(order, Order) for order in orders)
    return orders


def request_after(words: str) -> dict[str, object]:
    """The JSON block that follows these words."""
    text = PROTOCOL.read_text()
    found = json.loads(blocks(text[text.index(words) :], "json")[0])
    return json.loads(json.dumps(found).replace('"\\u2026"', f'"{uuid4()}"'))


def test_it_lists_every_reason_with_its_kind_and_no_other() -> None:
    listed = {cells[0].strip("`"): cells[1] for cells in rows(section(PROTOCOL, "### Reasons")) if cells[0] != "code"}
    assert listed == {code: reason.kind for code, reason in REASONS.items()}


def test_every_code_that_looks_like_a_reason_or_a_problem_is_one() -> None:
    hyphenated = {word for word in CODE.findall(PROTOCOL.read_text()) if re.fullmatch(r"[a-z]+(-[a-z]+)+", word)}
    assert hyphenated <= set(REASONS) | set(TITLES) | set(PLACES)


def test_it_lists_every_problem_with_its_status_and_no_other() -> None:
    table = rows(section(PROTOCOL, "## 9. "))
    listed = {cells[1].strip("`"): int(cells[0]) for cells in table if cells[0].isdigit()}
    assert listed == {code: status for code, (status, _) in TITLES.items()}


def test_it_lists_every_code_of_a_place_and_no_other() -> None:
    (line,) = re.findall(r"The code of a place is (.*)$", PROTOCOL.read_text(), re.MULTILINE)
    assert set(CODE.findall(line)) == set(PLACES)


def codes_given(tree: ast.AST) -> Iterator[str]:
    """The codes of places in a module: `EnvelopeInvalid(code=…)`, and the second of a `Violation(pointer, code, detail)`."""
    for call in ast.walk(tree):
        match call:
            case ast.Call(func=ast.Name(id="EnvelopeInvalid"), keywords=words):
                yield from (w.value.value for w in words if w.arg == "code" and isinstance(w.value, ast.Constant))
            case ast.Call(func=ast.Name(id="Violation"), args=[_, ast.Constant(value=code), _]):
                yield code


def test_the_codes_of_places_are_those_that_the_service_gives() -> None:
    modules = [path for room in ("domain", "ingestion") for path in (CHECKOUT / "backoffice" / room).rglob("*.py")]
    assert {code for path in modules for code in codes_given(ast.parse(path.read_text()))} == set(PLACES)


def test_it_lists_every_address_of_the_api() -> None:
    listed = {
        re.sub(r"{(\w+)}", r"<identifier:\1>", path.strip("/"))
        for path in re.findall(r"^\| `[A-Z]+ (/[^`]+)`", PROTOCOL.read_text(), re.MULTILINE)
    }
    served = {str(pattern.pattern) for pattern in get_resolver("pos_api.urls").url_patterns if pattern.name}
    assert listed == served


def test_its_limits_are_those_of_the_code() -> None:
    text = PROTOCOL.read_text()
    for name, value in (
        ("max_batch_orders", settings.MAX_BATCH_ORDERS),
        ("max_batch_bytes", settings.MAX_BATCH_BYTES),
        ("max_decoded_bytes", settings.MAX_DECODED_BYTES),
        ("max_member_bytes", limits.MAX_MEMBER_BYTES),
    ):
        assert f'"{name}": {value}' in text
    assert f"At most {limits.MAX_LINES} lines, {limits.MAX_PAYMENTS} payments, {limits.MAX_TAXES} taxes" in text
    assert f"At most {limits.MAX_CODE} characters" in text
    assert f"{limits.MAX_NAME} in `name`, {limits.MAX_NOTE} in `note`" in text
    assert f"nested deeper than {MAX_DEPTH}" in text
    assert f"heartbeats are at most {MAX_SMALL_BODY // 1024} KiB" in text
    assert f"at most {MAX_OF_A_CODE} reasons of one code" in text
    assert f"there may be {MAX_FINDINGS}, together" in text


def test_the_time_of_a_body_is_that_of_the_service_and_of_the_proxy() -> None:
    (row,) = [cells for cells in rows(section(PROTOCOL, "## 9. ")) if cells[0] == "408"]
    assert f"longer than {settings_variables()['BODY_TIMEOUT_S']} s" in row[2]
    assert "read_body 2m" in CADDYFILE
    assert "ours 2 minutes" in row[2]


def test_what_ends_a_stuck_transaction_is_what_the_service_asks_of_postgresql() -> None:
    asked = CHECKOUT.joinpath("backoffice", "settings.py").read_text()
    for name, seconds, words in (
        ("statement_timeout", 60, "a statement after 60 s"),
        ("lock_timeout", 10, "a wait for a lock after 10 s"),
        ("idle_in_transaction_session_timeout", 30, "stands idle after 30 s"),
    ):
        assert f"-c {name}={seconds}s" in asked
        assert words in section(PROTOCOL, "## 8. ")


@pytest.mark.parametrize(
    ("field", "known"),
    [("line `kind`", set(LINE_KINDS)), ("`method`", set(PAYMENT_ACCOUNTS))],
    ids=["kinds", "methods"],
)
def test_the_values_of_a_field_are_those_that_can_be_posted(field: str, known: set[str]) -> None:
    (cell,) = [cells[1] for cells in rows(section(PROTOCOL, "### An order")) if cells[0] == field]
    assert set(CODE.findall(cell)) == known


def test_the_fields_of_an_order_are_those_that_are_read() -> None:
    part_of = {"order": Order, "line": None, "tax": None, "payment": None}
    listed = {
        cells[0]: set(re.findall(r"`([a-z_]+)`", " ".join(cells[1:])))
        for cells in rows(section(PROTOCOL, "### An order"))
        if cells[0] in part_of
    }
    assert listed["order"] - {"none"} == set(Order.__struct_fields__)


def test_its_messages_are_read_as_what_they_are() -> None:
    messages.read_activation(json.dumps(request_after("`POST /activations` (no")).encode())
    messages.read_heartbeat(json.dumps(request_after("`PUT /terminal/heartbeat` —")).encode())
    messages.read_open_shift(json.dumps(request_after("`PUT /shifts/{shift_id}` — open")).encode())
    order = read_order(json.dumps(request_after("### An order")).encode())
    assert isinstance(order, Order)
    assert holds(order, shift=a_shift(), methods=PAYMENT_ACCOUNTS) == ()


def test_the_declaration_of_the_first_shift_is_what_its_orders_come_to() -> None:
    live, cached = orders_of("live.json"), orders_of("cache.json")
    for order in (*live, *cached):
        assert holds(order, shift=a_shift(), methods=PAYMENT_ACCOUNTS) == ()
    close = messages.read_close_shift(heredoc("close.json"))
    computed = compute_totals(cached)  # which has the live order once more
    assert reconcile(declared=close.declared_totals(), computed=computed) == []
    assert [order.number for order in cached] == list(range(close.first_number, close.last_number + 1))
    assert (cached[0].number, cached[0].total) == (live[0].number, live[0].total)


def test_the_drawer_of_the_first_shift_is_as_short_as_it_says() -> None:
    (movement,) = [read_movement(raw) for raw in decode_batch(heredoc("cache.json"), max_orders=10).movements]
    close = messages.read_close_shift(heredoc("close.json"))
    expected = expected_cash(
        opening_float=20000,
        cash_payments=close.totals.payments["cash"],
        cash_in=movement.amount,
        cash_out=0,
    )
    assert (
        f'"expected": {expected}, "counted": {close.cash_counted}, "over_short": {close.cash_counted - expected}'
        in (FIRST_SHIFT)
    )
