"""A till's own clock, which runs as fast as the story needs."""

from datetime import datetime, timedelta


class DeviceClock:
    """The device's time, with an offset. Each call is a second later, so that no two sales have the same time."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def __call__(self) -> datetime:
        """The time now; a second passes."""
        self._now += timedelta(seconds=1)
        return self._now

    def pass_time(self, seconds: float) -> None:
        """Lets time pass without anything happening."""
        self._now += timedelta(seconds=seconds)

    def set(self, now: datetime) -> None:
        """Winds the clock to a given time, as a replay does for each ticket."""
        self._now = now
