"""Token buckets in Redis, filled and emptied by one atomic script. Nothing is refused because Redis is down."""

import time

import structlog
from prometheus_client import Counter
from redis import Redis
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

REDIS_TIMEOUT_S = 0.1
# When Redis has not answered, it is not asked for this long, so that requests do not all wait for a dead server.
SILENCE_S = 5.0

# KEYS: the bucket. ARGV: tokens per second, most tokens. Returns milliseconds to wait; 0 lets the request pass.
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


class Buckets:
    """The buckets of one purpose, whose keys begin with `prefix`. `unmetered` counts what passes while Redis is away."""

    def __init__(self, redis_url: str, *, prefix: str, unmetered: Counter) -> None:
        self._redis = Redis.from_url(redis_url, socket_timeout=REDIS_TIMEOUT_S, socket_connect_timeout=REDIS_TIMEOUT_S)
        self._take_one = self._redis.register_script(TAKE_ONE)
        self._prefix = prefix
        self._unmetered = unmetered
        self._silent_until = 0.0

    def take(self, key: str, *, per_s: float, burst: int) -> int:
        """Takes a token out of a bucket, and returns 0; or the milliseconds until there is one."""
        if time.monotonic() < self._silent_until:
            self._unmetered.inc()
            return 0
        try:
            return int(self._take_one(keys=[f"{self._prefix}:{key}"], args=[per_s, burst]))
        except RedisError as error:
            self._silent_until = time.monotonic() + SILENCE_S
            self._unmetered.inc()
            log.warning("requests pass unmetered", of=self._prefix, error=type(error).__name__)
            return 0

    def fill(self, key: str) -> None:
        """Makes a bucket full again."""
        try:
            self._redis.delete(f"{self._prefix}:{key}")
        except RedisError:
            return  # it fills by itself, later
