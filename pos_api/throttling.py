"""Limits of requests: per terminal, so that one that floods does not slow the others (protocol §9, 429), and of
activations per address. No sale is refused because Redis is down: every request then passes, and a metric counts it.
"""

from typing import Any, ClassVar

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from backoffice.buckets import Buckets
from backoffice.metrics import requests_throttled, requests_unmetered, tries_unmetered
from backoffice.remote import is_this_machine, remote_address
from pos_api.authentication import Caller

# Protocol §3: no address is locked out below a hundred tries a minute.
ACTIVATIONS_PER_S, ACTIVATIONS_BURST = 2, 120


class TerminalThrottle(BaseThrottle):
    """DRF's hook. A request without a terminal is not counted: all it costs is one look at the credentials."""

    buckets: ClassVar = Buckets(settings.REDIS_URL, prefix="backoffice:requests", unmetered=requests_unmetered)
    wait_ms = 0

    def allow_request(self, request: Request, view: Any) -> bool:
        caller = request.user
        if not isinstance(caller, Caller):
            return True
        self.wait_ms = self.buckets.take(
            str(caller.terminal.pk), per_s=settings.REQUESTS_PER_SECOND, burst=settings.REQUESTS_BURST
        )
        if self.wait_ms:
            requests_throttled.inc()
        return self.wait_ms == 0

    def wait(self) -> float:
        """Seconds until the next token, for `Retry-After`."""
        return self.wait_ms / 1000


class ActivationThrottle(TerminalThrottle):
    """Tries to activate, per address. Those from this very machine, and not through its proxy, are its own."""

    buckets: ClassVar = Buckets(settings.REDIS_URL, prefix="backoffice:activations", unmetered=tries_unmetered)

    def allow_request(self, request: Request, view: Any) -> bool:
        address = remote_address(request.META)
        if not is_this_machine(address):
            self.wait_ms = self.buckets.take(address, per_s=ACTIVATIONS_PER_S, burst=ACTIVATIONS_BURST)
        if self.wait_ms:
            requests_throttled.inc()
        return self.wait_ms == 0
