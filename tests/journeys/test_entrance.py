"""Somebody comes in for the first time, in a real browser: an app, a passkey, and every page within its policy."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urldefrag, urlsplit
from uuid import uuid4

import pytest
from django.urls import resolve
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.conftest import RunningStack
from tests.journeys.insiders import Insider, come_in, make_insider
from tests.journeys.test_console import CHROMIUM, QUIET, WAIT_MS, WireTill
from tests.signing_in import PASSWORD, code_now
from tests.till import a_sale

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="No Chromium is installed: apt-get install chromium")

# Touch ID, Windows Hello: a passkey of the device itself, whose owner is always there.
PASSKEY = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
# What the browser refused is told as an error, which the test collects.
TELL = (
    "document.addEventListener('securitypolicyviolation', (refused) => console.error("
    "`refused: ${refused.effectiveDirective} ${refused.blockedURI} ${refused.sample}`))"
)
# The same page for other rows or choices is the same page; these are others.
OTHER_PAGES = {"paper", "as"}
# They give a file, or show their page once.
NOT_PAGES = {"admin:jsi18n", "admin:exports_exportjob_file", "admin:logout"}


@pytest.fixture(scope="module")
def ruth(stack: RunningStack) -> Insider:
    """An administrator with an app, and beside her a store with a till that has sold something."""
    insider = make_insider(stack, f"ruth-{uuid4().hex[:6]}", newcomer="newcomer")
    code = f"E{uuid4().hex[:8].upper()}"
    stack.clerk.does("create_store", code, "--name", code, "--timezone", "Europe/Paris", "--currency", "EUR")
    till = WireTill(stack.base_url, code=stack.activation_code(code, "Till 1"))
    till.sell(a_sale(1001), a_sale(1002, mode="online"), a_sale(1003, total=740))
    return insider


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *QUIET])
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that has met no error, and whose browser refused nothing."""
    errors: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.add_init_script(TELL)
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    page.on("console", lambda line: errors.append(f"{page.url}: {line.text}") if line.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(f"{page.url}: {error}"))
    yield page
    context.close()
    assert errors == []


def test_a_newcomer_sets_up_an_app_then_a_passkey_and_comes_in_with_it(
    stack: RunningStack, ruth: Insider, page: Page
) -> None:
    base_url = stack.base_url.replace("127.0.0.1", "localhost")  # passkeys belong to names
    _type_password(page, base_url, "newcomer")
    expect(page.get_by_role("heading", name="Set up a second factor")).to_be_visible()
    page.goto(f"{base_url}/console/sales/order/")
    expect(page.get_by_role("heading", name="Set up a second factor")).to_be_visible()

    page.get_by_role("link", name="Set up an app").click()
    secret = page.locator("code").inner_text()
    page.get_by_label("Code that the app shows").fill(code_now(secret))
    page.keyboard.press("Enter")
    expect(page.get_by_label("Recovery codes").get_by_role("listitem")).to_have_count(10)
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()

    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": PASSKEY})
    page.goto(f"{base_url}/console/sign-in/")
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name").fill("My laptop")
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_text("My laptop")).to_be_visible()

    page.get_by_role("button", name="Log out").click()
    _type_password(page, base_url, "newcomer")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()


def test_no_page_of_the_console_does_what_its_policy_forbids(stack: RunningStack, ruth: Insider, page: Page) -> None:
    come_in(page, stack.base_url, ruth)
    waiting = ["/console/", "/console/sign-in/"]
    seen: set[Any] = set()
    while waiting:
        address = waiting.pop(0)
        if (kind := _kind(address)) is None or kind in seen:
            continue
        seen.add(kind)
        page.goto(f"{stack.base_url}{address}")
        links = page.eval_on_selector_all("a[href]", "links => links.map(link => link.href)")
        waiting += [urldefrag(link)[0].removeprefix(stack.base_url) for link in links if "/console/" in link]
    names = {name for name, _ in seen}
    assert {"admin:index", "admin:sales_order_change", "admin:sales_shift_change", "mfa_index"} <= names
    assert len(names) > 35


def _type_password(page: Page, base_url: str, name: str) -> None:
    page.goto(f"{base_url}/console/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def _kind(address: str) -> tuple[str, frozenset[tuple[str, str]]] | None:
    """Pages of one kind are looked at once: by the name of the address, and what makes it another page. None of no page."""
    parts = urlsplit(address)
    name = resolve(parts.path).view_name
    if name in NOT_PAGES or not name or name.endswith("_csv"):
        return None
    return name, frozenset((key, value) for key, value in parse_qsl(parts.query) if key in OTHER_PAGES)
