"""A receiver of webhooks: a small HTTP server that answers as its path says, and remembers what it got."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Received(NamedTuple):
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes


class Receiver:
    """`/204`, `/500`, `/302`, `/410` answer so; `/flaky` 500 once, then 200; `/slow` never; `/drip` a byte at a time;
    `/huge` without an end.
    """

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.port: int = server.server_address[1]
        self.got: list[Received] = []
        self.over = threading.Event()

    def url(self, path: str, host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"


class _Handler(BaseHTTPRequestHandler):
    receiver: Receiver
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.receiver.got.append(
            Received(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
        )
        name = self.path.strip("/")
        if name in {"slow", "drip"}:
            self._keep_waiting(drips=name == "drip")
        elif name == "huge":
            self._flood()
        else:
            before = [each for each in self.receiver.got if each.path == "/flaky"]
            self._answer(int(name) if name.isdecimal() else 500 if len(before) == 1 else 200)

    do_GET = do_POST  # noqa: N815 - http.server's name

    def _answer(self, status: int) -> None:
        words = b"" if status == 204 else f"This is {status}. \0 {'x' * 2_000}".encode()
        self.send_response(status)
        if status == 302:
            self.send_header("location", self.receiver.url("/204"))
        self.send_header("content-length", str(len(words)))
        self.end_headers()
        self.wfile.write(words)

    def _keep_waiting(self, *, drips: bool) -> None:
        while not self.receiver.over.wait(0.05):
            if drips:
                self.wfile.write(b"H")
                self.wfile.flush()
        self.close_connection = True

    def _flood(self) -> None:
        self.send_response(200)
        self.send_header("content-length", str(10**12))
        self.end_headers()
        while not self.receiver.over.is_set():
            self.wfile.write(b"x" * 65_536)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A sender that has heard enough."""


@contextmanager
def running_receiver(ssl_context: Any = None) -> Iterator[Receiver]:
    """A receiver on a free port of this machine."""
    handler = type("Handler", (_Handler,), {})
    server = _Server(("127.0.0.1", 0), handler)
    if ssl_context is not None:
        server.socket = ssl_context.wrap_socket(server.socket, server_side=True)
    handler.receiver = receiver = Receiver(server)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.over.set()
        server.shutdown()
        server.server_close()
