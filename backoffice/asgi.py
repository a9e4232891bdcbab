"""The application that granian serves: Django behind a gate that waits for request bodies (ADR 11).

Django works in threads, and a thread that reads from a slow client serves nobody else. So the body arrives here first,
in the event loop, under a deadline, and a thread is taken only when it is complete.
"""

import asyncio
import io
import json
import os
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

# What is imported below asks for settings.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")

from a2wsgi.wsgi import build_environ
from django.conf import settings

from backoffice.garbage import expect_bursts
from backoffice.health.startup import refuse_unsafe_servers
from backoffice.tracing import HEADER, request_id
from backoffice.wsgi import application as django_application
from pos_api.problems import TITLES, TYPE_PREFIX

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
WSGIApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

THREADS = int(os.environ.get("WEB_THREADS", "32"))
BODY_TIMEOUT_S = float(os.environ.get("BODY_TIMEOUT_S", "30"))
# A little above what a batch may have: what says that it is larger is refused by Django without being read.
MOST_BYTES = settings.MAX_BATCH_BYTES + 64 * 1024


class BodyGate:
    """Runs a WSGI application in threads, each for a request whose whole body is here.

    A body that takes longer than `timeout_s` gets 408. Answers are whole too: one hop to a thread and one back.
    """

    def __init__(self, application: WSGIApplication, *, timeout_s: float = BODY_TIMEOUT_S) -> None:
        self.application = application
        self.timeout_s = timeout_s
        self.threads = ThreadPoolExecutor(THREADS, thread_name_prefix="web")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = b""
        if 0 < _content_length(scope) <= MOST_BYTES:
            try:
                async with asyncio.timeout(self.timeout_s):
                    arrived = await _read(receive)
            except TimeoutError:
                await _send(send, 408, _headers_of_408(scope), self._too_slow(scope["path"]))
                return
            if arrived is None:  # the client is gone, and nothing was stored
                return
            body = arrived
        environ: dict[str, Any] = {**build_environ(cast("Any", scope), cast("Any", io.BytesIO(body)))}
        answer = await asyncio.get_running_loop().run_in_executor(self.threads, self._call, environ)
        await _send(send, *answer)

    def _call(self, environ: dict[str, Any]) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        said: dict[str, Any] = {}

        def start_response(status: str, headers: list[tuple[str, str]], _exc_info: object = None) -> None:
            said["status"] = int(status.partition(" ")[0])
            said["headers"] = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]

        chunks = self.application(environ, start_response)
        try:
            content = b"".join(chunks)
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        return said["status"], said["headers"], content

    def _too_slow(self, path: str) -> bytes:
        status, title = TITLES["body-timeout"]
        problem = {
            "type": TYPE_PREFIX + "body-timeout",
            "title": title,
            "status": status,
            "detail": f"A body has {self.timeout_s:g} s to arrive. Nothing was stored: send again.",
            "instance": path,
        }
        return json.dumps(problem).encode()


def _content_length(scope: Scope) -> int:
    """As declared; 0 where it is absent or no number, which is for Django to judge."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0


def _headers_of_408(scope: Scope) -> list[tuple[bytes, bytes]]:
    claimed = next(
        (value.decode("latin-1") for name, value in scope["headers"] if name == HEADER.lower().encode()), None
    )
    return [
        (b"content-type", b"application/problem+json"),
        (HEADER.lower().encode(), request_id(claimed).encode()),
    ]


async def _read(receive: Receive) -> bytes | None:
    chunks: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(chunks)


async def _send(send: Send, status: int, headers: list[tuple[bytes, bytes]], content: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


if settings.ROLE == "web":
    refuse_unsafe_servers()
expect_bursts()
application = BodyGate(django_application)
