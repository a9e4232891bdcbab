"""Head office decides without a mouse: a conflict by two people, a gap, a drawer, and the way to any order."""

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple
from uuid import uuid4

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

from tests.browsing import CHROMIUM
from tests.caches import cached_batch, cached_shift, saved_cache
from tests.conftest import RunningStack
from tests.journeys.http_till import HttpTill, a_store_code, eventually
from tests.journeys.insiders import ask_palette, desks, go_to_row, leave_palette, make_insider, said
from tests.till import a_sale

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="No Chromium is installed: apt-get install chromium")

TWO_ABOVE = """
from backoffice.fleet.models import Store
Store.objects.filter(code="{code}").update(second_person_above=100)
print(Store.objects.get(code="{code}").pk)
"""


class ShopTill(HttpTill):
    """A till that knows its store."""

    store_code = ""


class Pair(NamedTuple):
    """Two people of head office, each at a window of their own; where the console is, and the key of the store in it."""

    ruth: Page
    otto: Page
    console: str
    store: str


@pytest.fixture(scope="module")
def till(stack: RunningStack) -> ShopTill:
    """A closed shift of which order 1002 never came, and which is twenty cents short."""
    code = a_store_code(stack)
    till = ShopTill(stack, code)
    till.store_code = code
    till.open()
    orders = [a_sale(1001), a_sale(1003)]
    till.processed(till.upload(*orders).json()["batch_id"])
    till.close(*orders, counted=20460)
    return till


@pytest.fixture(scope="module")
def other_till(stack: RunningStack, till: ShopTill) -> HttpTill:
    """A till beside it, which sent order 7001, and then another version of it."""
    other = HttpTill(stack, till.store_code, name="Till 2")
    other.open(first_number=7001)
    order = a_sale(7001)
    changed = deepcopy(order)
    changed["lines"][0] |= {"quantity": "3", "amount": 360}
    changed |= {"total": 360, "payments": [{"method": "cash", "amount": 360}]}
    for sent in (order, changed):
        other.processed(other.upload(sent).json()["batch_id"])
    return other


@pytest.fixture
def dead_till(stack: RunningStack, till: ShopTill) -> HttpTill:
    """A till that sent order 5001 and 5003 and closed; 5002 is in the file that it saved."""
    dead = HttpTill(stack, till.store_code, name=f"Till {uuid4().hex[:4]}")
    dead.open(first_number=5001)
    orders = [a_sale(5001), a_sale(5003)]
    dead.processed(dead.upload(*orders).json()["batch_id"])
    dead.close(orders[0], a_sale(5002), a_sale(5004), orders[1])
    return dead


@pytest.fixture(scope="module")
def pair(stack: RunningStack, till: ShopTill) -> Iterator[Pair]:
    tag = uuid4().hex[:6]
    store = stack.clerk.does("shell", "-c", TWO_ABOVE.format(code=till.store_code)).split()[-1]
    insiders = [make_insider(stack, f"{name}-{tag}") for name in ("ruth", "otto")]
    with desks() as room:
        ruth, otto = (room.of(stack.base_url, who) for who in insiders)
        yield Pair(ruth, otto, f"{stack.base_url}/console/", store)


def test_a_conflict_is_decided_by_two_people_without_a_mouse(pair: Pair, other_till: HttpTill) -> None:
    ruth, otto = pair.ruth, pair.otto
    # The palette knows the way to what is held, by its number.
    ask_palette(ruth, "7001")
    expect(ruth.locator("#command-results-list")).to_contain_text("Held: order 7001")
    leave_palette(ruth)
    ruth.goto(f"{pair.console}sales/helditem/?reason=content-differs&store={pair.store}")
    go_to_row(ruth, "7001")
    ruth.keyboard.press("Enter")
    expect(ruth.get_by_role("heading", name="Order 7001* is held")).to_be_visible()
    expect(ruth.get_by_text("You are at work on it.")).to_be_visible()
    expect(ruth.get_by_label("This one").get_by_text("(differs)").first).to_be_attached()
    otto.goto(ruth.url)
    expect(otto.locator("[data-claim]")).to_contain_text("is at work on it until")

    ruth.keyboard.press("?")
    expect(ruth.get_by_role("dialog", name="Keys")).to_contain_text("Post as sent")
    ruth.keyboard.press("Escape")
    expect(ruth.get_by_role("dialog", name="Keys")).to_be_hidden()
    ruth.keyboard.press("p")
    note = ruth.get_by_role("textbox", name="Note", exact=True)  # the page that is left has one for notes
    note.focus()
    ruth.keyboard.type("jpd?")
    expect(note).to_have_value("jpd?")
    _choose(ruth, "Only its identifier or its number was in the way")
    ruth.keyboard.press("Enter")
    said(ruth, "it waits for a second person")

    otto.goto(f"{pair.console}books/decision/waiting/")
    go_to_row(otto, "jpd?")
    otto.keyboard.press("a")
    expect(otto.get_by_role("dialog")).to_contain_text("“jpd?”")
    expect(otto.get_by_role("button", name="Agree")).to_be_focused()
    otto.keyboard.press("Enter")
    said(otto, "agreed, and done.")
    assert other_till.shift()["held"] == 0


