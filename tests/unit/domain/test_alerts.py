"""When people are told, as tables: from which measure on, when it ends, what is told together, and what is not told as well."""

from datetime import UTC, datetime

import pytest

from backoffice.domain.alerts import (
    AlertKind,
    AlertMatter,
    AlertSign,
    AlertVerdict,
    OpenAlert,
    Severity,
    Thresholds,
    judge_alerts,
    severity_of,
    thresholds_of,
)

WARNING, CRITICAL = Severity.WARNING, Severity.CRITICAL
SILENT, CACHED, WAITING = AlertKind.SILENT, AlertKind.CACHED, AlertKind.WAITING
RULES = {(SILENT, None): Thresholds(15, 60), (CACHED, None): Thresholds(200, 1000), (WAITING, None): Thresholds(10, 60)}
SINCE = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)


def a_sign(kind: AlertKind, till: int, value: int, *, store: int = 1) -> AlertSign:
    return AlertSign(kind, store, f"terminal {till}", value, SINCE, till, None, (f"Till {till}",))


def judged(
    *signs: AlertSign, at_work: dict[int, int] | None = None, before: dict[AlertMatter, Severity] | None = None
) -> AlertVerdict:
    alerts = [OpenAlert(number, matter, severity) for number, (matter, severity) in enumerate((before or {}).items())]
    return judge_alerts(signs, rules=RULES, at_work=at_work or {1: 100}, open_alerts=alerts)


def raised(verdict: AlertVerdict) -> list[tuple[str, int | None, str, str]]:
    return sorted(
        (found.sign.kind.value, found.sign.store_id, found.sign.subject, found.severity.name)
        for found in verdict.raised
    )


@pytest.mark.parametrize(
    ("value", "before", "now"),
    [
        (14, None, None),
        (15, None, WARNING),
        (59, None, WARNING),
        (60, None, CRITICAL),
        # What hovers around a threshold stays what it was, until it is clearly below.
        (14, WARNING, WARNING),
        (12, WARNING, WARNING),
        (11, WARNING, None),
        (59, CRITICAL, CRITICAL),
        (48, CRITICAL, CRITICAL),
        (47, CRITICAL, WARNING),
        (11, CRITICAL, None),
        (59, WARNING, WARNING),
        (60, WARNING, CRITICAL),
        (0, CRITICAL, None),
    ],
)
def test_an_alert_begins_at_its_threshold_and_ends_clearly_below(
    value: int, before: Severity | None, now: Severity | None
) -> None:
    assert severity_of(value, Thresholds(15, 60), before=before) is now


@pytest.mark.parametrize(
    ("thresholds", "least"),
    [
        (Thresholds(15, 60), 12),
        (Thresholds(None, 60), 48),
        (Thresholds(15, None), 12),
        (Thresholds(1, 1), 1),
        (Thresholds(), None),
    ],
)
def test_whatever_may_keep_an_alert_open_is_looked_for(thresholds: Thresholds, least: int | None) -> None:
    assert thresholds.least == least


def test_a_threshold_of_one_ends_at_none() -> None:
    assert severity_of(1, Thresholds(1), before=WARNING) is WARNING
    assert severity_of(0, Thresholds(1), before=WARNING) is None


def test_a_store_has_its_own_thresholds_also_where_they_are_none() -> None:
    rules = {(SILENT, None): Thresholds(15), (SILENT, 2): Thresholds(5), (SILENT, 3): Thresholds()}
    assert [thresholds_of(rules, SILENT, store).warning for store in (1, 2, 3)] == [15, 5, None]
    assert thresholds_of(rules, CACHED, 1) == Thresholds()


def test_two_silent_tills_of_three_are_two_alerts_and_all_three_are_one_of_the_store() -> None:
    two = judged(a_sign(SILENT, 1, 20), a_sign(SILENT, 2, 70), at_work={1: 3})
    assert raised(two) == [("silent", 1, "terminal 1", "WARNING"), ("silent", 1, "terminal 2", "CRITICAL")]
    three = judged(*(a_sign(SILENT, till, 20 + till) for till in (1, 2, 3)), at_work={1: 3})
    assert raised(three) == [("silent", 1, "", "WARNING")]
    (store,) = three.raised
    assert (store.sign.members, store.sign.names, store.sign.value) == (3, ("Till 1", "Till 2", "Till 3"), 23)


