"""Serves the kit on a port: HTTP/1.1, one thread per connection, and connections that end when they should not."""

import json
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from backoffice.workbench.conformance.office import Office
from backoffice.workbench.conformance.traffic import LIMITS, MAX_SENT, Answer, problem_answer

# So that a terminal that stops in the middle of a body does not keep a thread for ever.
SILENCE_S = 30.0


class Listener(ThreadingHTTPServer):
    """Answers for one Office at a time."""

    daemon_threads = True

    def __init__(self, host: str, port: int, office: Office) -> None:
        super().__init__((host, port), _Handler)
        self.office = office

    def handle_error(self, request: object, client_address: object) -> None:
        # A terminal that hangs up is not an error.
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    @property
    def address(self) -> str:
        """The URL on which it listens."""
        host, port = self.server_address[:2]
        return f"http://{host if isinstance(host, str) else host.decode()}:{port}"


@contextmanager
def listening(host: str, port: int, office: Office) -> Iterator[Listener]:
    """A listener in a thread of its own, for as long as the block runs. Raises OSError if the port is in use."""
    with Listener(host, port, office) as listener:
        thread = Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield listener
        finally:
            listener.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = SILENCE_S
    server: Listener

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name http.server uses
        """Logs nothing: what matters is in the report."""

    def _serve(self) -> None:
        about_the_run = {"/": self.server.office.overview, "/report": self.server.office.report_json}
        if self.command == "GET" and self.path in about_the_run:
            self._send(Answer(200, about_the_run[self.path]()))
            return
        length = self.headers.get("Content-Length", "")
        if length.isdigit() and int(length) > MAX_SENT:
            self.close_connection = True
            self._send(problem_answer("too-large", limits=LIMITS).at(self.path))
            return
        sent = self.rfile.read(int(length)) if length.isdigit() else b""
        if self.headers.get("Transfer-Encoding"):
            self.close_connection = (
                True  # a chunked body is refused unread, so what follows on this connection cannot be parsed
            )
        headers = {name.lower(): value for name, value in self.headers.items()}
        self._send(self.server.office.handle(self.command, self.path, headers, sent))

    do_GET = do_PUT = do_POST = do_DELETE = do_PATCH = _serve  # noqa: N815 - the names http.server calls

    def _send(self, answer: Answer) -> None:
        time.sleep(answer.delay_s)
        if answer.manner == "lost":
            self._cut()
            return
        body = answer.encoded
        self.send_response(answer.status)
        for name, value in {"Content-Type": "application/json", **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if answer.manner == "truncated":
            self.wfile.write(body[: len(body) // 2])
            self._cut()
            return
        self.wfile.write(body)

    def _cut(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)


def as_json(document: object) -> str:
    """The text of a JSON file."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
