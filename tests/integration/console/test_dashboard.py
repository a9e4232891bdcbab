"""The dashboard: plain answers first."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from backoffice.fleet.models import Store, Terminal
from backoffice.inbox.models import Batch
from backoffice.review import dashboard
from backoffice.review.charts import sales_by_hour
from backoffice.review.headline import headline
from backoffice.review.sync import Signs
from backoffice.review.today import StoreToday, read_sold, sold_today
from backoffice.review.waiting import held_by_day, uploads_waiting
from backoffice.sales.models import HeldItem
from tests.integration.console.conftest import Open
from tests.till import Till, a_sale, a_store

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
STORES = {1: "Bastille", 2: "Canal"}


def terminals(count: int) -> list[Terminal]:
    return [Terminal(pk=one, name=f"Till {one}", store_id=1, activated_at=NOW) for one in range(1, count + 1)]


class TestAnswer:
    """The first question, in words."""

    @pytest.mark.parametrize(
        ("count", "signs", "said"),
        [
            (6, {}, "All 6 terminals have told us everything"),
            (6, {1: Signs(open=1), 2: Signs(waiting=3)}, "2 of 6 terminals have not told us everything"),
            (6, {1: Signs(closing=1)}, "1 of 6 terminals has not told us everything"),
            (6, {1: Signs(failed=1)}, "1 of 6 terminals has not told us everything"),
            (1, {}, "The only terminal has told us everything"),
            (1, {1: Signs(open=1)}, "The only terminal has not told us everything"),
            (1, {1: Signs(held=1)}, "The only terminal has told us everything, but needs attention"),
            (6, {1: Signs(held=2)}, "All 6 terminals have told us everything, but 1 needs attention"),
            (
                6,
                {1: Signs(open=1, held=1), 2: Signs(discrepant=1)},
                "1 of 6 terminals has not told us everything, and 2 need attention",
            ),
            (0, {}, "No terminal is activated yet"),
        ],
    )
    def test_it_is_a_sentence(self, count: int, signs: dict[int, Signs], said: str) -> None:
        assert headline(terminals(count), signs, STORES)["answer"] == said

    def test_what_is_held_has_been_told(self) -> None:
        said = headline(terminals(2), {1: Signs(held=1, discrepant=1)}, STORES)
        assert said["is_complete"]
        assert said["because"] == ["1 has orders held", "1 has a shift that does not add up"]

    def test_it_is_green_only_where_nothing_waits_for_a_person(self) -> None:
        for signs, is_settled in ((Signs(), True), (Signs(held=1), False), (Signs(discrepant=1), False)):
            assert headline(terminals(2), {1: signs}, STORES)["is_settled"] == is_settled

    def test_it_says_why(self) -> None:
        signs = {1: Signs(open=1), 2: Signs(open=1, waiting=1), 3: Signs(closing=1)}
        said = headline(terminals(4), signs, STORES)
        assert said["because"] == ["2 have a shift open", "1 closed with orders missing", "1 has uploads waiting here"]

    def test_a_terminal_that_is_not_activated_is_not_counted(self) -> None:
        said = headline([*terminals(2), Terminal(pk=9)], {}, STORES)
        assert said["answer"] == "All 2 terminals have told us everything"
        assert said["who"] == ""

    def test_the_first_tills_that_it_means_are_named_with_their_store(self) -> None:
        signs = {number: Signs(held=1) for number in range(2, 7)}
        assert headline(terminals(3), signs, STORES)["who"] == "Till 2, Till 3, Bastille"
        elsewhere = Terminal(pk=7, name="Till 1", store_id=2, activated_at=NOW)
        said = headline([*terminals(6), elsewhere], {2: Signs(open=1), 7: Signs(discrepant=1)}, STORES)["who"]
        assert said == "Till 2 (Bastille), Till 1 (Canal)"
        assert headline(terminals(6), signs, STORES)["who"] == "Till 2, Till 3, Till 4 and 2 more, Bastille"


@pytest.mark.django_db
class TestPage:
    """What the page shows of it."""

    def test_an_empty_back_office_says_what_to_do_first(self, page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(dashboard, "mine", lambda _request, rows: rows.none())
        monkeypatch.setattr(dashboard, "my_stores", lambda _request: Store.objects.none())

        text = page("index").text

        assert "Nothing is set up yet" in text
        assert "manage.py create_store" in text
        assert "manage.py issue_activation_code" in text

    def test_held_orders_show_what_is_at_stake_in_each_currency(self, page: Open) -> None:
        till = Till(a_store(currency="JPY", timezone="Asia/Tokyo"))
        before = {stake.currency: stake.amount for stake in dashboard.held_stakes(HeldItem.objects.all())}
        till.open()
        till.sell(a_sale(1001, total=999))

        after = {stake.currency: stake.amount for stake in dashboard.held_stakes(HeldItem.objects.all())}
        assert after["JPY"] == before.get("JPY", 0) + 999
        assert "in JPY" in page("index").text

    def test_it_counts_terminals_by_state(self, page: Open) -> None:
        till = Till()
        till.open()

        text = page("index").text

        assert "not told us everything" in text
        assert "Waiting for upload" in text


def today(stores: list[Store], now: datetime) -> list[StoreToday]:
    return sold_today(stores, read_sold(stores, now=now), now=now)


@pytest.mark.django_db
class TestSoldToday:
    """Each store's own business day."""

    def sell(self, store: Store, opened: datetime, **changes: object) -> None:
        till = Till(store)
        till.open(opened_at=opened.isoformat())
        till.sell(a_sale(1001, **changes), a_sale(1002, mode="online"), a_sale(1003, status="voided", mode="online"))

    def test_it_sums_sales_in_the_stores_currency(self) -> None:
        store = a_store()
        self.sell(store, timezone.now())

        (row,) = today([store], timezone.now())

        assert (row.currency, row.orders, row.offline, row.sales, row.refunds, row.net) == ("EUR", 3, 1, 480, 0, 480)

    def test_today_begins_at_the_stores_own_midnight(self) -> None:
        tokyo, honolulu = (a_store(timezone=zone) for zone in ("Asia/Tokyo", "Pacific/Honolulu"))
        opened = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)  # 23:30 in Tokyo, 04:30 in Honolulu
        for store in (tokyo, honolulu):
            self.sell(store, opened)

        rows = {row.store: row for row in today([tokyo, honolulu], opened + timedelta(hours=1))}

        assert (rows[tokyo].day.day, rows[tokyo].orders) == (23, 0)
        assert (rows[honolulu].day.day, rows[honolulu].orders) == (22, 3)

    def test_what_is_held_is_not_sold(self) -> None:
        store = a_store()
        self.sell(store, timezone.now(), total=1)

        (row,) = today([store], timezone.now())

        assert (row.orders, row.sales) == (2, 240)

    def test_it_stands_beside_the_same_weekday_last_week_by_this_time_of_the_day(self) -> None:
        store = a_store(timezone="UTC")
        now = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
        week_ago = now - timedelta(days=7)
        till = Till(store)
        till.open(opened_at=week_ago.replace(hour=8).isoformat())
        before, after = (week_ago + timedelta(minutes=minutes) for minutes in (-30, 90))
        till.sell(a_sale(1001, closed_at=before.isoformat()), a_sale(1002, closed_at=after.isoformat()))

        sold = read_sold([store], now=now)
        (row,) = sold_today([store], sold, now=now)

        assert (row.orders, row.net, row.last_week) == (0, 0, 240), "what was sold later last week does not count yet"
        assert [(one.is_today, one.hour, one.net) for one in sold] == [(False, 11, 240), (False, 13, 240)]
        (chart,) = sales_by_hour(sold)
        assert json.loads(chart.data)["labels"] == ["11:00", "12:00", "13:00"]
        assert [values for _, values in chart.rows] == [[0, 240], [0, 0], [0, 240]]


