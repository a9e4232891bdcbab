"""A limit per terminal, so that one that floods does not slow the others (protocol §9, 429).

A token bucket in Redis, filled and emptied by one atomic script. No sale is refused because Redis is down: every request
then passes, and a metric counts it.
"""

import time
from typing import Any

import structlog
from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from backoffice.metrics import requests_throttled, requests_unmetered
from pos_api.authentication import Caller

log = structlog.get_logger(__name__)

REDIS_TIMEOUT_S = 0.1
# When Redis has not answered, it is not asked for this long, so that requests do not all wait for a dead server.
SILENCE_S = 5.0

# KEYS: the terminal's bucket. ARGV: tokens per second, most tokens. Returns milliseconds to wait; 0 lets the request pass.
TAKE_ONE = """
local now = redis.call('TIME')
local now_ms = now[1] * 1000 + math.floor(now[2] / 1000)
local rate, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local bucket = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = math.min(burst, (tonumber(bucket[1]) or burst) + (now_ms - (tonumber(bucket[2]) or now_ms)) * rate / 1000)
local wait = 0
if tokens >= 1 then tokens = tokens - 1 else wait = math.ceil((1 - tokens) * 1000 / rate) end
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'at', now_ms)
redis.call('PEXPIRE', KEYS[1], math.ceil(burst * 1000 / rate) + 1000)
return wait
"""


class TerminalThrottle(BaseThrottle):
    """DRF's hook. A request without a terminal is not counted: all it costs is one look at the credentials."""

    _client = Redis.from_url(settings.REDIS_URL, socket_timeout=REDIS_TIMEOUT_S, socket_connect_timeout=REDIS_TIMEOUT_S)
    _take_one = _client.register_script(TAKE_ONE)
    _silent_until = 0.0

    wait_ms = 0

    def allow_request(self, request: Request, view: Any) -> bool:
        caller = request.user
        if not isinstance(caller, Caller):
            return True
        self.wait_ms = self._ask(caller.terminal.pk)
        if self.wait_ms:
            requests_throttled.inc()
        return self.wait_ms == 0

    def wait(self) -> float:
        """Seconds until the next token, for `Retry-After`."""
        return self.wait_ms / 1000

    def _ask(self, terminal_id: int) -> int:
        if time.monotonic() < TerminalThrottle._silent_until:
            requests_unmetered.inc()
            return 0
        try:
            arguments = [settings.REQUESTS_PER_SECOND, settings.REQUESTS_BURST]
            return int(self._take_one(keys=[f"backoffice:requests:{terminal_id}"], args=arguments))
        except RedisError as error:
            TerminalThrottle._silent_until = time.monotonic() + SILENCE_S
            requests_unmetered.inc()
            log.warning("requests pass unmetered", error=type(error).__name__)
            return 0
