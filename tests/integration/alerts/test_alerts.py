"""From what is measured to an alert: each matter is told once, whoever looks and however often."""

from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backoffice.alerts import signs
from backoffice.alerts.evaluation import NotSnoozed, evaluate_alerts, snooze_alert
from backoffice.alerts.models import Alert, AlertChange, AlertRule
from backoffice.fleet.models import Credential
from backoffice.sales.models import Shift
from backoffice.trail.models import TrailEntry
from tests.integration.alerts.watched import HOUR, MINUTE, NOW, a_recipient, a_till, beat, fall_silent, history, only
from tests.till import a_sale, a_store, at_once

# That of what is open, waiting or lately sold: any other would be read from end to end.
INDEXES = {
    "AT_WORK": {"one_open_shift_per_terminal", "sales_shift_still_open"},
    "WAITING": {"inbox_batch_waiting"},
    "GAPS": {"sales_shift_by_awaited_number", "sales_shift_by_awaited_batch", "sales_shift_unsettled"},
    "OVER_SHORT": {"sales_shift_by_state", "sales_shift_unsettled"},  # of an empty table any index will do for the rest
    "CACHED": {"fleet_heartbeat", "fleet_terminal"},
}


def look(now: datetime = NOW) -> None:
    evaluate_alerts(now=now)


@pytest.mark.django_db
class TestWhatIsMeasured:
    def test_a_silent_till_is_told_of_once_until_it_is_heard_again(self) -> None:
        only("silent", warning=15, critical=60)
        till = a_till()
        for minutes in (14, 15, 16, 61, 62):
            fall_silent(till, minutes=minutes)
            look()
            look()
        told = ["silent raised warning Till 1", "silent worsened critical Till 1"]
        assert history(store=till.store) == told
        alert = Alert.objects.get()
        assert (alert.value, alert.since) == (62, NOW - 62 * MINUTE)
        beat(till)
        look()
        assert history(store=till.store) == [*told, "silent resolved critical Till 1"]
        fall_silent(till, minutes=20)
        look()
        assert history(store=till.store)[3:] == ["silent raised warning Till 1"], "that is another occurrence"

    def test_an_upload_is_heard_of_and_a_decision_of_head_office_is_not(self) -> None:
        only("silent", warning=15)
        till = a_till()
        fall_silent(till, minutes=20)
        look()
        till.sell(a_sale(1001))
        look()
        assert history(store=till.store) == ["silent raised warning Till 1", "silent resolved warning Till 1"]

    def test_a_store_without_network_is_one_alert(self) -> None:
        only("silent", warning=15)
        store = a_store()
        tills = [a_till(store, name=f"Till {number}") for number in (1, 2, 3)]
        fall_silent(*tills[:2], minutes=20)
        look()
        fall_silent(*tills, minutes=21)
        look()
        assert history(store=store) == [
            "silent raised warning Till 1",
            "silent raised warning Till 2",
            "silent raised warning",
            "silent grouped warning Till 1",
            "silent grouped warning Till 2",
        ]
        assert Alert.objects.get(resolved_at__isnull=True).names == ["Till 1", "Till 2", "Till 3"]

    def test_orders_that_a_till_keeps_are_told_of_unless_it_is_silent_or_gone(self) -> None:
        only("cached", warning=200)
        AlertRule.objects.create(kind="silent", warning=15)
        store = a_store()
        talks, silent, gone = (a_till(store, name=name) for name in ("Talks", "Silent", "Gone"))
        for till in (talks, silent, gone):
            beat(till, cached_orders=200)
        fall_silent(silent, minutes=20)
        Credential.objects.filter(terminal=gone.terminal).update(revoked_at=NOW)
        look()
        assert history(store=store) == ["cached raised warning Talks", "silent raised warning Silent"]
        beat(talks, cached_orders=161)
        look()
        beat(talks, cached_orders=159)
        look()
        assert history(store=store)[2:] == ["cached resolved warning Talks"]

    def test_an_upload_that_waits_is_told_of(self) -> None:
        only("waiting", warning=10)
        till = a_till()
        till.upload(a_sale(1001))
        look(NOW + 9 * MINUTE)
        assert history(store=till.store) == []
        look(NOW + 12 * MINUTE)
        assert history(store=till.store) == ["waiting raised warning Till 1"]
        till.sell(a_sale(1002))
        look(NOW + 13 * MINUTE)
        assert history(store=till.store)[1:] == ["waiting resolved warning Till 1"]

    def test_a_shift_that_stays_open_and_one_that_lacks_orders_are_told_of(self) -> None:
        only("open-long", warning=16)
        AlertRule.objects.create(kind="gap", warning=2)
        till = a_till(opened_at=(NOW - 17 * HOUR).isoformat())
        look()
        till.close(a_sale(1001), last_number=1001)
        look()
        look(timezone.now() + 3 * HOUR)
        assert history(store=till.store) == [
            "open-long raised warning Till 1",
            "open-long resolved warning Till 1",
            "gap raised warning Till 1",
        ]
        assert Alert.objects.get(kind="gap").shift_id == till.shift_id

    def test_a_drawer_is_told_of_in_its_own_stores_money_until_somebody_has_looked(self) -> None:
        only("over-short", warning=None)
        strict, other = a_till(), a_till()
        AlertRule.objects.create(kind="over-short", store=strict.store, warning=500, critical=2000)
        for till in (strict, other):
            till.close(counted=18_000)
        assert set(Shift.objects.values_list("over_short", flat=True)) == {-2000}
        look()
        assert history(store=strict.store) == ["over-short raised critical Till 1"]
        assert history(store=other.store) == []
        Shift.objects.filter(pk=strict.shift_id).update(state="approved")
        look()
        assert history(store=strict.store)[1:] == ["over-short resolved critical Till 1"]

    def test_a_rule_that_is_taken_away_ends_its_alerts(self) -> None:
        only("silent", warning=15)
        till = a_till()
        fall_silent(till, minutes=20)
        look()
        AlertRule.objects.create(kind="silent", store=till.store)
        look()
        assert history(store=till.store)[1:] == ["silent resolved warning Till 1"]
        assert TrailEntry.objects.filter(about="alert rule", what="added").exists(), "who set it is noted"

    def test_a_new_installation_has_rules(self) -> None:
        kinds = set(AlertRule.objects.filter(store=None).values_list("kind", flat=True))
        assert kinds == {"silent", "cached", "waiting", "open-long", "gap", "unsealed"}


