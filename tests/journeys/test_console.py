"""Head office opens the console in a real browser, and reads what a till has sent."""

import json
import shutil
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.conftest import RunningStack
from tests.journeys.insiders import come_in, make_insider
from tests.till import a_sale
from tests.told import remember_secrets

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-gpu",
)
WAIT_MS = 60_000
expect.set_options(timeout=WAIT_MS)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="No Chromium is installed: apt-get install chromium")


class WireTill:
    """A till that speaks HTTP to the running stack."""

    def __init__(self, base_url: str, *, code: str) -> None:
        self.base_url = base_url
        self.token = ""
        self.token = self.send("POST", "activations", {"activation_code": code, "device": {"name": "Till 1"}})["token"]
        self.shift_id = uuid4()

    def send(self, method: str, path: str, message: Any, **headers: str) -> dict[str, Any]:
        """One request; its answer. Raises HTTPError for everything but 2xx."""
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        request = urllib.request.Request(
            f"{self.base_url}/api/v1/{path}",
            json.dumps(message).encode(),
            headers | {"Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            told: dict[str, Any] = json.load(answer)
        remember_secrets(json.dumps(told))
        return told

    store = ""

    def beat(self) -> None:
        """A heartbeat: two orders are in its cache."""
        facts = {
            "sent_at": datetime.now(UTC).isoformat(),
            "offline_mode": True,
            "cached_orders": 2,
            "cached_total": 480,
        }
        self.send("PUT", "terminal/heartbeat", facts)

    def open(self) -> None:
        """Its shift."""
        opening = {
            "number": 311,
            "opened_at": "2026-03-01T08:00:00+01:00",
            "opening_float": 20000,
            "first_number": 1001,
        }
        self.send("PUT", f"shifts/{self.shift_id}", opening)

    def sell(self, *orders: dict[str, Any]) -> None:
        """Opens a shift and sends a batch for it, waiting for its outcome."""
        self.open()
        message = {"orders": list(orders)}
        self.send("PUT", f"shifts/{self.shift_id}/batches/{uuid4()}", message, Prefer="wait=10")


@pytest.fixture(scope="module")
def store_name(stack: RunningStack) -> str:
    """A store with one till, which sold offline, and sent an order whose sums are wrong."""
    code, name = f"C{uuid4().hex[:8].upper()}", f"Console {uuid4().hex[:6]}"
    stack.clerk.does("create_store", code, "--name", name, "--timezone", "Europe/Paris", "--currency", "EUR")
    till = WireTill(stack.base_url, code=stack.activation_code(code, "Till 1"))
    till.sell(a_sale(1001), a_sale(1002, mode="online"), a_sale(1003, total=740))
    return name


@pytest.fixture
def console(stack: RunningStack, store_name: str) -> Iterator[Page]:
    """A browser, logged in, that has asked no other host for anything and met no error."""
    claire = make_insider(stack, f"claire-{uuid4().hex[:6]}")
    strangers: list[str] = []
    errors: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *QUIET])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(WAIT_MS)
        page.on("request", lambda asked: asked.url.startswith((stack.base_url, "data:")) or strangers.append(asked.url))
        page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        come_in(page, stack.base_url, claire)
        yield page
        browser.close()
    assert strangers == [], "The console asks nobody else for anything."
    assert errors == [], "Neither the policy nor a script stands in its way."


def test_it_answers_which_terminals_have_told_us_everything(console: Page, store_name: str) -> None:
    expect(console.get_by_text("not told us everything")).to_be_visible()
    console.get_by_role("link", name="See the terminals").click()

    row = console.locator("tbody", has_text=store_name)

    expect(row).to_contain_text("Needs attention")
    expect(row).to_contain_text("Shift 311")


def test_an_offline_order_carries_its_asterisk(console: Page, store_name: str) -> None:
    console.locator("#nav-sidebar").get_by_text("Orders", exact=True).click()
    console.get_by_label("Store", exact=True).select_option(
        label=console.locator("option", has_text=store_name).inner_text()
    )
    console.get_by_role("button", name="Show").click()
    expect(console.locator("#result_list tbody")).to_have_count(2)

    console.get_by_role("link", name="1001*").click()

    expect(console.get_by_role("heading", name="Order 1001*")).to_be_visible()
    expect(console.get_by_label("Receipt")).to_contain_text("made offline: the till kept the order and sent it later.")


