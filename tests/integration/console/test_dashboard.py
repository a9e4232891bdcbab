"""The dashboard: plain answers first."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from backoffice.fleet.models import Store, Terminal
from backoffice.review import dashboard
from backoffice.review.dashboard import headline, sold_today
from backoffice.review.sync import Signs
from tests.integration.console.conftest import Open
from tests.till import Till, a_sale, a_store

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def terminals(count: int) -> list[Terminal]:
    return [Terminal(pk=number + 1, activated_at=NOW) for number in range(count)]


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
        assert headline(terminals(count), signs)["answer"] == said

    def test_what_is_held_has_been_told(self) -> None:
        said = headline(terminals(2), {1: Signs(held=1, discrepant=1)})
        assert said["is_complete"]
        assert said["because"] == ["1 has orders held", "1 has a shift that does not add up"]

    def test_it_is_green_only_where_nothing_waits_for_a_person(self) -> None:
        for signs, is_settled in ((Signs(), True), (Signs(held=1), False), (Signs(discrepant=1), False)):
            assert headline(terminals(2), {1: signs})["is_settled"] == is_settled

    def test_it_says_why(self) -> None:
        said = headline(terminals(4), {1: Signs(open=1), 2: Signs(open=1, waiting=1), 3: Signs(closing=1)})["because"]
        assert said == ["2 have a shift open", "1 closed with orders missing", "1 has uploads waiting here"]

    def test_a_terminal_that_is_not_activated_is_not_counted(self) -> None:
        assert headline([*terminals(2), Terminal(pk=9)], {})["answer"] == "All 2 terminals have told us everything"


@pytest.mark.django_db
class TestPage:
    """What the page shows of it."""

    def test_an_empty_back_office_says_what_to_do_first(self, page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(dashboard, "Terminal", Nothing)
        monkeypatch.setattr(dashboard, "Store", Nothing)

        text = page("index").text

        assert "Nothing is set up yet" in text
        assert "manage.py create_store" in text
        assert "manage.py issue_activation_code" in text

    def test_held_orders_show_what_is_at_stake_in_each_currency(self, page: Open) -> None:
        till = Till(a_store(currency="JPY", timezone="Asia/Tokyo"))
        before = {stake.currency: stake.amount for stake in dashboard.held_stakes()}
        till.open()
        till.sell(a_sale(1001, total=999))

        after = {stake.currency: stake.amount for stake in dashboard.held_stakes()}
        assert after["JPY"] == before.get("JPY", 0) + 999
        assert "in JPY" in page("index").text

    def test_it_counts_terminals_by_state(self, page: Open) -> None:
        till = Till()
        till.open()

        text = page("index").text

        assert "not told us everything" in text
        assert "Waiting for upload" in text


class Nothing:
    """A table with no rows, since other tests may have left some in the real one."""

    class objects:  # noqa: N801 - Django's name
        @staticmethod
        def all() -> list[object]:
            return []


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

        (row,) = sold_today([store], now=timezone.now())

        assert (row.currency, row.orders, row.offline, row.sales, row.refunds, row.net) == ("EUR", 3, 1, 480, 0, 480)

    def test_today_begins_at_the_stores_own_midnight(self) -> None:
        tokyo, honolulu = (a_store(timezone=zone) for zone in ("Asia/Tokyo", "Pacific/Honolulu"))
        opened = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)  # 23:30 in Tokyo, 04:30 in Honolulu
        for store in (tokyo, honolulu):
            self.sell(store, opened)

        rows = {row.store: row for row in sold_today([tokyo, honolulu], now=opened + timedelta(hours=1))}

        assert (rows[tokyo].day.day, rows[tokyo].orders) == (23, 0)
        assert (rows[honolulu].day.day, rows[honolulu].orders) == (22, 3)

    def test_what_is_held_is_not_sold(self) -> None:
        store = a_store()
        self.sell(store, timezone.now(), total=1)

        (row,) = sold_today([store], now=timezone.now())

        assert (row.orders, row.sales) == (2, 240)