@pytest.mark.django_db
class TestSnoozing:
    @pytest.fixture
    def alert(self) -> Alert:
        only("silent", warning=15, critical=60)
        self.till = a_till()
        fall_silent(self.till, minutes=20)
        look()
        return Alert.objects.get()

    def test_a_snooze_has_person_end_and_note_and_ends_by_itself(self, alert: Alert) -> None:
        ruth = User.objects.create_user("ruth")
        snooze_alert(alert.pk, until=NOW + 10 * MINUTE, person=ruth, note="Router is changed", now=NOW)
        look(NOW + 9 * MINUTE)
        assert Alert.objects.get().place == 1
        look(NOW + 10 * MINUTE)
        assert history(store=alert.store)[1:] == ["silent snoozed warning Till 1", "silent woken warning Till 1"]
        step = AlertChange.objects.get(what="snoozed")
        assert (step.person, step.until, step.note) == (ruth, NOW + 10 * MINUTE, "Router is changed")
        assert Alert.objects.get().place == 2

    def test_what_becomes_critical_is_snoozed_no_longer(self, alert: Alert) -> None:
        snooze_alert(alert.pk, until=NOW + HOUR, person=User.objects.create_user("ruth"), note="", now=NOW)
        fall_silent(self.till, minutes=61)
        look()
        alert.refresh_from_db()
        assert (alert.severity, alert.snoozed_until, alert.place) == (2, None, 3)

    def test_what_has_ended_is_not_snoozed(self, alert: Alert) -> None:
        beat(self.till)
        look()
        ruth = User.objects.create_user("ruth")
        with pytest.raises(NotSnoozed, match="ended"):
            snooze_alert(alert.pk, until=NOW + HOUR, person=ruth, note="", now=NOW)


