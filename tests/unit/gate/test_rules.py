"""What the gate reads a body of, against the addresses that Django has."""

from collections.abc import Iterator

import pytest
from django.urls import URLPattern

from backoffice.gate.rules import ACTIVATION, FILE, FORM, MESSAGE, UPLOAD, body_rule
from pos_api.urls import urlpatterns

SHIFT, BATCH = "0195b1a0-0000-7000-8000-000000000001", "0195b1a0-0000-7000-8000-000000000002"
RULES = {
    ("PUT", f"/api/v1/shifts/{SHIFT}/batches/{BATCH}"): UPLOAD,
    ("PUT", f"/api/v1/shifts/{SHIFT}/close"): UPLOAD,
    ("PUT", f"/api/v1/shifts/{SHIFT}"): MESSAGE,
    ("PUT", "/api/v1/terminal/heartbeat"): MESSAGE,
    ("POST", "/api/v1/activations"): ACTIVATION,
    ("POST", "/console/login/"): FORM,
    ("POST", "/console/fleet/store/1/change/"): FORM,
    ("POST", "/console/fleet/terminal/cache/"): FILE,
    ("POST", f"/console/fleet/terminal/cache/{BATCH}/"): FORM,
    ("POST", "/console/fleet/terminal/cache/\n"): FORM,
}
# Takes no body: the token alone says which is to be changed.
WITHOUT_BODY = {("POST", "token")}


def writing() -> Iterator[tuple[str, URLPattern]]:
    """Method and address of all that changes something by HTTP."""
    for pattern in urlpatterns:
        view = getattr(pattern.callback, "cls", None)
        for method in ("post", "put", "patch", "delete"):
            if hasattr(view, method):
                yield method.upper(), pattern


@pytest.mark.parametrize(("request_line", "rule"), RULES.items())
def test_a_body_is_read_where_one_is_expected(request_line: tuple[str, str], rule: object) -> None:
    assert body_rule(*request_line) is rule


def test_every_address_that_takes_a_body_has_a_rule() -> None:
    found = list(writing())
    assert len(found) >= 5
    for method, pattern in found:
        path = "/api/v1/" + pattern.pattern._route.replace("<identifier:shift_id>", str(SHIFT)).replace(
            "<identifier:batch_id>", str(BATCH)
        )
        assert (body_rule(method, path) is not None) != ((method, pattern.name) in WITHOUT_BODY), path


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/livez"),
        ("POST", "/livez"),
        ("POST", "/"),
        ("PUT", "/static/console/console.css"),
        ("PUT", "/console/login/"),
        ("POST", f"/api/v1/shifts/{SHIFT}/batches/{BATCH}"),
        ("PUT", f"/api/v1/shifts/{SHIFT}/batches/{BATCH}/more"),
        ("PUT", "/api/v1/activations"),
        ("GET", f"/api/v1/shifts/{SHIFT}/batches/{BATCH}"),
    ],
)
def test_nothing_else_has_its_body_read(method: str, path: str) -> None:
    assert body_rule(method, path) is None
