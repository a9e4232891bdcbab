"""The checker sees: each thing that it proves is made false once, and it says so. And it shares no code with us."""

import ast
import base64
import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from backoffice_terminal import Device, TaxRate, Terminal

import tests
import tests.faults
import tests.faults.check
from tests.conftest import RunningStack
from tests.faults.naive_queue import TABLES
from tests.faults.recorder import Recorder
from tests.faults.run import check
from tests.journeys.http_till import a_store_code, eventually

CHECKOUT = Path(__file__).resolve().parent.parent.parent
FOLDER = Path(tests.faults.check.__file__).parent
ALLOWED = {*sys.stdlib_module_names, "psycopg", "msgspec"}
TAX = TaxRate("FR-20", "0.2")

PLANTED = """
INSERT INTO ledger_journalentry (id, source_kind) VALUES (1, 'opening'), (2, 'opening');
INSERT INTO ledger_journalline (entry_id, account_id, debit, credit, currency)
VALUES (1, '1000', 100, 0, 'EUR'), (1, '4000', 0, 90, 'EUR'), (3, '1000', 7, 0, 'JPY'), (3, '4000', 0, 7, 'JPY');
"""
PLANTED_FINDINGS = {
    "lost": 5,
    "entries that do not balance": 1,
    "entries without lines": 1,
    "lines without an entry": 1,
    "currencies that do not sum to zero": 1,
    "acknowledged batches that are not stored as sent": 1,
}

Lines = list[dict[str, Any]]