def test_a_held_order_says_why(console: Page, store_name: str) -> None:
    console.get_by_role("link", name="Held orders").first.click()
    # Other tests hold orders too, and the list begins with the oldest.
    stores = console.get_by_label("Store", exact=True)
    stores.select_option(stores.locator("option", has_text=store_name).get_attribute("value"))
    console.get_by_role("button", name="Show").click()
    console.locator("tbody", has_text=store_name).get_by_role("link", name="1003*").click()

    expect(console.get_by_text("The total is €7.40, the lines come to €2.40.")).to_be_visible()
    expect(console.get_by_role("link", name="The original, as the till sent it")).to_be_visible()


SILENCE = """
from django.db import connection
cursor = connection.cursor()
for table in ("fleet_heartbeat", "sales_shift"):
    cursor.execute(f"UPDATE {table} SET received_at = received_at - interval '2 hours' WHERE terminal_id IN"
        " (SELECT t.id FROM fleet_terminal t JOIN fleet_store s ON s.id = t.store_id WHERE s.code = %s)", ["CODE"])
"""


@pytest.fixture
def silent_till(stack: RunningStack) -> WireTill:
    """A till of its own store with an open shift, last heard from two hours ago."""
    code = f"Q{uuid4().hex[:8].upper()}"
    stack.clerk.does("create_store", code, "--name", f"Quiet {code}", "--timezone", "Europe/Paris", "--currency", "EUR")
    till = WireTill(stack.base_url, code=stack.activation_code(code, "Till 1"))
    till.store = code
    till.open()
    stack.clerk.does("shell", "-c", SILENCE.replace("CODE", code))
    return till


def test_a_silent_till_is_found_within_one_look_at_the_board_and_seen_to_speak_again(
    console: Page, stack: RunningStack, silent_till: WireTill
) -> None:
    console.clock.install()
    console.goto(f"{stack.base_url}/console/fleet/terminal/")
    expect(console.locator("#result_list tbody").first).to_contain_text("Silent")
    row = console.locator("tbody", has_text=f"Quiet {silent_till.store}")
    expect(row).to_contain_text("with shift 311 open")
    # Its page says since when, and what it said last.
    row.get_by_role("link", name="Till 1").click()
    expect(console.locator(".c-told")).to_contain_text("Not heard from for 2")
    expect(console.get_by_text("None yet. It sends one whenever it is online.")).to_be_visible()
    console.go_back()
    console.evaluate("window.isTheSamePage = true")
    row.get_by_role("link", name="Till 1").focus()

    silent_till.beat()
    console.clock.fast_forward(10_000)

    expect(row).to_contain_text("Waiting for upload", timeout=WAIT_MS)
    expect(row).to_contain_text("2 orders, €4.80 still at the till")
    expect(row.get_by_role("link", name="Till 1")).to_be_focused()
    assert console.evaluate("window.isTheSamePage"), "nothing was loaded anew"


def test_a_page_that_nobody_sees_asks_nothing_and_says_when_its_session_has_ended(
    console: Page, stack: RunningStack
) -> None:
    asked: list[int] = []
    console.on("response", lambda answer: "x-live-part" in answer.request.headers and asked.append(answer.status))
    console.clock.install()
    console.goto(f"{stack.base_url}/console/")
    part = "() => window.canBeSeen = state => { Object.defineProperty(document, 'hidden', {value: !state, configurable: true}); document.dispatchEvent(new Event('visibilitychange')); }"
    console.evaluate(part)

    console.evaluate("canBeSeen(false)")
    console.clock.fast_forward(120_000)
    assert asked == []
    with console.expect_response(lambda answer: "x-live-part" in answer.request.headers):
        console.evaluate("canBeSeen(true)")
        console.clock.run_for(1_000)
    assert asked == [200]

    console.context.clear_cookies()
    console.clock.fast_forward(10_000)
    expect(console.get_by_role("status").filter(has_text="You are not logged in any more")).to_be_visible()
    said = len(asked)
    console.clock.fast_forward(120_000)
    assert len(asked) == said, "it asks no more"


def test_a_phone_shows_all_of_it(console: Page, stack: RunningStack) -> None:
    console.set_viewport_size({"width": 390, "height": 844})
    for address in ("", "fleet/terminal/", "sales/order/", "sales/shift/", "sales/helditem/", "inbox/batch/"):
        console.goto(f"{stack.base_url}/console/{address}")
        assert console.evaluate("document.documentElement.scrollWidth") <= 390, address
