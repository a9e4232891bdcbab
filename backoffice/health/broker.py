"""Redis (or Valkey) as it is, and the traces that processes leave in it for whoever asks how they are.

Nothing depends on what is kept here: it tells that beat and the workers live, and is gone when Redis is.
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
    """A client that gives up soon; close it. Raises RedisError where nothing answers."""
    return Redis.from_url(settings.REDIS_URL, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S)


def eviction_policy() -> str | None:
    """What Redis does when its memory is full: only `noeviction` drops no messages. None where it answers and does not say.

    INFO is asked, since who keeps a Redis for others often forbids CONFIG. Raises RedisError where nothing answers.
    """
    with broker() as client:
        try:
            said = client.info("memory").get("maxmemory_policy")
        except ResponseError:  # not allowed to us, or renamed
            return None
    return None if said is None else str(said)


def leave_beat_trace() -> None:
    """Beat notes that it asked for a sweep just now. Raises RedisError."""
    with broker() as client:
        client.set(BEAT_TRACE, str(time.time()), ex=KEPT_S)


def beat_silent_s() -> float | None:
    """Seconds since beat last asked for a sweep; None where it has not within a week. Raises RedisError."""
    with broker() as client:
        written = client.get(BEAT_TRACE)
    return None if written is None else max(0.0, time.time() - float(written))


def leave_answer(token: str) -> None:
    """A worker notes that it has read the message with this token. Raises RedisError."""
    with broker() as client:
        client.set(ANSWER_TRACE + token, "read", ex=ANSWER_KEPT_S)


def answered(token: str) -> bool:
    """Whether a worker has read the message with this token. Raises RedisError."""
    with broker() as client:
        return client.get(ANSWER_TRACE + token) is not None
