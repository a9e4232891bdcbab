"""A till in a browser: a page of an origin that the operator allowed sends an order, one of another cannot."""

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.conftest import BROWSER_TILL, RunningStack
from tests.journeys.http_till import HttpTill, a_store_code
from tests.journeys.test_hostile_clients import connect
from tests.journeys.test_strangers import withhold
from tests.till import a_sale

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
STRANGER = "http://elsewhere.example"
ASK = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authorization,content-type,prefer"}
# What a page does: it sends an order, and tells what it could read of the answer.
SEND = """
async ([url, token, batch]) => {
  try {
    const answer = await fetch(url, {method: "PUT", body: batch, headers: {
      "Authorization": "Bearer " + token, "Content-Type": "application/json", "Prefer": "wait=5"}});
    return [answer.status, await answer.text(), answer.headers.get("Location"), answer.headers.get("Retry-After")];
  } catch (error) { return [String(error)]; }
}
"""


@pytest.fixture
def till(stack: RunningStack) -> HttpTill:
    till = HttpTill(stack, a_store_code(stack))
    till.open()
    return till


class Page(BaseHTTPRequestHandler):
    """An empty page, whatever is asked for."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@pytest.fixture
def browser() -> Iterator[Browser]:
    """A browser for which every name under `.example` is a server with an empty page."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    Thread(target=partial(server.serve_forever, poll_interval=0.05), daemon=True).start()
    rules = f"--host-resolver-rules=MAP *.example 127.0.0.1:{server.server_port}"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", rules])
        yield launched
        launched.close()
    server.shutdown()
    server.server_close()


def send_from(browser: Browser, origin: str, *, url: str, token: str, batch: Any) -> list[Any]:
    page = browser.new_page()
    page.goto(origin)
    told: list[Any] = page.evaluate(SEND, [url, token, json.dumps(batch)])
    page.close()
    return told


@pytest.mark.skipif(CHROMIUM is None, reason="No Chromium is installed: apt-get install chromium")
def test_a_page_of_an_allowed_origin_sells_and_reads_refusals_and_another_page_does_neither(
    stack: RunningStack, till: HttpTill, browser: Browser
) -> None:
    batch = {
        "url": f"{stack.base_url}/api/v1/shifts/{till.shift_id}/batches/{uuid4()}",
        "batch": {"orders": [a_sale(1001, mode="online")]},
    }
    refused = send_from(browser, STRANGER, token=till.token, **batch)
    assert refused == ["TypeError: Failed to fetch"]
    assert till.send("GET", "store/orders").json()["orders"] == []

    status, text, location, _ = send_from(browser, BROWSER_TILL, token=till.token, **batch)
    assert (status, json.loads(text)["outcomes"]["posted"]) == (200, 1)
    assert location == f"/api/v1/batches/{json.loads(text)['batch_id']}"
    status, text, *_ = send_from(browser, BROWSER_TILL, token="of-nobody", **batch)
    assert (status, json.loads(text)["status"]) == (401, 401)


def test_a_browsers_question_is_answered_without_a_credential_and_a_strangers_as_before(stack: RunningStack) -> None:
    url = f"{stack.base_url}/api/v1/shifts/{uuid4()}/batches/{uuid4()}"
    answer = httpx.options(url, headers={"Origin": BROWSER_TILL, **ASK})
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == BROWSER_TILL
    assert answer.headers["X-Request-ID"]
    for origin in (STRANGER, "null"):
        answer = httpx.options(url, headers={"Origin": origin, **ASK})
        assert answer.status_code == 401
        assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert httpx.options(url).status_code == 401


def test_what_the_gate_says_by_itself_can_be_read_by_a_page_as_well(stack: RunningStack, till: HttpTill) -> None:
    told = b""
    with ExitStack() as crowd:
        for one in [crowd.enter_context(connect(stack)) for _ in range(20)]:
            line = f"PUT /api/v1/shifts/{uuid4()}/batches/{uuid4()} HTTP/1.1"
            withhold(one, line, Authorization=f"Bearer {till.token}", Origin=BROWSER_TILL)
            with suppress(OSError):
                told += one.recv(4096)
    assert b" 503 " in told
    assert f"access-control-allow-origin: {BROWSER_TILL}".encode() in told.lower()