def test_the_only_till_of_a_store_is_called_by_its_name() -> None:
    assert raised(judged(a_sign(SILENT, 1, 20), at_work={1: 1})) == [("silent", 1, "terminal 1", "WARNING")]


def test_alerts_of_tills_become_part_of_their_stores_and_do_not_end_as_if_all_were_well() -> None:
    before = {a_sign(SILENT, till, 0).matter: WARNING for till in (1, 2)}
    verdict = judged(*(a_sign(SILENT, till, 20) for till in (1, 2, 3)), at_work={1: 3}, before=before)
    assert raised(verdict) == [("silent", 1, "", "WARNING")]
    assert [alert.matter.subject for alert in verdict.grouped] == ["terminal 1", "terminal 2"]
    assert verdict.resolved == []


def test_a_store_stays_one_alert_until_one_till_is_left() -> None:
    store = {AlertMatter(SILENT, 1, ""): WARNING}
    two = judged(a_sign(SILENT, 1, 20), a_sign(SILENT, 2, 20), at_work={1: 12}, before=store)
    assert (two.raised, two.resolved, len(two.unchanged)) == ([], [], 1)
    one = judged(a_sign(SILENT, 1, 20), at_work={1: 12}, before=store)
    assert raised(one) == [("silent", 1, "terminal 1", "WARNING")]
    assert len(one.resolved) == 1


def test_more_than_five_of_a_kind_are_one_alert_of_the_store() -> None:
    assert len(judged(*(a_sign(CACHED, till, 300) for till in range(5))).raised) == 5
    assert raised(judged(*(a_sign(CACHED, till, 300) for till in range(6)))) == [("cached", 1, "", "WARNING")]


def test_uploads_that_wait_in_many_stores_are_one_alert_of_the_service() -> None:
    five = judged(*(a_sign(WAITING, till, 20, store=till) for till in range(5)))
    assert len(five.raised) == 5
    signs = [a_sign(WAITING, till, 20 + till, store=till) for till in range(1, 41)]
    assert raised(judged(*signs)) == [("waiting", None, "", "CRITICAL")]
    service = {AlertMatter(WAITING, None, ""): CRITICAL}
    assert len(judged(*signs[:2], before=service).eased) == 1, "it stays one while two stores are left"


def test_a_silent_till_raises_no_alert_for_what_it_keeps_as_well() -> None:
    both = judged(a_sign(SILENT, 1, 20), a_sign(CACHED, 1, 500), a_sign(CACHED, 2, 500))
    assert raised(both) == [("cached", 1, "terminal 2", "WARNING"), ("silent", 1, "terminal 1", "WARNING")]


def test_what_worsens_eases_and_ends_is_told_apart() -> None:
    signs = {till: a_sign(SILENT, till, value) for till, value in {1: 70, 2: 20, 3: 20, 4: 3}.items()}
    before = {1: WARNING, 2: CRITICAL, 3: WARNING, 4: WARNING, 5: CRITICAL}
    verdict = judged(
        *signs.values(), before={a_sign(SILENT, till, 0).matter: severity for till, severity in before.items()}
    )
    assert [alert.matter.subject for alert, _ in verdict.worsened] == ["terminal 1"]
    assert [alert.matter.subject for alert, _ in verdict.eased] == ["terminal 2"]
    assert [alert.matter.subject for alert, _ in verdict.unchanged] == ["terminal 3"]
    assert [alert.matter.subject for alert in verdict.resolved] == ["terminal 4", "terminal 5"]


def test_the_same_look_twice_changes_nothing() -> None:
    signs = [*(a_sign(SILENT, till, 20) for till in (1, 2, 3)), a_sign(CACHED, 9, 1000), a_sign(WAITING, 5, 70)]
    first = judged(*signs, at_work={1: 3})
    before = {found.sign.matter: found.severity for found in first.raised}
    again = judged(*signs, at_work={1: 3}, before=before)
    assert len(again.unchanged) == len(first.raised) == 3
    assert [again.raised, again.worsened, again.eased, again.resolved, again.grouped] == [[], [], [], [], []]