@pytest.mark.django_db
class TestOverTime:
    """What waited, worked out from when it came and went."""

    def test_an_upload_waited_at_each_full_hour_between_its_coming_and_the_books(self) -> None:
        till = Till()
        till.open()
        till.sell(a_sale(1001))
        now = timezone.now().replace(minute=30)
        came, done = now - timedelta(hours=5), now - timedelta(hours=2)
        Batch.objects.filter(terminal=till.terminal).update(received_at=came, processed_at=done)
        till.upload(a_sale(1002))

        waited = uploads_waiting([till.terminal.pk], now=now + timedelta(hours=1))

        assert [one.number for one in waited][-8:] == [0, 1, 1, 1, 0, 0, waited[-2].number, 1]
        assert [one.number for one in uploads_waiting([], now=now)] == [0] * 25

    def test_what_is_held_is_counted_back_from_now(self) -> None:
        till = Till()
        till.open()
        till.sell(a_sale(1001, total=1), a_sale(1002, total=1))
        now = timezone.now()
        HeldItem.objects.filter(store=till.store, number=1001).update(received_at=now - timedelta(days=3))

        held = held_by_day([till.store.pk], held_now=2, now=now)

        assert [one.number for one in held][-5:] == [0, 1, 1, 1, 2]
        assert len(held) == 14
