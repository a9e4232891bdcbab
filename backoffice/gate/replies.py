"""Answers on their way to the client: Django's, and the gate's own where a request does not get as far as Django."""

import io
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, NamedTuple

import msgspec

from backoffice import metrics
from backoffice.gate.environ import Environ
from backoffice.gate.rules import API
from backoffice.tracing import HEADER, request_id
from pos_api.problems import CONTENT_TYPE, Problem

Headers = list[tuple[str, str]]
RETRY_AFTER_S = 5


class Reply(NamedTuple):
    """Status, headers, and either the body or the path of a file that is sent piece by piece."""

    status: int
    headers: Headers
    body: bytes
    file: str | None = None


class WholeFile:
    """`wsgi.file_wrapper`: a static file, which the server reads itself as fast as the client takes it."""

    def __init__(self, file: Any, block_size: int = 8192) -> None:
        self.path = file.name if isinstance(file, io.BufferedReader) and isinstance(file.name, str) else None
        self._file = file
        self._block_size = block_size

    def __iter__(self) -> Iterator[bytes]:
        while block := self._file.read(self._block_size):
            yield block

    def close(self) -> None:
        """Closes the file and Django's response."""
        self._file.close()


def problem_reply(environ: Environ, problem: Problem) -> Reply:
    """A problem as a terminal reads it, or a bare page for everybody else."""
    path = environ["PATH_INFO"]
    told = problem.answer(instance=path)
    metrics.count_request(address="gate", status=told.status)
    headers = [*problem.headers.items(), (HEADER, request_id(environ.get("HTTP_X_REQUEST_ID")))]
    if path.startswith(API):
        return Reply(told.status, [("Content-Type", CONTENT_TYPE), *headers], msgspec.json.encode(told))
    text = f"{told.status} {HTTPStatus(told.status).phrase}\n{told.detail}\n"
    return Reply(told.status, [("Content-Type", "text/plain; charset=utf-8"), *headers], text.encode())


def busy(detail: str) -> Problem:
    """Too much at once. Nothing was done: the same request may come again a little later."""
    return Problem("unavailable", detail, headers={"Retry-After": str(RETRY_AFTER_S)})
