"""One run: a service, terminals behind a bad line, a schedule of misfortunes, and the checker's verdict."""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backoffice.workbench.embedded.processes import wait_until
from backoffice.workbench.embedded.roles import CHECKOUT
from tests.faults.fleet import Day, Fleet
from tests.faults.killer import Killer, Stalled
from tests.faults.people import CLOSING_TIME, at_work
from tests.faults.proxy import Proxy
from tests.faults.schedule import KILLS, LAST_AT, Moment, positions, schedule
from tests.faults.service import Service

STALLED_AFTER_S = 120.0
ANSWERED_WITHIN_S = 60.0
Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How much of everything. `quota` in `day` is each terminal's share of the orders."""

    kills: int
    terminals: int
    day: Day
    duration_limit_s: float

    @property
    def orders(self) -> int:
        return self.day.quota * self.terminals


@dataclass
class Result:
    """What was done, and what the checker said. `trouble` is whatever else went wrong with the run itself."""

    plan: Plan
    seconds: float = 0.0
    checked_in_s: float = 0.0
    misfortunes: Counter[tuple[str, str]] = field(default_factory=Counter)
    line_faults: Counter[str] = field(default_factory=Counter)
    crashes: int = 0
    times_full: int = 0
    trouble: list[str] = field(default_factory=list)
    checked: dict[str, Any] = field(default_factory=dict)

    @property
    def kills(self) -> int:
        """How often a process of the service was there to be killed."""
        return sum(count for (what, _), count in self.misfortunes.items() if what in KILLS)

    @property
    def clean(self) -> bool:
        found = self.checked.get("findings", {"nothing was checked": {"count": 1}})
        return not self.trouble and not any(finding["count"] for finding in found.values())


def run(
    service: Service,
    plan: Plan,
    *,
    folder: Path,
    say: Say,
    moments: Sequence[Moment] | None = None,
    drain_s: float = 900.0,
) -> Result:
    """Carries out the plan on a started service and has the checker look. Never raises for what the service does.

    `moments` are those that the plan's seed makes, unless given.
    """
    result = Result(plan)
    fleet = Fleet(folder, plan.day, [f"terminal-{number:02}" for number in range(1, plan.terminals + 1)])
    fleet.activate(service)
    people = bool(plan.day.cheques)
    if people:
        service.enrol_people()
    proxy = Proxy(service.port, seed=plan.day.seed)
    proxy.start()
    watch = Watcher(fleet, plan, say)
    killer = Killer(service, fleet, keep_up=watch.keep_up, log=folder / "misfortunes")
    watch.killer = killer
    victims = [*service.processes(), "terminal", *(["disk"] if service.can_fill_disk else [])]
    # Of a hundred kills one or two find their process dead already, and do not count.
    planned = plan.kills + plan.kills // 30
    moments = moments or schedule(seed=plan.day.seed, kills=planned, victims=victims)
    try:
        fleet.start(proxy.url)
        with killer.healing():
            for moment, (position, distance) in zip(moments, positions(moments, orders=plan.orders), strict=True):
                due = max(position, fleet.acknowledged() + distance)
                watch.until_acknowledged(min(due, int(LAST_AT * plan.orders)))
                killer.carry_out(moment)
            killer.carry_out_missed()
        proxy.faulty = False
        watch.until(lambda: fleet.done, patience_s=drain_s)
    except Stalled as stalled:
        result.trouble.append(str(stalled))
    finally:
        fleet.stop()
        proxy.stop()
    result.trouble += [f"{name} ended badly: its log says why" for name in fleet.broken]
    if not service.idle(timeout_s=drain_s if not result.trouble else 30.0):
        result.trouble.append(f"{service.waiting()} batches still wait")
    if people and not close_head_office(fleet.journals):
        result.trouble.append(f"{', '.join(at_work(fleet.journals))} got no answer")
    result.seconds = time.monotonic() - watch.began
    result.misfortunes, result.line_faults = killer.counts, proxy.counts
    result.crashes, result.times_full = fleet.crashes, service.times_full()
    result.trouble += shortfall(result)
    say("Checking the books against the terminals' journals …")
    began = time.monotonic()
    result.checked = check(fleet.journals, service.database_url)
    result.checked_in_s = time.monotonic() - began
    if people:
        result.checked["findings"]["differences that verify_books finds"] = verify(service)
    return result


def close_head_office(journals: Path) -> bool:
    """People go home once they have all their answers; whether that came in time."""
    (journals / CLOSING_TIME).touch()
    return wait_until(lambda: not at_work(journals), timeout_s=ANSWERED_WITHIN_S, interval_s=0.2)


def verify(service: Service) -> dict[str, Any]:
    """What our own second implementation says, in the checker's words."""
    report = json.loads(service.manage("verify_books", "--json"))
    found = [f"{each['store']}: {each['where']}: {each['what']}" for each in report["differences"]]
    return {"count": len(found), "examples": found[:5]}


def shortfall(result: Result) -> list[str]:
    """A run that struck less often than planned has proved less than it says."""
    if result.kills >= result.plan.kills:
        return []
    return [f"only {result.kills:,} of {result.plan.kills:,} kills were carried out"]


