"""The state of Redis (or Valkey), and the traces by which processes show in it that they are alive.

Nothing depends on these traces: they only show that beat and the workers are alive, and are lost with Redis.
"""

import time

from django.conf import settings
from redis import Redis
from redis.exceptions import ResponseError

TIMEOUT_S = 0.3
BEAT_TRACE = "backoffice:beat:swept_at"
ANSWER_TRACE = "backoffice:answer:"
KEPT_S = 7 * 24 * 3600
ANSWER_KEPT_S = 60


def broker() -> Redis:
    """A client with a short timeout, to be closed by the caller. Raises RedisError if nothing answers."""
    return Redis.from_url(settings.REDIS_URL, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)


def eviction_policy() -> str | None:
    """What Redis does when its memory is full: only `noeviction` keeps every message. None if Redis does not tell us.

    Read from INFO, since hosted Redis often forbids CONFIG. Raises RedisError if nothing answers.
    """
    with broker() as client:
        try:
            policy = client.info("memory").get("maxmemory_policy")
        except ResponseError:  # forbidden to us, or renamed
            return None
    return None if policy is None else str(policy)


def leave_beat_trace() -> None:
    """Records that beat has just asked for a sweep. Raises RedisError."""
    with broker() as client:
        client.set(BEAT_TRACE, str(time.time()), ex=KEPT_S)


def beat_silent_s() -> float | None:
    """Seconds since beat last asked for a sweep; None if that was more than a week ago. Raises RedisError."""
    with broker() as client:
        written = client.get(BEAT_TRACE)
    return None if written is None else max(0.0, time.time() - float(written))


def leave_answer(token: str) -> None:
    """Records that a worker has read the message with this token. Raises RedisError."""
    with broker() as client:
        client.set(ANSWER_TRACE + token, "read", ex=ANSWER_KEPT_S)


def answered(token: str) -> bool:
    """Whether a worker has read the message with this token. Raises RedisError."""
    with broker() as client:
        return client.get(ANSWER_TRACE + token) is not None
