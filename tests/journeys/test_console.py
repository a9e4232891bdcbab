"""Head office opens the console in a real browser, and reads what a till has sent."""

import json
import shutil
import urllib.request
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.conftest import RunningStack
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

    def sell(self, *orders: dict[str, Any]) -> None:
        """Opens a shift and sends a batch for it, waiting for its outcome."""
        opening = {
            "number": 311,
            "opened_at": "2026-03-01T08:00:00+01:00",
            "opening_float": 20000,
            "first_number": 1001,
        }
        self.send("PUT", f"shifts/{self.shift_id}", opening)
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
    name = f"claire-{uuid4().hex[:6]}"
    create = f"from django.contrib.auth.models import User; User.objects.create_superuser('{name}', password='a long secret')"
    stack.clerk.does("shell", "-c", create)
    strangers: list[str] = []
    errors: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *QUIET])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(WAIT_MS)
        page.on("request", lambda asked: asked.url.startswith((stack.base_url, "data:")) or strangers.append(asked.url))
        page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{stack.base_url}/console/")
        page.get_by_label("Username").fill(name)
        page.get_by_label("Password").fill("a long secret")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("heading", name="Dashboard")).to_be_visible(timeout=WAIT_MS)
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
    console.get_by_label("Store").select_option(label=console.locator("option", has_text=store_name).inner_text())
    console.get_by_role("button", name="Show").click()
    expect(console.locator("#result_list tbody")).to_have_count(2)

    console.get_by_role("link", name="1001*").click()

    expect(console.get_by_role("heading", name="Order 1001*")).to_be_visible()
    expect(console.get_by_label("Receipt")).to_contain_text("made offline: the till kept the order and sent it later.")


def test_a_held_order_says_why(console: Page, store_name: str) -> None:
    console.get_by_role("link", name="Held orders").first.click()
    # Other tests hold orders too, and the list begins with the oldest.
    stores = console.get_by_label("Store")
    stores.select_option(stores.locator("option", has_text=store_name).get_attribute("value"))
    console.get_by_role("button", name="Show").click()
    console.locator("tbody", has_text=store_name).get_by_role("link", name="1003*").click()

    expect(console.get_by_text("The total is €7.40, the lines come to €2.40.")).to_be_visible()
    console.get_by_text("as the till sent it").click()
    expect(console.locator("pre")).to_contain_text('"total": 740')


def test_a_phone_shows_all_of_it(console: Page, stack: RunningStack) -> None:
    console.set_viewport_size({"width": 390, "height": 844})
    for address in ("", "fleet/terminal/", "sales/order/", "sales/shift/", "sales/helditem/", "inbox/batch/"):
        console.goto(f"{stack.base_url}/console/{address}")
        assert console.evaluate("document.documentElement.scrollWidth") <= 390, address
