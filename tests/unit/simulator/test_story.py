"""The plots of the demo before a Back Office in memory, and the verdict on them."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from backoffice_terminal.testing import FakeBackOffice
from django.core.management.base import CommandError

from backoffice.workbench.simulator.link import ROUGH
from backoffice.workbench.simulator.stage import MARK, clear_stage, without_addresses
from backoffice.workbench.simulator.story import CannotAdd, ForgetsThree, Plot, SendsAllAgain, UsesANumberTwice
from backoffice.workbench.simulator.till import Till
from backoffice.workbench.simulator.verdict import compare

Install = Callable[..., Till]


def books_of(server: FakeBackOffice, *, code: str) -> dict[str, object]:
    """What `verify_books --json` would say."""
    paid = [order for order in server.posted() if order["status"] == "paid"]
    payments: dict[str, int] = {}
    for payment in (payment for order in paid for payment in order["payments"]):
        payments[payment["method"]] = payments.get(payment["method"], 0) + payment["amount"]
    store = {
        "code": code,
        "currency": "EUR",
        "orders": len(paid),
        "sales": sum(order["total"] for order in paid if order["kind"] == "sale"),
        "refunds": sum(order["total"] for order in paid if order["kind"] == "refund"),
        "tax": sum(tax["amount"] for order in paid for line in order["lines"] for tax in line["taxes"]),
        "tips": sum(order["tip"] for order in paid),
        "payments": payments,
    }
    return {"orders": len(paid), "stores": [store], "differences": []}


@pytest.mark.parametrize(
    ("plot", "state", "broken"),
    [
        (Plot(short=350), "reconciled", []),
        (UsesANumberTwice(), "discrepant", ["conflict"]),
        (CannotAdd(), "discrepant", ["held"]),
        (SendsAllAgain(), "reconciled", []),
        (ForgetsThree(), "reconciled", []),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Plot) else "",
)
def test_each_plot_ends_as_it_should_and_the_books_are_right(
    install: Install, server: FakeBackOffice, plot: Plot, state: str, broken: list[str]
) -> None:
    till = install(weather=ROUGH)
    plot.play(till)
    assert [shift.state for shift in till.terminal.journal.declared_shifts()] == [state]
    assert [till.terminal.journal.order(order_id).outcome for order_id in plot.broken] == broken
    verdict = compare([(till, plot)], books_of(server, code="PARIS"))
    assert verdict.right, verdict.lines


def test_what_head_office_put_right_is_in_the_books(install: Install, server: FakeBackOffice) -> None:
    till, plot = install(), CannotAdd()
    plot.play(till)
    ((order_id, right),) = plot.corrected.items()
    books = books_of(server, code="PARIS")
    assert not compare([(till, plot)], books, decided=True).right
    order = msgspec.to_builtins(right)
    server.orders[order_id].body, server.orders[order_id].outcome = order, "posted"
    verdict = compare([(till, plot)], books_of(server, code="PARIS"), decided=True)
    assert verdict.right, verdict.lines
    assert verdict.lines[-1].endswith("26 orders, no difference.")


def test_sending_all_again_gives_duplicates(install: Install) -> None:
    till, plot = install(), SendsAllAgain()
    plot.play(till)
    shift_id = till.terminal.journal.declared_shifts()[0].shift_id
    batches = till.terminal.journal.batches(shift_id, "processed")
    assert sum(batch.outcomes.get("duplicate", 0) for batch in batches) == 26


def test_one_order_missing_from_the_books_is_not_right(install: Install, server: FakeBackOffice) -> None:
    till, plot = install(), Plot()
    plot.play(till)
    server.orders.popitem()
    verdict = compare([(till, plot)], books_of(server, code="PARIS"))
    assert not verdict.right
    assert any("DIFFERENT" in line for line in verdict.lines)


def test_a_store_without_books_is_not_right(install: Install, server: FakeBackOffice) -> None:
    till, plot = install(), Plot()
    plot.play(till)
    assert not compare([(till, plot)], books_of(server, code="ELSEWHERE")).right


def test_a_ledger_that_is_unsound_in_itself_is_not_right(install: Install, server: FakeBackOffice) -> None:
    till, plot = install(), Plot()
    plot.play(till)
    books = {**books_of(server, code="PARIS"), "differences": ["entry 7 does not balance"]}
    verdict = compare([(till, plot)], msgspec.json.decode(msgspec.json.encode(books)))
    assert not verdict.right
    assert "  the ledger itself: entry 7 does not balance" in verdict.lines


def test_the_demo_empties_its_own_folder(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    clear_stage(folder)
    (folder / "tills").mkdir()
    (folder / "tills" / "old.sqlite").touch()
    clear_stage(folder)
    assert sorted(entry.name for entry in folder.iterdir()) == ["lock", MARK]


def test_the_demo_empties_no_other_folder(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(CommandError, match="not a demo's folder"):
        clear_stage(tmp_path)
    assert (tmp_path / "thesis.tex").exists()


def test_the_demo_ignores_servers_that_people_have_named() -> None:
    assert without_addresses({"DATABASE_URL": "postgres://production", "HOME": "/root"}) == {"HOME": "/root"}