@pytest.fixture(scope="module")
def journals(stack: RunningStack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a terminal wrote down that sold in cash and by card, with discount, tip, refund and void, and closed twice.

    Head office counted after the first close.
    """
    folder = tmp_path_factory.mktemp("journals")
    store = a_store_code(stack)
    recorder = Recorder(folder, "till", httpx.HTTPTransport())
    till = Terminal(folder / "till.sqlite", stack.base_url, transport=recorder)
    code = stack.activation_code(store, "Till 1")
    till.activate(code, Device(name="Till 1"))
    recorder.store, recorder.terminal = store, till.journal.fact("terminal_id") or ""
    till.open_shift(cashier="Anna", opening_float=10000)
    till.go_offline()
    sold = []
    for price in (1000, 1999, 50):
        draft = till.draft()
        draft.add(unit_price=price, quantity="3", taxes=[TAX], discount=price // 10)
        if price == 1999:
            draft.tip = 150
            draft.pay("card", draft.due)
        else:
            draft.pay_cash(tendered=5000)
        sold.append(till.sell(draft).order)
    refund = till.refund(sold[0])
    refund.pay("cash", refund.due)
    till.sell(refund)
    void = till.draft()
    void.add(unit_price=700)
    till.sell(void, status="voided")
    recorder.drawer_holds(till.shift().shift_id, 9500)
    till.close_shift(cash_counted=None)
    with head_office(stack, folder):
        until_settled(till)
    till.open_shift(cashier="Bo", opening_float=0)
    till.close_shift(cash_counted=0)
    until_settled(till)
    till.close()
    return folder


@contextmanager
def head_office(stack: RunningStack, folder: Path) -> Iterator[None]:
    """Counts the drawers of the tills that write in that folder."""
    words = ["-m", "tests.faults.head_office", "--journals", str(folder)]
    environment = {**os.environ, **stack.environment}
    with subprocess.Popen([sys.executable, *words], cwd=CHECKOUT, env=environment) as process:
        try:
            yield
        finally:
            process.kill()


def until_settled(till: Terminal) -> None:
    eventually(lambda: till.sync() or till.journal.unsettled_shifts(), lambda unsettled: not unsettled)


@pytest.fixture
def altered(journals: Path, tmp_path: Path) -> Callable[..., Path]:
    """The journals with their lines changed, in a folder of their own."""

    def alter(
        sent: Callable[[Lines], Lines] = list,
        acknowledged: Callable[[Lines], Lines] = list,
        drawers: Callable[[Lines], Lines] = list,
    ) -> Path:
        for suffix, change in (("sent", sent), ("acknowledged", acknowledged), ("drawers", drawers)):
            name = f"till.{suffix}"
            lines = [json.loads(line) for line in (journals / name).read_text().splitlines()]
            (tmp_path / name).write_text("".join(json.dumps(line) + "\n" for line in change(lines)))
        return tmp_path

    return alter


def found(stack: RunningStack, folder: Path) -> set[str]:
    findings = check(folder, stack.environment["DATABASE_URL"])["findings"]
    return {name for name, finding in findings.items() if finding["count"]}


def run_checker(stack: RunningStack, folder: Path) -> "subprocess.CompletedProcess[str]":
    words = ["-m", "tests.faults.check", "--journals", str(folder), "--database", stack.environment["DATABASE_URL"]]
    return subprocess.run([sys.executable, *words], cwd=CHECKOUT, capture_output=True, text=True, check=False)


def with_orders(line: dict[str, Any], change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    """The line of a batch with each of its orders changed."""
    body = base64.b64decode(line["body"])
    message = json.loads(gzip.decompress(body) if line["encoding"] else body)
    message["orders"] = [change(order) or order for order in message["orders"]]
    return line | {"encoding": "", "body": base64.b64encode(json.dumps(message).encode()).decode()}


def with_every_order(change: Callable[[dict[str, Any]], Any]) -> Callable[[Lines], Lines]:
    return lambda lines: [with_orders(line, change) if "/batches/" in line["path"] else line for line in lines]


def test_right_books_are_found_right(stack: RunningStack, journals: Path) -> None:
    done = run_checker(stack, journals)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "| orders acknowledged | 5 |" in done.stdout
    assert "| orders posted | 5 |" in done.stdout
    assert "| **lost** | 0 |" in done.stdout
    assert "| accounts | 8 |" in done.stdout
    assert "| drawers counted later | 1 |" in done.stdout


def test_an_acknowledged_order_that_is_nowhere_is_lost_and_named(stack: RunningStack, altered: Any) -> None:
    nowhere = "01900000-0000-7000-8000-000000000001"
    folder = altered(with_every_order(lambda order: order | {"order_id": nowhere} if order["number"] == 2 else order))
    done = run_checker(stack, folder)
    assert done.returncode == 1
    assert f"- order {nowhere}, number 2 of terminal" in done.stdout
    assert {"lost", "entries of orders that nobody sent"} <= found(stack, folder)


def test_an_order_that_was_never_acknowledged_need_not_be_there(stack: RunningStack, altered: Any) -> None:
    nowhere = "01900000-0000-7000-8000-000000000002"

    def one_more(lines: Lines) -> Lines:
        batch = next(line for line in lines if "/batches/" in line["path"])
        extra = with_orders(batch, lambda order: order | {"order_id": nowhere})
        path = batch["path"].rpartition("/")[0] + "/01900000-0000-7000-8000-000000000003"
        return [*lines, extra | {"path": path, "sha256": "00"}]

    assert found(stack, altered(one_more)) == set()


def test_an_amount_that_differs_is_seen_in_the_accounts(stack: RunningStack, altered: Any) -> None:
    def by_card(order: dict[str, Any]) -> None:
        for payment in order["payments"]:
            payment["method"] = "card"

    assert "accounts that differ" in found(stack, altered(with_every_order(by_card)))


def test_a_count_that_differs_is_seen_in_the_drawer(stack: RunningStack, altered: Any) -> None:
    def miscounted(lines: Lines) -> Lines:
        close = json.dumps({"cash_counted": 777}).encode()
        return [
            line | {"body": base64.b64encode(close).decode(), "encoding": ""}
            if line["path"].endswith("/close")
            else line
            for line in lines
        ]

    assert {"drawers that differ", "accounts that differ"} <= found(stack, altered(miscounted))


def test_what_head_office_counted_is_seen_in_the_accounts(stack: RunningStack, altered: Any) -> None:
    folder = altered(drawers=lambda lines: [line | {"cash": line["cash"] + 1} for line in lines])
    assert found(stack, folder) == {"accounts that differ"}


def test_a_blind_close_that_nobody_counts_proves_nothing(stack: RunningStack, altered: Any) -> None:
    done = run_checker(stack, altered(drawers=lambda _: []))
    assert done.returncode == 2
    assert "head office counts later" in done.stderr


def test_a_body_that_was_changed_is_seen(stack: RunningStack, journals: Path, altered: Any) -> None:
    path = next(
        json.loads(line)["path"] for line in (journals / "till.sent").read_text().splitlines() if "/batches/" in line
    )
    batch = path.rpartition("/")[2]
    with psycopg.connect(stack.environment["DATABASE_URL"], autocommit=True) as connection:
        row = connection.execute("SELECT body, digest FROM inbox_batch WHERE batch_id = %s", [batch]).fetchone()
        update = "UPDATE inbox_batch SET body = %s, digest = %s WHERE batch_id = %s"
        try:
            connection.execute(update, [b"no body", row[1], batch])
            assert found(stack, journals) == {"stored bodies that do not hash to their digest"}
            connection.execute(update, [row[0], b"another", batch])
            assert "acknowledged batches that are not stored as sent" in found(stack, journals)
        finally:
            connection.execute(update, [row[0], row[1], batch])
    assert found(stack, journals) == set()


def test_books_that_no_guard_protects_are_seen_through(stack: RunningStack, journals: Path) -> None:
    """In tables without our constraints, where everything can be wrong at once."""
    name, url = f"planted_{uuid4().hex[:8]}", stack.environment["DATABASE_URL"]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        planted = url.rpartition("/")[0] + f"/{name}"
        try:
            with psycopg.connect(planted) as books:
                books.execute(TABLES + PLANTED)
            findings = check(journals, planted)["findings"]
        finally:
            connection.execute(f"DROP DATABASE {name}")
    assert {
        name: finding["count"] for name, finding in findings.items() if name in PLANTED_FINDINGS
    } == PLANTED_FINDINGS
    assert findings["entries that do not balance"]["examples"] == ["entry 1: 100 90 EUR"]


def close_with(**fields: Any) -> Callable[[Lines], Lines]:
    """Journals whose closes say this."""
    body = base64.b64encode(json.dumps(fields).encode()).decode()
    return lambda lines: [
        line | {"body": body, "encoding": ""} if line["path"].endswith("/close") else line for line in lines
    ]


def with_kind(kind: str) -> Callable[[Lines], Lines]:
    """Journals whose lines are all of this kind."""
    return with_every_order(lambda order: order | {"lines": [line | {"kind": kind} for line in order["lines"]]})


def test_what_it_has_no_rule_for_proves_nothing(stack: RunningStack, altered: Any) -> None:
    done = run_checker(stack, altered(with_kind("deposit")))
    assert done.returncode == 2
    assert "line of kind deposit" in done.stderr


@pytest.mark.parametrize(
    "changed",
    [close_with(cash_counted=9500, float_left=700), with_kind("gift_card"), with_kind("discount")],
    ids=["left", "gift cards", "discounts"],
)
def test_what_was_left_or_sold_otherwise_is_seen_in_the_accounts(
    stack: RunningStack, altered: Any, changed: Any
) -> None:
    assert "accounts that differ" in found(stack, altered(changed))


def test_journals_that_contradict_themselves_prove_nothing(stack: RunningStack, altered: Any) -> None:
    folder = altered(sent=lambda lines: [line for line in lines if "/batches/" not in line["path"]])
    assert run_checker(stack, folder).returncode == 2


def test_no_journals_prove_nothing(stack: RunningStack, tmp_path: Path) -> None:
    assert run_checker(stack, tmp_path).returncode == 2


def test_it_imports_nothing_of_ours() -> None:
    files = sorted(FOLDER.glob("*.py"))
    assert len(files) >= 5
    for file in files:
        for name in imported(file.read_text()):
            assert name.split(".")[0] in ALLOWED or name.startswith("tests.faults.check"), f"{file.name}: {name}"


def test_the_packages_it_lies_in_bring_nothing_along() -> None:
    assert Path(tests.__file__).read_text() == ""
    assert Path(tests.faults.__file__).read_text() == ""


def imported(source: str) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names