class Watcher:
    """Tends the terminals while others wait, tells how far it is, and ends a run that does not get on."""

    def __init__(self, fleet: Fleet, plan: Plan, say: Say) -> None:
        self._fleet = fleet
        self._plan = plan
        self._say = say
        self.began = time.monotonic()
        self._looked = self._told = 0.0
        self._progressed = self.began
        self._most = 0
        self.killer: Killer | None = None

    def until_acknowledged(self, orders: int) -> None:
        """Returns when so many orders are acknowledged. Raises as `until` does."""
        self.until(lambda: self._fleet.acknowledged() >= orders)

    def until(self, condition: Callable[[], bool], *, patience_s: float = STALLED_AFTER_S) -> None:
        """Returns when it holds. Raises Stalled where nothing is acknowledged for `patience_s`, or time is up."""
        self._progressed = time.monotonic()
        while not condition():
            self.keep_up(patience_s=patience_s)
            time.sleep(0.02)

    def keep_up(self, *, patience_s: float = STALLED_AFTER_S) -> None:
        now = time.monotonic()
        if now - self._looked < 0.1:
            return
        self._looked = now
        self._fleet.tend()
        acknowledged = self._fleet.acknowledged()
        if acknowledged > self._most:
            self._most, self._progressed = acknowledged, now
        if now - self._told > 5:
            self._told = now
            self._tell(now)
        if self._fleet.broken:
            raise Stalled("terminals ended by themselves")
        if now - self._progressed > patience_s:
            raise Stalled(f"nothing was acknowledged for {patience_s:g} s")
        if now - self.began > self._plan.duration_limit_s:
            raise Stalled(f"not finished within {self._plan.duration_limit_s:g} s")

    def _tell(self, now: float) -> None:
        kills = self.killer.kills() if self.killer is not None else 0
        seconds = now - self.began
        self._say(
            f"{seconds:6.0f} s  {kills} of {self._plan.kills} kills  {self._most:,} of {self._plan.orders:,} orders "
            f"acknowledged ({self._most / max(seconds, 0.1):,.0f}/s)  {self._fleet.crashes} terminal crashes"
        )


def check(journals: Path, database_url: str) -> dict[str, Any]:
    """The checker's own words, as a program of its own. Raises RuntimeError where it could prove nothing."""
    command = ["-m", "tests.faults.check", "--journals", str(journals), "--database", database_url, "--json"]
    done = subprocess.run([sys.executable, *command], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if done.returncode not in {0, 1}:
        raise RuntimeError(done.stderr or done.stdout)
    checked: dict[str, Any] = json.loads(done.stdout)
    return checked


def figures(result: Result) -> dict[str, Any]:
    """What `report` tells, for a program."""
    books = {_snake(name): count for name, count in result.checked["figures"].items()}
    return {
        "run": {
            "seed": result.plan.day.seed,
            "duration_s": result.seconds,
            "orders_per_s": books["orders_acknowledged"] / result.seconds,
            "checked_in_s": result.checked_in_s,
            "terminals": result.plan.terminals,
            "batch_orders": result.plan.day.batch,
            "kills": result.kills,
            "disk_found_full": result.times_full,
        },
        "misfortunes": {_snake(*key): count for key, count in sorted(result.misfortunes.items())},
        "line": {_snake(fault): count for fault, count in sorted(result.line_faults.items())},
        "books": books,
        "findings": {_snake(name): finding["count"] for name, finding in result.checked["findings"].items()},
        "trouble": result.trouble,
    }


def _snake(*words: str) -> str:
    return " ".join(words).replace(" ", "_").replace("-", "_")


def report(result: Result) -> str:
    """The result as Markdown."""
    figures, findings = result.checked["figures"], result.checked["findings"]
    kills = {key: count for key, count in result.misfortunes.items() if key[0] in KILLS}
    others = {key: count for key, count in result.misfortunes.items() if key not in kills}
    rate = figures["orders acknowledged"] / result.seconds
    rows = [
        ("seed", result.plan.day.seed),
        ("duration", f"{result.seconds / 60:.1f} min ({rate:,.0f} orders/s)"),
        ("checked in", f"{result.checked_in_s:.0f} s"),
        ("terminals", f"{result.plan.terminals}, which send after {result.plan.day.batch} orders"),
        ("**kills of the service's processes**", f"**{result.kills:,}**"),
        *((f"{what} {whom}", f"{count:,}") for (what, whom), count in sorted(kills.items())),
        *((f"{what} {whom}", f"{count:,}") for (what, whom), count in sorted(others.items())),
        ("PostgreSQL found its disk full", f"{result.times_full:,}"),
        *((f"line: {fault}", f"{count:,}") for fault, count in sorted(result.line_faults.items())),
        *((name, f"{count:,}") for name, count in figures.items()),
        *((f"**{name}**", f"**{finding['count']:,}**") for name, finding in findings.items()),
    ]
    lines = ["| | |", "|---|---:|", *(f"| {name} | {value} |" for name, value in rows)]
    for name, finding in findings.items():
        lines += [f"\n{name}:", *(f"- {example}" for example in finding["examples"])] if finding["count"] else []
    lines += [f"\nTrouble: {trouble}" for trouble in result.trouble]
    return "\n".join(lines)
