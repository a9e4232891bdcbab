"""The page of the document in a real browser: it shows every operation, and asks nobody else for anything."""

import shutil
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Page, Route, sync_playwright

from tests.conftest import RunningStack
from tests.integration.openapi.contract import operations

# As a shop would see it: Swagger UI behaves otherwise on an address of the machine itself.
ADDRESS = "http://backoffice.example"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="No Chromium is installed: apt-get install chromium")


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser.new_page()
        browser.close()


def test_the_page_shows_every_operation_and_asks_no_other_host(stack: RunningStack, page: Page):
    asked_elsewhere: list[str] = []

    def answer(route: Route) -> None:
        url = urlsplit(route.request.url)
        if f"{url.scheme}://{url.netloc}" != ADDRESS:
            asked_elsewhere.append(route.request.url)
            route.abort()
            return
        found = httpx.get(
            f"{stack.base_url}{url.path}?{url.query}", headers={"Accept": route.request.headers["accept"]}
        )
        route.fulfill(status=found.status_code, content_type=found.headers["content-type"], body=found.content)

    page.route("**/*", answer)
    page.goto(f"{ADDRESS}/api/docs/")
    page.wait_for_selector(".opblock", timeout=30_000)
    shown = page.locator(".opblock-summary-path").all_inner_texts()
    assert len(shown) == len(list(operations()))
    page.wait_for_load_state("networkidle")
    assert asked_elsewhere == []
