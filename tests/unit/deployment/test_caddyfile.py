"""deploy/Caddyfile: its limits, time-outs and answers fit the service behind it."""

import json
import re

import pytest
from django.conf import settings
from django.urls import resolve, reverse
from msgspec import to_builtins

from deploy.healthcheck import WEB
from pos_api.description.examples import problem
from pos_api.limits import MAX_SMALL_BODY, current_limits
from tests.unit.deployment.files import (
    CADDYFILE,
    DOCKERFILE,
    SERVICES,
    UNITS,
    command_of,
    options,
    seconds,
    settings_variables,
    start_of,
)

UNITS_OF_SIZE = {"MB": 10**6, "MiB": 2**20, "KB": 10**3, "KiB": 2**10}
UPLOADS = {"batch-upload": "/api/v1/shifts/0195/batches/0196", "shift-close": "/api/v1/shifts/0195/close"}


def block(opening: str) -> str:
    """What stands between the braces that follow `opening`."""
    start = CADDYFILE.index(opening + " {") + len(opening) + 2
    depth, end = 1, start
    while depth:
        depth += {"{": 1, "}": -1}.get(CADDYFILE[end], 0)
        end += 1
    return CADDYFILE[start : end - 1]


def size(text: str) -> int:
    number, unit = re.fullmatch(r"([\d.]+)([KM]i?B)", text).groups()  # type: ignore[union-attr]
    return int(float(number) * UNITS_OF_SIZE[unit])


def size_limit(matcher: str) -> int:
    return size(re.search(r"max_size (\S+)", block(f"request_body {matcher}"))[1])  # type: ignore[index]


def duration(name: str) -> float:
    return seconds(re.search(rf"^\s*{name} (\S+)$", CADDYFILE, re.MULTILINE)[1])  # type: ignore[index]


def declared_too_large(matcher: str, length: int) -> bool:
    found = re.search(r"header_regexp Content-Length (\S+)", block(matcher))
    assert found
    return re.search(found[1], str(length)) is not None


def test_a_batch_or_close_that_the_service_takes_passes() -> None:
    assert settings.MAX_BATCH_BYTES < size_limit("@uploads") < 2 * settings.MAX_BATCH_BYTES
    assert not declared_too_large("@large_uploads", settings.MAX_BATCH_BYTES)


@pytest.mark.parametrize(("matcher", "of"), [("@large_uploads", "@uploads"), ("@large_others", "@others")])
def test_a_declared_length_is_refused_from_the_size_at_which_an_undeclared_one_is_cut_off(
    matcher: str, of: str
) -> None:
    limit = size_limit(of)
    assert not declared_too_large(matcher, limit - 1)
    for length in (limit, limit + 1, limit * 9, limit * 10, limit * 12345):
        assert declared_too_large(matcher, length), length
    assert f"error {matcher} 413" in CADDYFILE


def test_the_file_of_a_till_passes() -> None:
    assert size_limit("@uploads") > settings.FILE_UPLOAD_MAX_MEMORY_SIZE
    assert not declared_too_large("@large_uploads", settings.FILE_UPLOAD_MAX_MEMORY_SIZE)
    for matcher in ("@large_uploads {", "@large_others {", "@uploads path", "@others not path"):
        words = CADDYFILE[CADDYFILE.index(f"\t{matcher}") :]
        assert (
            reverse("admin:fleet_terminal_cache") in words[: words.index("header_regexp" if "{" in matcher else "\n")]
        )


def test_other_messages_pass() -> None:
    assert size_limit("@others") > 2 * MAX_SMALL_BODY
    assert size_limit("@others") >= settings.DATA_UPLOAD_MAX_MEMORY_SIZE, "a console form"


def test_no_body_is_buffered_before_anybody_has_said_who_is_speaking() -> None:
    assert "request_buffers" not in CADDYFILE
    assert "response_buffers" not in CADDYFILE


def test_the_service_gives_a_body_as_long_as_caddy_does() -> None:
    assert settings_variables()["BODY_TIMEOUT_S"] == str(int(duration("read_body")))


def test_time_outs_stand_in_order() -> None:
    assert duration("read_header") <= 30
    assert settings.MAX_BATCH_BYTES / duration("read_body") <= 64_000, "bytes a second that a till's line must carry"
    assert duration("response_header_timeout") > 60, "PostgreSQL gives a statement 60 s"
    assert duration("write") > duration("read_body") + duration("response_header_timeout")
    assert seconds(SERVICES["caddy"]["stop_grace_period"]) > duration("grace_period")


