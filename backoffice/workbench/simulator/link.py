"""A bad line between a till and Back Office, as an httpx transport."""

import threading
from collections import Counter
from dataclasses import dataclass
from random import Random

import httpx


@dataclass(frozen=True)
class Weather:
    """The share of requests that meets each mishap. The others go through."""

    lost_requests: float = 0.0
    lost_answers: float = 0.0
    repeated: float = 0.0
    overtaken: float = 0.0


FAIR = Weather()
ROUGH = Weather(lost_requests=0.04, lost_answers=0.08, repeated=0.05, overtaken=0.04)


class FaultyLink(httpx.BaseTransport):
    """Loses requests, loses answers after the request was delivered, repeats, and lets requests overtake each other.

    Seeded, so that a run can be repeated. `cut` means that the cable is pulled. `mishaps` counts what happened.
    """

    def __init__(self, inner: httpx.BaseTransport, rng: Random, weather: Weather = FAIR) -> None:
        self.weather = weather
        self.cut = False
        self.mishaps: Counter[str] = Counter()
        self._inner = inner
        self._rng = rng
        self._stuck: list[httpx.Request] = []
        self._lock = threading.Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Delivers a request, or does not. Raises httpx.TransportError if the till gets no answer."""
        request.read()
        with self._lock:
            mishap = "cut" if self.cut else self._draw()
            self.mishaps[mishap] += 1
            if mishap in ("cut", "lost request"):
                raise httpx.ConnectError("the line is down", request=request)
            if mishap == "overtaken":
                self._stuck.append(request)
                raise httpx.ReadTimeout("stuck on the way", request=request)
            answer = self._deliver(request)
            if mishap == "repeated":
                answer = self._deliver(request)
            self._release_stuck()
            if mishap == "lost answer":
                raise httpx.ReadTimeout("the answer was lost", request=request)
            return answer

    def close(self) -> None:
        """Delivers what is still stuck, after the till has hung up."""
        self._release_stuck()
        self._inner.close()

    def _draw(self) -> str:
        odds = {
            "lost request": self.weather.lost_requests,
            "lost answer": self.weather.lost_answers,
            "repeated": self.weather.repeated,
            "overtaken": self.weather.overtaken,
        }
        at = self._rng.random()
        for mishap, chance in odds.items():
            if at < chance:
                return mishap
            at -= chance
        return "delivered"

    def _release_stuck(self) -> None:
        """Requests that were sent before the one just answered arrive only now."""
        stuck, self._stuck = self._stuck, []
        for request in stuck:
            try:
                self._deliver(request)
            except httpx.TransportError:
                self.mishaps["lost request"] += 1

    def _deliver(self, request: httpx.Request) -> httpx.Response:
        copy = httpx.Request(
            request.method, request.url, headers=request.headers, content=request.content, extensions=request.extensions
        )
        answer = self._inner.handle_request(copy)
        answer.read()
        return answer
