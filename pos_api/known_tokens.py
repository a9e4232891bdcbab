"""Which tokens authenticated lately in this process: the gate reads the body of a request whose token is among them.

This earns a token nothing else: whether it is still valid is asked of the database with each request, afterwards. So a
token that was revoked may have its bodies read for a quarter of an hour, and is answered 401.
"""

import time
from threading import Lock

KEPT_S = 15 * 60.0
MOST_TOKENS = 20_000
# A token that is used all the time is written down again only so often.
RENEWED_AFTER_S = 60.0


class KnownTokens:
    """The hashes of tokens, at most `most`, each for `kept_s` from when it was last seen. Any thread may use it."""

    def __init__(self, *, kept_s: float = KEPT_S, most: int = MOST_TOKENS) -> None:
        self._kept_s = kept_s
        self._most = most
        self._seen: dict[bytes, float] = {}  # the one seen longest ago is first
        self._lock = Lock()

    def knows(self, token_hash: bytes) -> bool:
        """Whether the token authenticated lately."""
        seen = self._seen.get(token_hash)
        return seen is not None and time.monotonic() - seen < self._kept_s

    def remember(self, token_hash: bytes) -> None:
        """Notes that the token has just authenticated."""
        now = time.monotonic()
        if now - self._seen.get(token_hash, -RENEWED_AFTER_S) < RENEWED_AFTER_S:
            return
        with self._lock:
            self._seen.pop(token_hash, None)
            while len(self._seen) >= self._most:
                del self._seen[next(iter(self._seen))]
            self._seen[token_hash] = now

    def forget(self, token_hash: bytes) -> None:
        """Notes that the token did not authenticate."""
        with self._lock:
            self._seen.pop(token_hash, None)


known_tokens = KnownTokens()
