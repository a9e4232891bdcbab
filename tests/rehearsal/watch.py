"""Asks Caddy for a sign of life all the time, each time by a connection of its own, and counts what comes of it."""

import ssl
import threading
import time
from collections import Counter
from dataclasses import dataclass
from http.client import HTTPException, HTTPSConnection

EVERY_S = 0.2
TIMEOUT_S = 20.0
OK = 200


@dataclass(frozen=True)
class Look:
    """One request: when it was made, how long it took, and what came of it: a status, or `refused` for no answer."""

    at: float
    seconds: float
    answer: str


@dataclass(frozen=True)
class Seen:
    """What came of the requests of some time."""

    answers: Counter[str]
    slowest_s: float

    def __str__(self) -> str:
        others = ", ".join(f"{many} {answer}" for answer, many in sorted(self.answers.items()) if answer != str(OK))
        return f"{others or 'none failed'}, slowest {self.slowest_s:.1f} s"


class Watch:
    """Looks from `start` on."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._looks: list[Look] = []
        threading.Thread(target=self._work, name="watch", daemon=True).start()

    def since(self, moment: float) -> Seen:
        """What came of the requests made since a moment (`time.time`)."""
        looks = [look for look in self._looks if look.at >= moment]
        return Seen(Counter(look.answer for look in looks), max((look.seconds for look in looks), default=0.0))

    def _work(self) -> None:
        context = ssl.create_default_context()
        while True:
            at, began = time.time(), time.monotonic()
            answer = look(self._host, context)
            self._looks.append(Look(at, time.monotonic() - began, answer))
            time.sleep(EVERY_S)


def look(host: str, context: ssl.SSLContext) -> str:
    connection = HTTPSConnection(host, timeout=TIMEOUT_S, context=context)
    try:
        connection.request("GET", "/livez")
        return str(connection.getresponse().status)
    except (OSError, HTTPException):
        return "refused"
    finally:
        connection.close()
