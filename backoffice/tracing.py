"""The ids that connect log lines: request, terminal, batch and task.

A request may bring an id in `X-Request-ID`, or is given one, and finds it in the answer. A message to a worker says who
sent it, so a worker's log lines name the request, or the sweeper, that made it look: `rung_by`. The batch's own id is
in the lines of both.
"""

import re
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import structlog
from django.http import HttpRequest, HttpResponse
from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars

from backoffice import metrics
from backoffice.domain.cards.search import has_number

log = structlog.get_logger(__name__)

HEADER = "X-Request-ID"
# What clients usually send: UUIDs, hexadecimal, URL-safe base64. Anything else stays out of the logs.
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
# What may stand between the digits of a number, beside what the search for card numbers passes over itself.
SEPARATORS = str.maketrans("._", "--")
# Floods of requests get 401 and 429: a line for each would flood the log as well.
NOT_LOGGED = frozenset({401, 429})
ERROR = 400


def request_id(claimed: str | None) -> str:
    """The id that a client sent, if it is well-formed and contains no card number; otherwise a new one."""
    if claimed is not None and REQUEST_ID.fullmatch(claimed) and not has_number(claimed.translate(SEPARATORS)):
        return claimed
    return uuid4().hex


class RequestTrace:
    """The outermost middleware: gives each request its id, and counts it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        own_id = request_id(request.META.get("HTTP_X_REQUEST_ID"))
        clear_contextvars()
        bind_contextvars(request_id=own_id)
        try:
            response = self.get_response(request)
            self._record(request, response.status_code, time.perf_counter() - began)
        finally:
            clear_contextvars()
        response.headers[HEADER] = own_id
        return response

    def _record(self, request: HttpRequest, status: int, seconds: float) -> None:
        address = _address(request)
        metrics.count_request(address=address, status=status)
        if address == "batch-upload" and status < ERROR:
            metrics.count_upload(seconds=seconds, waited="wait" in request.META.get("HTTP_PREFER", ""))
        elif status >= ERROR and status not in NOT_LOGGED and address not in {"console", "elsewhere"}:
            log.info("request refused", method=request.method, address=address, status=status)


def _address(request: HttpRequest) -> str:
    """The name of the address; all pages of the console share one."""
    found = request.resolver_match
    if found is None or found.url_name is None:
        return "elsewhere"
    return "console" if found.namespaces else found.url_name


def ringer(role: str) -> str:
    """Who asks a worker to look: the current request, whoever rang for the current task, or this process's role."""
    known = get_contextvars()
    return str(known.get("request_id") or known.get("rung_by") or role)


def begin_task(*, task_id: str, rung_by: Any) -> None:
    """Adds a task's ids to everything this process logs until the next task. `rung_by` is whatever the message says."""
    clear_contextvars()
    known = {"rung_by": rung_by} if isinstance(rung_by, str) and REQUEST_ID.fullmatch(rung_by) else {}
    bind_contextvars(task_id=task_id, **known)
