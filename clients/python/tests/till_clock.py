"""The device's time, which tests can move."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta


@dataclass
class Clock:
    now: datetime = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
    naps_s: list[float] = field(default_factory=list)
    elapsed_s: float = 0.0

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    def monotonic(self) -> float:
        return self.elapsed_s

    def sleep(self, seconds: float) -> None:
        self.naps_s.append(seconds)
        self.pass_time(seconds)

    def pass_time(self, seconds: float) -> None:
        self.elapsed_s += seconds