def test_a_gap_is_explained_and_a_drawer_counted_again_without_a_mouse(pair: Pair, till: ShopTill) -> None:
    ruth = pair.ruth
    ruth.goto(f"{pair.console}sales/shift/{till.shift_id}/change/")
    expect(ruth.get_by_text("Order 1002 has not arrived.")).to_be_visible()
    go_to_row(ruth, "Order 1002")
    ruth.keyboard.press("e")
    expect(ruth.get_by_role("textbox", name="Numbers")).to_have_value("1002-1002")
    _choose(ruth, "The till skipped the number")
    ruth.keyboard.press("Enter")
    said(ruth, "Explain missing numbers")
    expect(ruth.get_by_text("Explained: never were a sale")).to_be_visible()
    assert till.settled()["missing_numbers"] == []

    ruth.keyboard.press("r")
    expect(ruth.get_by_label("Cash (EUR)")).to_be_focused()
    ruth.keyboard.type("204.80")
    expect(ruth.get_by_label("Cash (EUR)")).to_have_value("204.80")
    _choose(ruth, "The count before was wrong")
    ruth.keyboard.press("Enter")
    said(ruth, "Count a drawer again")
    expect(ruth.get_by_text("Neither over nor short")).to_be_visible()
    assert till.shift()["cash"]["counted"] == 20480


def test_an_order_of_a_gap_is_entered_from_its_receipt_without_a_mouse(pair: Pair, dead_till: HttpTill) -> None:
    ruth, otto = pair.ruth, pair.otto
    ruth.goto(f"{pair.console}sales/shift/{dead_till.shift_id}/change/")
    go_to_row(ruth, "Order 5002")
    ruth.keyboard.press("n")
    expect(ruth.get_by_label("Number of the order")).to_have_value("5002")
    expect(ruth.get_by_label("Time", exact=True)).to_be_focused()
    ruth.keyboard.type("1005AM")
    _press_until(ruth, "lines-0-name")
    for typed in ("Baguette", "2", "1.20"):
        ruth.keyboard.press("Control+a")
        ruth.keyboard.type(typed)
        ruth.keyboard.press("Tab")
    sums = ruth.locator("[data-paper-sums]")
    expect(sums).to_contain_text("The lines€2.40")
    _press_until(ruth, "total")
    ruth.keyboard.type("2.50")
    expect(sums).to_contain_text("The receipt says €2.50, and the lines come to €2.40: €0.10 apart.")
    ruth.keyboard.press("Control+a")
    ruth.keyboard.type("2.40")
    _press_until(ruth, "payments-0-amount")
    ruth.keyboard.type("2.40")
    expect(sums).to_contain_text("The payments come to what is due.")
    expect(sums).to_contain_text("Cash in drawer")
    ruth.evaluate(AXE_SCRIPT)
    found = ruth.evaluate("axe.run().then(told => told.violations)")
    assert [one["id"] for one in found if one["impact"] in {"serious", "critical"}] == []
    _choose(ruth, "The till is lost")
    ruth.keyboard.press("Enter")
    said(ruth, "Enter an order by hand")
    expect(ruth.get_by_text("5002 was entered by")).to_be_visible()

    _agree_to(otto, pair, "5002")
    assert dead_till.shift()["missing_numbers"] == [[5004, 5004]]


def test_the_file_of_a_till_is_handed_in_looked_at_and_taken_in_by_two(
    pair: Pair, dead_till: HttpTill, tmp_path: Path
) -> None:
    ruth, otto = pair.ruth, pair.otto
    terminal = dead_till.send("GET", "terminal").json()
    place = SimpleNamespace(
        terminal=SimpleNamespace(uuid=terminal["terminal_id"]),
        store=SimpleNamespace(uuid=terminal["store"]["id"]),
        token=dead_till.token,
    )
    file = tmp_path / "till.cache"
    file.write_bytes(saved_cache(place, cached_shift(dead_till.shift_id, cached_batch(a_sale(5002), a_sale(5004)))))
    ruth.goto(f"{pair.console}fleet/terminal/cache/")
    large = tmp_path / "large.cache"
    large.write_bytes(bytes(5_000_000))
    chooser = ruth.get_by_label("The file that the till saved")
    chooser.set_input_files(large)
    assert "larger than 4 MiB" in chooser.evaluate("input => input.validationMessage")
    chooser.set_input_files(file)
    chooser.focus()
    ruth.keyboard.press("Tab")
    ruth.keyboard.press("Enter")
    expect(ruth.get_by_role("row", name="5004")).to_contain_text("Not known yet")
    _choose(ruth, "The till is dead")
    ruth.keyboard.press("Enter")
    said(ruth, "it waits for a second person")
    _agree_to(otto, pair, "Take in what a till could not send")
    assert eventually(dead_till.shift, lambda shift: shift["missing_numbers"] == [])["held"] == 0
    ruth.reload()
    expect(ruth.get_by_text("2 in the books")).to_be_visible()


def _press_until(page: Page, field: str) -> None:
    """Goes on by the keyboard until the field has the focus. A press is over once the focus has moved."""
    for _ in range(60):
        if page.evaluate("document.activeElement.name") == field:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not reach {field}")


def _agree_to(page: Page, pair: Pair, words: str) -> None:
    """The other person finds the request that says this, and agrees."""
    page.goto(f"{pair.console}books/decision/waiting/")
    go_to_row(page, words)
    page.keyboard.press("a")
    expect(page.get_by_role("button", name="Agree")).to_be_focused()
    page.keyboard.press("Enter")
    said(page, "agreed, and done.")


def _choose(page: Page, words: str) -> None:
    """A reason of a form, with the space bar."""
    reason = page.get_by_label(words)
    reason.focus()
    expect(reason).to_be_focused()
    page.keyboard.press("Space")
    expect(reason).to_be_checked()
