"""Through the real Caddy with the shipped Caddyfile: what tills, browsers and strangers get of the service behind it."""

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from backoffice_terminal import Device, TaxRate, Terminal

from backoffice.workbench.embedded.ports import LOOPBACK, free_port
from pos_api.description.examples import problem
from tests.caddy import BehindProxy, Caddy, running_caddy
from tests.conftest import RunningStack
from tests.journeys.http_till import a_store_code, eventually
from tests.migrated import migrated
from tests.told import remember_secrets

UPLOAD = "/api/v1/shifts/0195aaaa-0000-7000-8000-000000000001/batches/0195aaaa-0000-7000-8000-000000000002"
OTHER = "/api/v1/terminal/heartbeat"
HEADERS = {
    "strict-transport-security": "max-age=31536000",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
}
# How long Caddy waits for a header, and for a web server that is away, by its own file.
HEADER_S, WEB_S = 10.0, 10.0
SLOW_MACHINE_S = 20.0


class Behind(NamedTuple):
    """A whole Back Office, and Caddy in front of it; `log` is what the first says."""

    stack: RunningStack
    caddy: Caddy
    log: Path
    client: httpx.Client


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    folder = tmp_path_factory.mktemp("caddy")
    with (folder / "log").open("w") as log, BehindProxy(migrated(folder / "stack"), log=log) as stack:
        port = int(stack.base_url.rpartition(":")[2])
        with (
            RunningStack(stack) as running,
            running_caddy(folder / "caddy", upstream=port) as caddy,
            client_of(caddy) as client,
        ):
            yield Behind(running, caddy, folder / "log", client)


def client_of(caddy: Caddy) -> httpx.Client:
    return httpx.Client(base_url=caddy.url, verify=caddy.trusting(), timeout=30, follow_redirects=False)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Caddy, int]]:
    """Caddy in front of a port on which nobody is, and that port."""
    port = free_port()
    with running_caddy(tmp_path_factory.mktemp("alone"), upstream=port) as caddy:
        yield caddy, port


def test_a_till_sells_through_tls_and_its_shift_settles(behind: Behind, tmp_path: Path) -> None:
    code = behind.stack.activation_code(a_store_code(behind.stack), "Till 1")
    remember_secrets(code)
    transport = httpx.HTTPTransport(verify=behind.caddy.trusting())
    till = Terminal(tmp_path / "till.sqlite", behind.caddy.url, transport=transport)
    till.activate(code, Device("Till 1"))
    shift = till.open_shift(cashier="Anna", opening_float=20_000)
    for _ in range(3):
        draft = till.draft()
        draft.add(sku="BAG", name="Baguette", quantity="1", unit_price=120, taxes=[TaxRate("FR-5.5", "0.055")])
        draft.pay_cash(tendered=200)
        assert till.sell(draft).outcome == "posted"
    till.close_shift(cash_counted=till.expected_cash(shift.shift_id), float_left=20_000)
    assert eventually(lambda: till.look(shift.shift_id).state, lambda state: state != "closing") == "reconciled"
    till.close()


def test_probes_for_inside_are_not_found_and_the_sign_of_life_is(behind: Behind) -> None:
    assert behind.client.get("/livez").status_code == 200
    for path in ("/readyz", "/metrics", "/readyz/", "/metrics/any"):
        assert behind.client.get(path).status_code == 404, path


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/console/", UPLOAD])
def test_security_headers_are_on_every_answer_and_nobody_says_what_serves(behind: Behind, path: str) -> None:
    answer = behind.client.get(path)
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert "server" not in answer.headers


def test_a_body_without_a_length_is_refused_in_the_services_own_words(behind: Behind) -> None:
    answer = behind.client.put(UPLOAD, content=iter([b"{", b"}"]), headers={"Content-Type": "application/json"})
    assert answer.status_code == 411
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == problem("length-required") | {"instance": UPLOAD}


