"""Which pages may read an answer, and how a browser's question is answered (protocol §10, CORS)."""

import pytest

from backoffice.gate import origins
from backoffice.gate.origins import preflight, readable
from backoffice.gate.replies import Reply

TILL = "https://till.example"


@pytest.fixture(autouse=True)
def an_allowed_origin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(origins, "ALLOWED", frozenset({TILL}))


def asked(method: str = "OPTIONS", path: str = "/api/v1/terminal", origin: str | None = TILL) -> dict[str, str]:
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "HTTP_ACCESS_CONTROL_REQUEST_METHOD": "PUT"}
    return environ if origin is None else environ | {"HTTP_ORIGIN": origin}


def headers(environ: dict[str, str]) -> dict[str, str]:
    return dict(readable(environ, Reply(200, [], b"")).headers)


def test_a_page_of_an_allowed_origin_is_told_what_it_may_send() -> None:
    answer = preflight(asked())
    assert answer is not None
    assert (answer.status, answer.body) == (204, b"")
    told = dict(answer.headers)
    assert set(told["Access-Control-Allow-Methods"].split(", ")) == {"GET", "PUT", "POST"}
    assert {"Authorization", "Content-Digest", "Prefer"} <= set(told["Access-Control-Allow-Headers"].split(", "))


@pytest.mark.parametrize(
    "origin",
    [None, "null", "https://till.example.evil.example", "http://till.example", "https://till.example:8443", ""],
)
def test_no_other_page_is(origin: str | None) -> None:
    assert preflight(asked(origin=origin)) is None
    assert headers(asked("GET", origin=origin)) == {"Vary": "Origin"}


@pytest.mark.parametrize("path", ["/console/", "/console/login/", "/metrics", "/api/schema/", "/"])
def test_nothing_but_the_terminals_api_is_open_to_pages(path: str) -> None:
    assert preflight(asked(path=path)) is None
    assert headers(asked("GET", path=path)) == {}


def test_an_options_that_is_no_question_of_a_browsers_is_answered_as_before() -> None:
    environ = asked()
    del environ["HTTP_ACCESS_CONTROL_REQUEST_METHOD"]
    assert preflight(environ) is None
    assert preflight(asked("GET")) is None


def test_an_answer_may_be_read_with_what_a_till_needs_of_its_headers_and_no_cookie_counts() -> None:
    told = headers(asked("PUT"))
    assert told["Access-Control-Allow-Origin"] == TILL
    assert {"Location", "Retry-After", "X-Request-ID"} <= set(told["Access-Control-Expose-Headers"].split(", "))
    assert "Access-Control-Allow-Credentials" not in told


def test_where_no_origin_is_named_nothing_is_different(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(origins, "ALLOWED", frozenset())
    assert preflight(asked()) is None
    assert headers(asked("GET")) == {}
