"""When people are told: kinds of alerts, their thresholds, and what one look at the service changes about open alerts.

What is measured comes as `AlertSign`s, one a matter; what is open already as `OpenAlert`s. `judge_alerts` compares the two and says
which alerts begin, worsen, ease and end (docs/alerts.md, "Rules").
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import NamedTuple

# An alert keeps its severity until what is measured falls below this part of the threshold: what hovers around a
# threshold tells people once.
EASES_BELOW_PERCENT = 80
# More of a kind in one store are one alert of the store, and stores with uploads waiting one alert of the service.
MOST_APART = 5
MOST_NAMES = 12


class AlertKind(StrEnum):
    """What an alert is about. What is measured is in minutes, hours, orders, or minor units: `UNITS`."""

    SILENT = "silent"
    CACHED = "cached"
    WAITING = "waiting"
    OPEN_LONG = "open-long"
    GAP = "gap"
    OVER_SHORT = "over-short"
    UNSEALED = "unsealed"


UNITS: Mapping[AlertKind, str] = {
    AlertKind.SILENT: "minutes",
    AlertKind.CACHED: "orders",
    AlertKind.WAITING: "minutes",
    AlertKind.OPEN_LONG: "hours",
    AlertKind.GAP: "hours",
    AlertKind.OVER_SHORT: "minor units",
    AlertKind.UNSEALED: "minutes",
}


class Severity(IntEnum):
    """How urgent it is."""

    WARNING = 1
    CRITICAL = 2


class AlertDeed(StrEnum):
    """What can happen to an alert: each is one row of its history."""

    RAISED = "raised"
    WORSENED = "worsened"
    EASED = "eased"
    RESOLVED = "resolved"
    GROUPED = "grouped"
    SNOOZED = "snoozed"
    WOKEN = "woken"


class Thresholds(NamedTuple):
    """From which measure on there is a warning, and a critical alert; None where there is none."""

    warning: int | None = None
    critical: int | None = None

    @property
    def least(self) -> int | None:
        """The smallest measure at which an alert may stand, one that is open already."""
        levels = [level for level in self if level is not None]
        return None if not levels else _eased(min(levels))


class AlertSign(NamedTuple):
    """Something measured. `subject` tells matters of one kind and store apart; "" is the store, or the service, itself."""

    kind: AlertKind
    store_id: int | None
    subject: str
    value: int
    since: datetime | None = None
    terminal_id: int | None = None
    shift_id: str | None = None
    names: tuple[str, ...] = ()
    members: int = 1

    @property
    def matter(self) -> "AlertMatter":
        return AlertMatter(self.kind, self.store_id, self.subject)


class AlertMatter(NamedTuple):
    """What an alert is about. At most one alert of a matter is open."""

    kind: AlertKind
    store_id: int | None
    subject: str

    @property
    def of_store(self) -> "AlertMatter":
        return self._replace(subject="")


class OpenAlert(NamedTuple):
    """An alert that has not ended."""

    id: int
    matter: AlertMatter
    severity: Severity


class AlertStanding(NamedTuple):
    """A sign that calls for an alert."""

    sign: AlertSign
    severity: Severity


class AlertVerdict(NamedTuple):
    """What changes: alerts to begin; open ones with what they are now; and ones that end, resolved or part of another."""

    raised: list[AlertStanding]
    worsened: list[tuple[OpenAlert, AlertStanding]]
    eased: list[tuple[OpenAlert, AlertStanding]]
    unchanged: list[tuple[OpenAlert, AlertStanding]]
    resolved: list[OpenAlert]
    grouped: list[OpenAlert]


def severity_of(value: int, thresholds: Thresholds, *, before: Severity | None) -> Severity | None:
    """How urgent a measure is. What was more urgent `before` stays so until the measure is clearly below its threshold."""
    levels = {Severity.CRITICAL: thresholds.critical, Severity.WARNING: thresholds.warning}
    for severity, level in levels.items():
        if level is not None and value >= (_eased(level) if before is not None and severity <= before else level):
            return severity
    return None


def judge_alerts(
    signs: Iterable[AlertSign],
    *,
    rules: Mapping[tuple[AlertKind, int | None], Thresholds],
    at_work: Mapping[int, int],
    open_alerts: Sequence[OpenAlert],
) -> AlertVerdict:
    """Compares what is measured with what is open. `at_work` has the number of tills with an open shift, by store.

    `rules` has the thresholds of each kind for a store, and for all others under None.
    """
    before = {alert.matter: alert for alert in open_alerts}
    standing = [found for sign in signs if (found := _stand(sign, rules, before)) is not None]
    standing = _grouped_by_store(_without_inhibited(standing), at_work=at_work, before=before)
    standing = _grouped_to_service(standing, before=before)
    now = {found.sign.matter: found for found in standing}
    verdict = AlertVerdict([found for matter, found in now.items() if matter not in before], [], [], [], [], [])
    for alert in open_alerts:
        found = now.get(alert.matter)
        if found is None:
            (verdict.grouped if _is_part_of(now, alert.matter) else verdict.resolved).append(alert)
        elif found.severity > alert.severity:
            verdict.worsened.append((alert, found))
        elif found.severity < alert.severity:
            verdict.eased.append((alert, found))
        else:
            verdict.unchanged.append((alert, found))
    return verdict


def thresholds_of(
    rules: Mapping[tuple[AlertKind, int | None], Thresholds], kind: AlertKind, store_id: int | None
) -> Thresholds:
    """Those of the store if it has its own of this kind, else those for all stores."""
    own = rules.get((kind, store_id))
    return rules.get((kind, None), Thresholds()) if own is None else own


def _eased(level: int) -> int:
    return max(1, level * EASES_BELOW_PERCENT // 100)


def _stand(
    sign: AlertSign, rules: Mapping[tuple[AlertKind, int | None], Thresholds], before: Mapping[AlertMatter, OpenAlert]
) -> AlertStanding | None:
    """A till of a store whose alert is open was part of it, and so was as urgent as a warning at least."""
    mine, of_store = before.get(sign.matter), before.get(sign.matter.of_store)
    earlier = mine.severity if mine else Severity.WARNING if of_store else None
    severity = severity_of(sign.value, thresholds_of(rules, sign.kind, sign.store_id), before=earlier)
    return None if severity is None else AlertStanding(sign, severity)


def _without_inhibited(standing: Iterable[AlertStanding]) -> list[AlertStanding]:
    """A silent till cannot send what it keeps: that it is silent says so already."""
    listed = list(standing)
    silent = {found.sign.terminal_id for found in listed if found.sign.kind is AlertKind.SILENT}
    return [
        found for found in listed if found.sign.kind is not AlertKind.CACHED or found.sign.terminal_id not in silent
    ]


def _grouped_by_store(
    standing: Iterable[AlertStanding], *, at_work: Mapping[int, int], before: Mapping[AlertMatter, OpenAlert]
) -> list[AlertStanding]:
    """Where all tills of a store are silent, or more than a few of one kind stand, the store has one alert."""
    apart: dict[AlertMatter, list[AlertStanding]] = {}
    for found in standing:
        apart.setdefault(found.sign.matter.of_store, []).append(found)
    result = []
    for matter, members in apart.items():
        is_all = matter.kind is AlertKind.SILENT and len(members) == at_work.get(matter.store_id or 0)
        is_one = len(members) > 1 and (is_all or len(members) > MOST_APART or matter in before)
        result += [_together(matter, members)] if is_one else members
    return result


def _grouped_to_service(
    standing: Iterable[AlertStanding], *, before: Mapping[AlertMatter, OpenAlert]
) -> list[AlertStanding]:
    """Where uploads of more than a few stores wait, it is the service that does not process them."""
    listed = list(standing)
    waiting = [found for found in listed if found.sign.kind is AlertKind.WAITING]
    stores = {found.sign.store_id for found in waiting}
    matter = AlertMatter(AlertKind.WAITING, None, "")
    if len(stores) > MOST_APART or (len(stores) > 1 and matter in before):
        return [found for found in listed if found.sign.kind is not AlertKind.WAITING] + [_together(matter, waiting)]
    return listed


def _together(matter: AlertMatter, members: Sequence[AlertStanding]) -> AlertStanding:
    """One standing for many: as urgent as the worst of them, since the first."""
    signs = [found.sign for found in members]
    sign = AlertSign(
        matter.kind,
        matter.store_id,
        "",
        value=max(sign.value for sign in signs),
        since=min((sign.since for sign in signs if sign.since is not None), default=None),
        names=tuple(name for sign in signs for name in sign.names)[:MOST_NAMES],
        members=sum(sign.members for sign in signs),
    )
    return AlertStanding(sign, max(found.severity for found in members))


def _is_part_of(now: Mapping[AlertMatter, AlertStanding], matter: AlertMatter) -> bool:
    """Whether what an alert was about is now part of its store's, or the service's."""
    wider = [matter.of_store, AlertMatter(matter.kind, None, "")]
    return any(each != matter and each in now for each in wider)
