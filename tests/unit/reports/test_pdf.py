"""PDFs: whatever a text holds, they are made of what we wrote alone, and what takes too much is not made."""

import re
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from backoffice.books.reports import pdf as making
from backoffice.books.reports.pdf import PdfNotMade, pdf


def page(body: str) -> str:
    return f"<!doctype html><meta charset=utf-8><style>@page {{ size: A4 }}</style><body>{body}"


def insides(made: bytes) -> bytes:
    """Everything that is in it, unpacked."""
    parts = [made]
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", made, re.DOTALL):
        try:
            parts.append(zlib.decompress(stream))
        except zlib.error:
            continue
    return b"".join(parts)


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    """A web server that remembers who asked for what."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield f"http://127.0.0.1:{listening.server_port}", asked
    listening.shutdown()
    listening.server_close()


def test_names_with_quotes_emoji_and_right_to_left_text_go_through() -> None:
    made = pdf(page('<p dir="auto">"Bob\'s" 🥐 مخبز קפה 日本 a|b; &lt;i&gt;</p>'))
    assert made.startswith(b"%PDF-")
    assert b"/Page" in insides(made)


def test_a4_has_the_size_of_a4() -> None:
    (width, height) = re.search(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)", insides(pdf(page("x")))).groups()
    assert (round(float(width)), round(float(height))) == (595, 842)


def test_nothing_is_fetched_from_the_network_or_the_disk(server: tuple[str, list[str]], tmp_path: Path) -> None:
    url, asked = server
    secret = tmp_path / "secret.txt"
    secret.write_text("MARZIPAN")
    hostile = "".join(
        f'<img src="{where}"><link rel=stylesheet href="{where}"><object data="{where}"></object>'
        f"<link rel=attachment href='{where}'><style>@import url({where}); p {{ background: url({where}) }}"
        f"@font-face {{ font-family: x; src: url({where}) }}</style><p style='font-family: x'>x</p>"
        f"<svg xmlns='http://www.w3.org/2000/svg'><image href='{where}' width=9 height=9 /><use href='{where}#a' /></svg>"
        for where in (f"{url}/x", f"file://{secret}", "file:///etc/passwd", str(secret))
    )
    made = insides(pdf(page(hostile)))
    assert asked == []
    assert b"MARZIPAN" not in made
    assert b"root:" not in made


def test_what_is_too_long_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "MOST_HTML_BYTES", 100)
    with pytest.raises(PdfNotMade, match="too long"):
        pdf(page("x" * 100))


def test_what_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "TIMEOUT_S", 0.05)
    with pytest.raises(PdfNotMade, match="too long"):
        pdf(page("x"))


def test_who_waits_too_long_for_others_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "WAIT_S", 0.01)
    with making._one_at_a_time, pytest.raises(PdfNotMade, match="just now"):
        pdf(page("x"))


def test_the_process_knows_nothing_of_our_environment() -> None:
    assert not [name for name in making.ENVIRONMENT if "URL" in name or "KEY" in name or "SECRET" in name]