@pytest.mark.parametrize(("path", "length", "most"), [(UPLOAD, 6_000_000, 4194304), (OTHER, 1_000_000, 65536)])
def test_a_body_that_is_declared_too_large_is_refused_before_it_is_sent(
    behind: Behind, path: str, length: int, most: int
) -> None:
    head = (
        f"PUT {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\nContent-Type: application/json\r\n\r\n"
    )
    with tls(behind.caddy) as line:
        line.sendall(head.encode())
        said = line.recv(65536).decode()
    assert said.startswith("HTTP/1.1 413 ")
    told = json.loads(said.partition("\r\n\r\n")[2])
    assert told["detail"] == f"At most {most} bytes are accepted, as sent."
    assert told["instance"] == path


def test_a_path_that_would_have_to_be_escaped_gets_the_bare_status(behind: Behind) -> None:
    answer = behind.client.put(
        '/api/v1/shifts/"/batches/x', content=iter([b"{}"]), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 411
    assert answer.text == "411 Length Required"


def test_plain_http_leads_to_tls(behind: Behind) -> None:
    answer = httpx.get(f"http://localhost:{behind.caddy.plain}/console/", timeout=30)
    assert answer.status_code == 308
    assert answer.headers["location"].startswith("https://localhost")


def test_the_service_is_told_the_real_address_whatever_a_client_claims(behind: Behind) -> None:
    page = behind.client.get("/console/login/")
    token = page.cookies["csrftoken"]
    assert "Secure" in page.headers["set-cookie"], "the service knows that the request came over TLS"
    answer = behind.client.post(
        "/console/login/",
        data={"username": "a-forger", "password": "x", "csrfmiddlewaretoken": token},
        headers={"X-Forwarded-For": "203.0.113.9", "Referer": f"{behind.caddy.url}/console/login/"},
    )
    assert answer.status_code == 200
    (line,) = eventually(lambda: re.findall(r'.*event="login failed".*', behind.log.read_text()), bool)
    assert "address=127.0.0.1" in line


def test_the_log_has_no_credential_and_no_line_for_a_health_check(behind: Behind) -> None:
    behind.client.get(
        "/livez?told", headers={"Authorization": "Bearer told-to-nobody", "Cookie": "sessionid=told-to-nobody"}
    )
    for _ in range(3):
        assert httpx.get(f"http://{LOOPBACK}:{behind.caddy.admin}/config/", timeout=30).status_code == 200
    eventually(lambda: "/livez?told" in behind.caddy.log.read_text(), bool)
    text = behind.caddy.log.read_text()
    assert "told-to-nobody" not in text
    assert "admin.api" not in text


def test_who_sends_half_a_header_is_disconnected(behind: Behind) -> None:
    with tls(behind.caddy) as line:
        line.settimeout(HEADER_S + SLOW_MACHINE_S)
        line.sendall(b"GET /livez HTTP/1.1\r\nHost: local")
        with suppress(ConnectionError):
            while line.recv(65536):
                pass


def test_a_till_is_told_when_to_come_back_while_web_is_away(alone: tuple[Caddy, int]) -> None:
    with client_of(alone[0]) as client:
        answer = client.put(UPLOAD, content=b"{}")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert answer.json()["type"].endswith("/unavailable")


class Web(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Says nothing."""


def test_a_request_waits_for_a_web_server_that_comes_back_within_some_seconds(alone: tuple[Caddy, int]) -> None:
    caddy, port = alone
    statuses: list[int] = []

    def ask() -> None:
        with client_of(caddy) as client:
            statuses.append(client.get("/livez").status_code)

    asking = threading.Thread(target=ask)
    began = time.monotonic()
    asking.start()
    asking.join(1.0)
    assert asking.is_alive(), f"it was not to be answered yet: {statuses}"
    with HTTPServer((LOOPBACK, port), Web) as web:
        threading.Thread(target=web.serve_forever, daemon=True).start()
        asking.join(SLOW_MACHINE_S)
        web.shutdown()
    assert statuses == [200]
    assert time.monotonic() - began < WEB_S + SLOW_MACHINE_S


def tls(caddy: Caddy) -> socket.socket:
    """A connection of the test's own, over TLS."""
    raw = socket.create_connection((LOOPBACK, caddy.port), timeout=30)
    return caddy.trusting().wrap_socket(raw, server_hostname="localhost")