@pytest.mark.django_db
class TestGuards:
    @pytest.mark.parametrize(
        ("constraint", "change"),
        [
            ("one_open_alert_per_matter", {"model": Alert, "row": {}}),
            ("an_alert_is_raised_once", {"model": AlertChange, "row": {"what": "raised", "number": 7}}),
            ("one_alert_change_per_number", {"model": AlertChange, "row": {"what": "eased", "number": 1}}),
            ("a_snooze_has_person_and_end", {"model": AlertChange, "row": {"what": "snoozed", "number": 7}}),
        ],
    )
    def test_nothing_is_told_twice_whoever_writes(self, constraint: str, change: dict[str, Any]) -> None:
        only("silent", warning=15)
        till = a_till()
        fall_silent(till, minutes=20)
        look()
        alert = Alert.objects.get()
        facts: dict[str, Any] = {"alert": alert, "severity": 1, "value": 20, "at": NOW}
        if change["model"] is Alert:
            facts = {"kind": "silent", "store": till.store, "subject": alert.subject, "severity": 1, "worst": 1}
            facts |= {"value": 1, "raised_at": NOW}
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            change["model"].objects.create(**facts, **change["row"])

    def test_an_alert_of_the_service_itself_is_open_once_as_well(self) -> None:
        facts = {"kind": "unsealed", "severity": 1, "worst": 1, "value": 20, "raised_at": NOW}
        Alert.objects.create(**facts)
        with pytest.raises(IntegrityError, match="one_open_alert_per_matter"), transaction.atomic():
            Alert.objects.create(**facts)


@pytest.mark.usefixtures("committed_db")
def test_looks_at_the_same_moment_raise_and_worsen_once() -> None:
    store = a_store()
    AlertRule.objects.create(kind="silent", store=store, warning=15, critical=60)
    tills = [a_till(store, name=f"Till {number}") for number in range(4)]
    for minutes in (20, 70):
        fall_silent(*tills[:3], minutes=minutes)
        beat(tills[3])
        at_once([look] * 4)
    told = history(store=store)
    assert sorted(told) == sorted(
        f"silent {what} Till {number}" for number in range(3) for what in ("raised warning", "worsened critical")
    )
    for till in tills:
        Shift.objects.filter(terminal=till.terminal).update(recorded_end=NOW)
    at_once([look] * 4)
    assert sorted(history(store=store)[6:]) == [f"silent resolved critical Till {number}" for number in range(3)]


@pytest.mark.django_db
def test_a_look_takes_as_many_statements_for_six_tills_as_for_one() -> None:
    def statements(tills: int) -> int:
        store = a_store()
        fall_silent(*(a_till(store, name=f"Till {number}") for number in range(tills)), minutes=90)
        beat(a_till(store, name="Talks"))
        with CaptureQueriesContext(connection) as seen:
            look()
        return len(seen)

    a_recipient("Ruth")
    statements(1)  # whose alert is then brought up to date by the others
    assert statements(2) == statements(5)


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["AT_WORK", "WAITING", "GAPS", "OVER_SHORT", "CACHED"])
def test_every_table_that_grows_is_read_by_an_index_of_what_is_open(name: str) -> None:
    """PostgreSQL prefers to read a small table whole. Where it must not, it shows whether an index would do."""
    terms = {"stores": [1, 2], "least": [100, 100], "first_day": NOW.date()}
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {getattr(signs, name)}", terms)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    for table in ("sales_shift", "inbox_batch", "books_decision"):
        assert f"Seq Scan on {table}" not in plan, plan
    assert any(index in plan for index in INDEXES[name]), plan