def test_what_is_for_inside_is_not_found_outside() -> None:
    paths = re.search(r"@inside path (.*)", CADDYFILE)
    assert paths
    assert {"/metrics", "/readyz", "/metrics/*", "/readyz/*"} <= set(paths[1].split())
    assert "error @inside 404" in CADDYFILE


ANSWERS = {
    "@unsized": problem("length-required"),
    "@large_upload": problem("too-large"),
    "@large_message": problem("too-large")
    | {
        "detail": f"At most {MAX_SMALL_BODY} bytes are accepted, as sent.",
        "limits": to_builtins(current_limits(small=True)),
    },
    "@away": problem("unavailable"),
}


@pytest.mark.parametrize("matcher", ANSWERS)
def test_a_terminal_reads_the_same_problem_from_caddy_as_from_the_service(matcher: str) -> None:
    answer = block(f"handle {matcher}")
    found = re.search(r"respond `(.*)` (\d+)$", answer, re.MULTILINE)
    assert found
    assert json.loads(found[1]) == ANSWERS[matcher] | {"instance": "{http.request.uri.path}"}
    assert int(found[2]) == ANSWERS[matcher]["status"]
    assert "header Content-Type application/problem+json" in answer


def test_what_is_too_large_for_a_batch_is_told_apart_from_what_is_too_large_for_others() -> None:
    errors = block("handle_errors")
    assert errors.index("handle @large_upload") < errors.index("handle @large_message"), "the first that fits answers"


def test_a_path_stands_in_a_problem_as_it_is_or_not_at_all() -> None:
    safe = {found[1] for found in re.finditer(r"uri\.path}\.matches\(\"(.*?)\"\)", CADDYFILE)}
    assert CADDYFILE.count(".matches(") == len(ANSWERS)
    (pattern,) = safe
    for path in (*UPLOADS.values(), "/api/v1/terminal/heartbeat"):
        assert re.search(pattern, path)
    for path in ('/api/"x', "/api/\\", "/api/{env.SECRET}", "/api/a\nb", "/api/\x00", "/console/"):
        assert not re.search(pattern, path), path


def test_a_terminal_is_told_when_to_come_back() -> None:
    assert "header Retry-After 5" in block("handle @away")


def test_batches_and_closes_are_matched_where_the_service_has_them() -> None:
    found = re.findall(r"\bpath (/api/.*)$", CADDYFILE, re.MULTILINE)
    (paths,) = {each.replace(reverse("admin:fleet_terminal_cache"), "").strip() for each in found}
    assert len(paths.split()) == len(UPLOADS)
    for pattern, (name, address) in zip(paths.split(), UPLOADS.items(), strict=True):
        assert resolve(address).url_name == name
        assert re.fullmatch(pattern.replace("*", "[^/]+"), address)


def test_ports_agree_everywhere() -> None:
    exposed = re.search(r"^EXPOSE (\d+)$", DOCKERFILE, re.MULTILINE)
    assert exposed
    port = exposed[1]
    assert str(WEB[1]) == port
    assert options(command_of("web"))["--port"] == options(start_of("web"))["--port"] == port
    assert SERVICES["caddy"]["environment"]["BACKOFFICE_UPSTREAM"] == f"web:{port}"
    assert f"{{$BACKOFFICE_UPSTREAM:127.0.0.1:{port}}}" in CADDYFILE
    assert SERVICES["caddy"]["ports"] == ["80:80", "443:443", "443:443/udp"]
    assert "--host=127.0.0.1" in UNITS["web"], "on a plain host the web server is behind Caddy alone"
    assert "@valkey:6379/" in SERVICES["web"]["environment"]["REDIS_URL"]
    assert "@postgres:5432/" in SERVICES["web"]["environment"]["DATABASE_URL"]


def test_security_headers_are_on_every_answer() -> None:
    for header in ("Strict-Transport-Security", "X-Content-Type-Options", "X-Frame-Options", "Content-Security-Policy"):
        assert re.search(rf"^\s*header \?{header} ", block("(headers)"), re.MULTILINE), header
    assert CADDYFILE.count("import headers") == 2
    assert "import headers" in block("handle_errors")
