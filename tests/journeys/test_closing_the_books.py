"""Head office finishes a day and a month in a browser: audited, exported, locked by two people, and what comes late after it."""

import csv
import io
import time
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browsing import CHROMIUM
from tests.conftest import RunningStack
from tests.journeys.http_till import HttpTill, a_store_code
from tests.journeys.insiders import WAIT_MS, desks, make_insider, said
from tests.till import a_sale

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="No Chromium is installed: apt-get install chromium")

DAY, LAST_OF_MONTH = "2026-03-01", "2026-03-31"
# Head office adds reasons of its own; this one takes two people. The worker looks for exports each quarter of a minute.
TWO_LOCK = """
from backoffice.books.models import ReasonCode
ReasonCode.objects.create(verb="lock", code="{code}", title="The month is filed {code}", needs_second_person=True)
"""
RING = "from backoffice.books.exports.tasks import run_exports; run_exports.delay()"
A_LOOK_MS = 10_000


class Office(NamedTuple):
    """Two people at their windows, a store whose only shift adds up, and what is named after this run alone."""

    ruth: Page
    otto: Page
    till: HttpTill
    store_name: str
    tag: str


@pytest.fixture(scope="module")
def office(stack: RunningStack) -> Iterator[Office]:
    tag = uuid4().hex[:6]
    code = a_store_code(stack, name=f"Lyon {tag}")
    till = HttpTill(stack, code)
    till.open()
    orders = [a_sale(1001), a_sale(1002)]
    till.processed(till.upload(*orders).json()["batch_id"])
    till.close(*orders)
    till.settled()
    stack.clerk.does("export_profile", f"books-{tag}", "--format", "gl-csv")
    stack.clerk.does("shell", "-c", TWO_LOCK.format(code=tag))
    insiders = [make_insider(stack, f"{name}-{tag}") for name in ("ruth", "otto")]
    with desks() as room:
        ruth, otto = (room.of(stack.base_url, who) for who in insiders)
        yield Office(ruth, otto, till, f"Lyon {tag}", tag)


def test_a_store_day_is_audited_and_exported(office: Office, stack: RunningStack, tmp_path: Path) -> None:
    ruth = office.ruth
    _open_day(office)
    expect(ruth.get_by_text("To review", exact=True)).to_be_visible()
    ruth.get_by_role("link", name="Shift 311").click()
    ruth.get_by_role("link", name="Approve").click()
    ruth.get_by_label("It agrees").check()
    ruth.get_by_role("dialog").get_by_role("button", name="Approve").click()
    said(ruth, "done.")
    ruth.get_by_role("link", name="Its store day").click()
    expect(ruth.get_by_text("Audited", exact=True)).to_be_visible()

    ruth.clock.install()
    _follow_menu(ruth, "Exports")
    ask = ruth.get_by_role("form", name="Ask for an export")
    ask.get_by_label("Profile").select_option(label=f"books-{office.tag}")
    _choose_store(ask.get_by_label("Store"), office.store_name)
    ask.get_by_label("From").fill(DAY)
    ask.get_by_label("To", exact=True).fill(DAY)
    ask.get_by_role("button", name="Export").click()
    expect(ruth.get_by_role("heading", name=f"Export to books-{office.tag}")).to_be_visible()
    stack.clerk.does("shell", "-c", RING)
    _look_until(ruth, "Done")
    with ruth.expect_download() as started:
        ruth.get_by_role("button", name="Download").click()
    started.value.save_as(tmp_path / "books.csv")
    _check_rows((tmp_path / "books.csv").read_text())

    ruth.reload()
    expect(ruth.locator(".c-card", has=ruth.get_by_role("heading", name="Downloads"))).to_contain_text(
        f"ruth-{office.tag}"
    )
    _open_day(office)
    expect(ruth.get_by_text("Everything of it is exported.")).to_be_visible()


def test_a_month_is_locked_by_two_people_and_what_comes_late_has_two_dates(office: Office) -> None:
    ruth, otto = office.ruth, office.otto
    _open_day(office)
    ruth.get_by_role("link", name="Lock the books").click()
    ruth.get_by_label("Locked through").fill(LAST_OF_MONTH)
    ruth.get_by_label(f"The month is filed {office.tag} (by two people)").check()
    ruth.get_by_role("dialog").get_by_role("button", name="Lock the books").click()
    said(ruth, "it waits for a second person")
    _follow_menu(otto, "Waiting for a second person")
    asked = otto.locator("[data-row]", has_text=office.store_name)
    expect(asked).to_contain_text("31 Mar 2026")
    asked.get_by_role("link", name="Agree").click()
    otto.get_by_role("dialog").get_by_role("button", name="Agree").click()
    said(otto, "agreed, and done.")

    office.till.processed(office.till.upload(a_sale(1003)).json()["batch_id"])
    _follow_menu(ruth, "Orders")
    _choose_store(ruth.get_by_label("Store", exact=True), office.store_name)
    ruth.get_by_role("button", name="Show", exact=True).click()
    ruth.get_by_role("link", name="1003*").click()
    both = "In the books on 1 Apr 2026, the first open day: those of 1 Mar 2026 were locked."
    entry = ruth.locator(".c-card", has_text=both)
    expect(entry).to_be_visible()
    entry.get_by_role("link").first.click()
    expect(ruth.get_by_text("1 Mar 2026, whose books were locked")).to_be_visible()
    _open_day(office)
    ruth.get_by_role("link", name="Shift 311").click()
    expect(ruth.get_by_text("1 order came when the books of this day were locked")).to_be_visible()


def _follow_menu(page: Page, title: str) -> None:
    page.locator("#nav-sidebar").get_by_text(title, exact=True).click()
    expect(page.get_by_role("heading", name=title, level=1)).to_be_visible()


def _open_day(office: Office) -> None:
    """By the menu and the list of store days."""
    page = office.ruth
    _follow_menu(page, "Store days")
    _choose_store(page.get_by_label("Store", exact=True), office.store_name)
    page.get_by_role("button", name="Show", exact=True).click()
    page.get_by_role("link", name="1 Mar 2026").click()
    expect(page.get_by_role("heading", name=f"{office.store_name}, 1 Mar 2026")).to_be_visible()


def _choose_store(field: Locator, name: str) -> None:
    field.select_option(field.locator("option", has_text=name).get_attribute("value"))


def _look_until(page: Page, words: str) -> None:
    """A page that refreshes itself, until it says so; nobody waits ten seconds for each look."""
    deadline = time.monotonic() + WAIT_MS / 1000
    while not page.get_by_text(words, exact=True).is_visible():
        assert time.monotonic() < deadline, page.locator("main").inner_text()
        with page.expect_response(lambda answer: "x-live-part" in answer.request.headers):
            page.clock.fast_forward(A_LOOK_MS)


def _check_rows(text: str) -> None:
    """Both sales and the float, each balanced, with net sales and tax apart."""
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["business_date"] for row in rows} == {DAY}
    sides: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in rows:
        for side in ("debit", "credit"):
            sides[row["order_number"], side] += Decimal(row[side] or 0)
    for number in ("1001", "1002"):
        assert sides[number, "debit"] == sides[number, "credit"] == Decimal("2.40")
    of_a_sale = {(row["account"], row["debit"], row["credit"]) for row in rows if row["order_number"] == "1001"}
    assert {row["tax_code"] for row in rows} >= {"FR-5.5"}
    assert len(of_a_sale) == 3
    assert {Decimal(credit or 0) for _, _, credit in of_a_sale} == {Decimal("2.27"), Decimal("0.13"), Decimal(0)}
