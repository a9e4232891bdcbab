"""The application that granian serves: Django behind a gate that waits for request bodies (ADR 11 and 17).

Django works in threads, and a thread that reads from a slow client serves nobody else. So the event loop receives the
body first, under a deadline, and only a complete body takes a thread. RSGI is granian's own interface, with one call for
a body and one for an answer.
"""

import asyncio
import io
import os
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

# The imports below need the settings.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")

import msgspec
from django.conf import settings
from granian.rsgi import HTTPProtocol, ProtocolClosed, Scope

from backoffice.cycle_collector import tune_cycle_collector
from backoffice.health.startup import refuse_unsafe_servers
from backoffice.tracing import HEADER, request_id
from backoffice.wsgi import application as django_application
from pos_api.problems import CONTENT_TYPE, Problem

WSGIApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Answer = tuple[int, list[tuple[str, str]], bytes]

THREADS = int(os.environ.get("WEB_THREADS", "32"))
BODY_TIMEOUT_S = float(os.environ.get("BODY_TIMEOUT_S", "30"))
# A little above the limit of a batch. Django refuses a body that is declared larger, without reading it.
MOST_BYTES = settings.MAX_BATCH_BYTES + 64 * 1024
# The two headers that have names of their own in WSGI (PEP 3333).
OWN_NAMES = {"content-length": "CONTENT_LENGTH", "content-type": "CONTENT_TYPE"}


class BodyGate:
    """Runs a WSGI application in threads, once the whole body of a request is here.

    A body that takes longer than `timeout_s` gets 408. Answers are sent whole too: one hop to a thread and one back.
    """

    def __init__(self, application: WSGIApplication, *, timeout_s: float = BODY_TIMEOUT_S) -> None:
        self.application = application
        self.timeout_s = timeout_s
        self.threads = ThreadPoolExecutor(THREADS, thread_name_prefix="web")

    async def __rsgi__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        """Answers one request."""
        environ = _environ(scope)
        body = b""
        if 0 < _content_length(environ) <= MOST_BYTES:
            try:
                async with asyncio.timeout(self.timeout_s):
                    body = await protocol()
            except TimeoutError:
                protocol.response_bytes(*self._too_slow(environ))
                return
            except ProtocolClosed:  # the client is gone, and nothing was stored
                return
        environ["wsgi.input"] = io.BytesIO(body)
        answer = await asyncio.get_running_loop().run_in_executor(self.threads, self._call, environ)
        protocol.response_bytes(*answer)

    def _call(self, environ: dict[str, Any]) -> Answer:
        head: dict[str, Any] = {}

        def start_response(status: str, headers: list[tuple[str, str]], _exc_info: object = None) -> None:
            head["status"], head["headers"] = int(status.partition(" ")[0]), headers

        chunks = self.application(environ, start_response)
        try:
            content = b"".join(chunks)
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        return head["status"], head["headers"], content

    def _too_slow(self, environ: dict[str, Any]) -> Answer:
        detail = f"The body must arrive within {self.timeout_s:g} s. Nothing was stored: send it again."
        answer = Problem("body-timeout", detail).answer(instance=environ["PATH_INFO"])
        headers = [
            ("Content-Type", CONTENT_TYPE),
            (HEADER, request_id(environ.get("HTTP_X_REQUEST_ID"))),
        ]
        return answer.status, headers, msgspec.json.encode(answer)


def _environ(scope: Scope) -> dict[str, Any]:
    # What PEP 3333 asks for, except the body. Headers with an underscore in their name are left out: WSGI could not tell
    # them from those that a proxy sets or removes.
    server, _, port = scope.server.rpartition(":")
    client, _, client_port = scope.client.rpartition(":")
    environ = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": _as_wsgi(scope.path),
        "QUERY_STRING": _as_wsgi(scope.query_string),
        "SERVER_NAME": server,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": client.strip("[]"),
        "REMOTE_PORT": client_port,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope.headers.items():
        if "_" in name:
            continue
        key = OWN_NAMES.get(name) or f"HTTP_{name.upper().replace('-', '_')}"
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    if scope.authority and "HTTP_HOST" not in environ:  # HTTP/2
        environ["HTTP_HOST"] = scope.authority
    return environ


def _as_wsgi(text: str) -> str:
    # WSGI has each byte as the character with its number.
    return text if text.isascii() else text.encode().decode("latin-1")


def _content_length(environ: dict[str, Any]) -> int:
    # 0 where it is absent or not a number: Django judges that.
    declared = environ.get("CONTENT_LENGTH", "")
    return int(declared) if declared.isascii() and declared.isdigit() else 0


if settings.ROLE == "web":
    refuse_unsafe_servers()
tune_cycle_collector()
application = BodyGate(django_application)
