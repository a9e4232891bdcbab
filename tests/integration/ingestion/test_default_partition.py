"""What falls into the default partition is told of, moves into its own month unchanged, and stays guarded all the way."""

from datetime import date
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction
from structlog.testing import capture_logs

from backoffice.audit.run import audit
from backoffice.ingestion.months import default_rows, drain_default
from tests.integration.ingestion.test_months import partition_of, sell_in
from tests.till import OPENED, entry_of

TODAY = date(2041, 6, 15)
LEAVES = ["sales_order", "sales_orderline", "sales_payment", "ledger_journalentry", "ledger_journalline"]


def count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return int(cursor.fetchone()[0])


def execute(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.fixture
def drained(db: None) -> None:
    """Nothing of other tests is in the default partition, nor of the till that the tests of a file share."""
    for today in (OPENED.date(), TODAY):
        drain_default(today=today)


@pytest.mark.usefixtures("drained")
class TestDraining:
    """The rows of each month move into a month of their own."""

    def test_the_default_partition_says_what_it_holds(self) -> None:
        assert default_rows() == {}
        sell_in("2041-05")
        sell_in("2041-05")
        sell_in("2001-12")
        # An order and its entry each, and the entry that opened the shift.
        assert default_rows() == {date(2001, 12, 1): 3, date(2041, 5, 1): 6}

    def test_every_row_moves_into_its_month_as_it_is(self) -> None:
        orders = [sell_in(month) for month in ("2041-05", "2041-05", "2041-06")]
        before = [(partition_of(order), entry_of(order)) for order in orders]
        assert {place for place, _ in before} == {"sales_order_default"}
        assert drain_default(today=TODAY) == 2
        assert [partition_of(order) for order in orders] == [
            "sales_order_204105",
            "sales_order_204105",
            "sales_order_204106",
        ]
        assert [entry_of(order) for order in orders] == [entry for _, entry in before]
        assert [count(f"{leaf}_default") for leaf in LEAVES] == [0, 0, 0, 0, 0]
        assert [count(f"{leaf}_204105") for leaf in LEAVES] == [2, 2, 2, 4, 10]
        assert default_rows() == {}
        assert audit(progress=lambda *_: None).difference_count == 0

    def test_it_is_told_and_once_empty_it_is_quiet(self) -> None:
        sell_in("2041-05")
        with capture_logs() as said:
            drain_default(today=TODAY)
        told = [line for line in said if line["event"] == "rows in the default partition"]
        assert [line["months"] for line in told] == [{"2041-05": 3}]
        with capture_logs() as said:
            assert drain_default(today=TODAY) == 0
        assert said == []

    def test_no_clock_fills_the_catalogue_and_what_is_far_away_waits_where_it_is_seen(self) -> None:
        """Two years back and three months ahead, both ends included."""
        near, far = ["2039-06", "2041-09"], ["2001-12", "2039-05", "2041-10", "2099-12"]
        orders = {month: sell_in(month) for month in near + far}
        with capture_logs() as said:
            assert drain_default(today=TODAY) == len(near)
        assert {month for month in orders if partition_of(orders[month]) == "sales_order_default"} == set(far)
        assert [f"{month:%Y-%m}" for month in default_rows()] == far
        assert [line["log_level"] for line in said if "default partition" in line["event"]] == ["warning"]

    def test_it_moves_once_its_month_comes_near(self) -> None:
        order = sell_in("2041-10")
        assert drain_default(today=date(2041, 6, 30)) == 0
        assert drain_default(today=date(2041, 7, 1)) == 1
        assert partition_of(order) == "sales_order_204110"

    @pytest.mark.parametrize("place", ["default", "204105"])
    @pytest.mark.parametrize("verb", ["UPDATE {} SET currency = 'XXX'", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
    def test_the_books_are_guarded_afterwards_in_both_places(self, place: str, verb: str) -> None:
        sell_in("2041-05")
        drain_default(today=TODAY)
        sell_in("2041-07")
        for parent in ("ledger_journalentry", "ledger_journalline"):
            with pytest.raises(IntegrityError, match="append-only"):
                execute(verb.format(f"{parent}_{place}"))

    def test_an_entry_still_needs_lines_and_balance_in_the_drained_month(self) -> None:
        sell_in("2041-05")
        drain_default(today=TODAY)
        line = "INSERT INTO ledger_journalline_204105 SELECT entry_id, 9, business_date, store_id, account_id, drawer_id, tax_code, 1, 0, currency FROM ledger_journalline_204105 LIMIT 1"
        with pytest.raises(IntegrityError, match="does not balance"):
            execute(line)
        lonely = (
            "INSERT INTO ledger_journalentry_204105 SELECT -1, business_date, store_id, terminal_id, shift_id, source_kind,"
            " gen_random_uuid(), 0, currency, posted_at FROM ledger_journalentry_204105 LIMIT 1"
        )
        with pytest.raises(IntegrityError, match="has no lines"):
            execute(f"{lonely}; SET CONSTRAINTS ALL IMMEDIATE")


def test_a_reader_that_holds_the_tables_only_postpones_it(committed_db: None) -> None:
    """Draining gives up soon rather than let traffic queue behind it, and has then changed nothing."""
    today = date(2042, 3, 1)
    order = sell_in("2042-03")
    settings: dict[str, Any] = connection.get_connection_params()
    wanted = {name: settings[name] for name in ("host", "port", "user", "password", "dbname")}
    with psycopg.connect(**wanted) as reader:
        reader.execute("SELECT count(*) FROM sales_order_default")
        with capture_logs() as said:
            drain_default(today=today)
        assert partition_of(order) == "sales_order_default"
        assert [line["log_level"] for line in said if "must look" in line["event"]] == ["critical"]
        reader.rollback()
    drain_default(today=today)
    assert partition_of(order) == "sales_order_204203"
