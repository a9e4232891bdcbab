"""Everybody can use every page: axe-core finds nothing serious, a phone shows all of it, the keyboard reaches what it shows."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

from tests import browsing
from tests.conftest import RunningStack
from tests.journeys.http_till import HttpTill, a_store_code
from tests.till import a_movement, a_sale

pytestmark = pytest.mark.skipif(browsing.CHROMIUM is None, reason="No Chromium is installed: apt-get install chromium")

PHONE = {"width": 360, "height": 780}
DESK = {"width": 1440, "height": 900}
EVERYTHING = {"resultTypes": ["violations"]}
# Nothing but its colours differs in the dark.
COLOURS = {"resultTypes": ["violations"], "runOnly": ["color-contrast"]}
RUN = "options => axe.run(options).then(told => told.violations)"
MIND = {"serious", "critical"}
# Wide tables have a scroll area of their own; whatever else is wider than the screen makes the page itself scroll.
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
STYLED_FOCUS = """
() => { const s = getComputedStyle(document.activeElement);
        return [document.activeElement.outerHTML.slice(0, 300), s.outlineStyle, parseFloat(s.outlineWidth), s.boxShadow]; }
"""


@pytest.fixture(scope="module")
def cookie(stack: RunningStack) -> str:
    """A session of head office, in whose books is one of everything."""
    till = HttpTill(stack, a_store_code(stack, name="Paris Bastille"))
    till.open(cashier="Zoé")
    sale = a_sale(1001)
    receipt = till.upload(sale, a_sale(1002, total=999), movements=[a_movement()]).json()
    till.processed(receipt["batch_id"])
    again = till.upload(sale | {"cashier": "Théo"}).json()
    till.processed(again["batch_id"])
    till.close(sale, batches=[receipt["batch_id"]], counted=1)
    till.settled()
    return browsing.log_in(stack.manage, f"claire-{uuid4().hex[:6]}")


@pytest.fixture(scope="module")
def pages(stack: RunningStack, cookie: str) -> list[browsing.PageFound]:
    return browsing.every_page(stack.base_url, cookie)


@pytest.fixture
def console(stack: RunningStack, cookie: str) -> Iterator[Page]:
    with browsing.browser() as browser:
        context = browser.new_context(
            base_url=stack.base_url, viewport=DESK, color_scheme="light", reduced_motion="reduce"
        )
        browsing.enter(context, stack.base_url, cookie)
        yield context.new_page()


def test_nothing_serious_keeps_anybody_out_of_a_page_in_light_or_dark_or_on_a_phone(
    console: Page, pages: list[browsing.PageFound]
) -> None:
    assert len(pages) >= 35, "or nothing was looked at"
    wrong = []
    for name, address in pages:
        console.goto(address)
        console.evaluate(AXE_SCRIPT)
        found = console.evaluate(RUN, EVERYTHING)
        console.evaluate("document.documentElement.classList.add('dark')")
        found += console.evaluate(RUN, COLOURS)
        wrong += [
            f"{name}: {one['id']}: {node['target']} {node['failureSummary']}"
            for one in found
            if one["impact"] in MIND
            for node in one["nodes"][:3]
        ]
        console.set_viewport_size(PHONE)
        if (wider := console.evaluate(OVERFLOW)) > 0:
            wrong.append(f"{name}: {wider} pixels wider than a phone")
        console.set_viewport_size(DESK)
    assert wrong == [], "\n".join(wrong)


def test_the_first_stop_of_the_keyboard_leads_past_the_menu_and_every_stop_is_seen(console: Page) -> None:
    console.goto("/console/inbox/batch/")
    console.keyboard.press("Tab")
    assert console.evaluate("document.activeElement.getAttribute('href')") == "#content"
    console.keyboard.press("Enter")
    for _ in range(6):
        console.keyboard.press("Tab")
        tag, style, width, shadow = console.evaluate(STYLED_FOCUS)
        assert (style != "none" and width >= 1) or shadow != "none", f"nobody sees the focus on {tag}"
