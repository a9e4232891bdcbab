"""deploy/healthcheck.py: each role's check fails when that role does."""

import os
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from deploy import healthcheck


class Answering(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/livez" else 404)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def web_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[HTTPServer]:
    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        monkeypatch.setattr(healthcheck, "WEB", server.server_address)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_web_that_answers_is_well(web_server: HTTPServer) -> None:
    assert healthcheck.web() == ""


def test_web_that_errs_is_ill(web_server: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Answering, "status", 500)
    assert healthcheck.web() == "/livez answered 500"


def test_web_that_is_away_is_ill(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(healthcheck, "WEB", ("127.0.0.1", 1))
    assert "ConnectionRefusedError" in healthcheck.web()


@pytest.mark.parametrize(
    ("commands", "well"),
    [
        (["celery --app=backoffice worker", "celery --app=backoffice worker", "python healthcheck"], True),
        (["celery --app=backoffice worker", "", "python deploy/healthcheck.py worker"], False),
        (["celery --app=backoffice beat", "celery --app=backoffice beat"], False),
        ([], False),
    ],
)
def test_a_worker_is_itself_and_a_pool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, commands: list[str], well: bool
) -> None:
    for number, command in enumerate(commands, start=1):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "cmdline").write_text(command.replace(" ", "\0") + "\0")
    monkeypatch.setattr(healthcheck, "PROC", tmp_path)
    assert (healthcheck.worker() == "") is well


def test_beat_is_well_while_it_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(healthcheck, "BEAT_SCHEDULE", tmp_path / "beat-schedule")
    assert "no " in healthcheck.beat()
    (tmp_path / "beat-schedule.dat").write_text("")
    assert healthcheck.beat() == ""
    long_ago = time.time() - healthcheck.BEAT_SILENT_S - 1
    os.utime(tmp_path / "beat-schedule.dat", (long_ago, long_ago))
    assert "s old" in healthcheck.beat()
