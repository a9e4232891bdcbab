"""What the database itself guarantees, whoever writes: inserts that must fail (ledger, "What the database guarantees")."""

from collections.abc import Iterator
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from tests.till import Till, a_sale

# Somewhere in the default partition, and a month that has partitions of its own.
LONG_AGO = date(2019, 5, 17)
THIS_MONTH = timezone.now().date().replace(day=15)
DAYS = pytest.mark.parametrize("day", [LONG_AGO, THIS_MONTH], ids=["default partition", "this month"])

PARENTS = ["ledger_journalentry", "ledger_journalline", "ledger_entrysource"]


@pytest.fixture(autouse=True)
def nothing_remains(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a test wrote is gone before the deferred constraints are asked."""
    if "committed_db" in request.fixturenames:
        yield
        return
    request.getfixturevalue("db")
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def execute(sql: str, params: Any = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


def execute_all(*statements: tuple[str, Any]) -> None:
    for sql, params in statements:
        execute(sql, params)


def rows(sql: str, params: Any = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def leaves(parent: str) -> list[str]:
    found = rows("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [parent])
    return sorted(name for (name,) in found)


def leaf_of(parent: str, day: date) -> str:
    return f"{parent}_default" if day == LONG_AGO else f"{parent}_{day:%Y%m}"


def constraint(error: pytest.ExceptionInfo[DatabaseError]) -> str:
    """The named rule that was broken."""
    return str(error.value.__cause__.diag.constraint_name)  # type: ignore[union-attr]


def refused(sql: str, params: Any = None, *, at_commit: bool = False) -> str:
    """The constraint that refuses a statement, at once or when its transaction ends; nothing of it remains."""
    with pytest.raises(DatabaseError) as error, transaction.atomic():
        execute_all((sql, params), *([("SET CONSTRAINTS ALL IMMEDIATE", None)] if at_commit else []))
    return constraint(error)


ENTRY = """
INSERT INTO {table} (id, business_date, store_id, terminal_id, shift_id, source_kind, source_id, source_number, currency,
    posted_at)
VALUES (%(id)s, %(day)s, %(store_id)s, 1, %(source_id)s, %(kind)s, %(source_id)s, %(number)s, %(currency)s, now())
"""
LINES = """
INSERT INTO {table} (entry_id, position, business_date, store_id, account_id, debit, credit, currency)
SELECT entry_id, position, business_date, store_id, account_id, debit, credit, currency
FROM unnest(%(entries)s::bigint[], %(positions)s::smallint[], %(stores)s::int[], %(debits)s::bigint[],
    %(credits)s::bigint[], %(currencies)s::text[], %(accounts)s::text[])
    AS line (entry_id, position, store_id, debit, credit, currency, account_id),
    (SELECT %(day)s::date AS business_date) AS day
"""


def insert_entry(day: date, *, table: str = "ledger_journalentry", **changes: Any) -> int:
    ((entry_id,),) = rows("SELECT nextval('ledger_entry_id_seq')")
    facts = {
        "id": entry_id,
        "day": day,
        "store_id": 1,
        "kind": "order",
        "source_id": uuid4(),
        "number": 0,
        "currency": "EUR",
    }
    execute(ENTRY.format(table=table), facts | changes)
    return int(entry_id)


def lines(entry: int | list[int], day: date, *sides: tuple[int, int], **changes: Any) -> dict[str, Any]:
    count = len(sides)
    return {
        "day": day,
        "entries": entry if isinstance(entry, list) else [entry] * count,
        "positions": list(range(count)),
        "stores": [1] * count,
        "debits": [debit for debit, _ in sides],
        "credits": [credit for _, credit in sides],
        "currencies": ["EUR"] * count,
        "accounts": ["1000"] * count,
    } | changes


INTO_PARENT = LINES.format(table="ledger_journalline")


@DAYS
def test_a_balanced_entry_is_taken(day: date):
    entry = insert_entry(day)
    execute(INTO_PARENT, lines(entry, day, (240, 0), (0, 227), (0, 13)))
    execute("SET CONSTRAINTS ALL IMMEDIATE")


@DAYS
@pytest.mark.parametrize("sides", [[(240, 0)], [(0, 1)], [(240, 0), (0, 239)], [(5, 0), (5, 0), (0, 11)]])
def test_an_entry_that_does_not_balance_is_refused(day: date, sides: list[tuple[int, int]]):
    entry = insert_entry(day)
    assert refused(INTO_PARENT, lines(entry, day, *sides)) == "entry_balances"


@DAYS
def test_an_entry_that_does_not_balance_is_refused_straight_into_its_partition(day: date):
    entry = insert_entry(day, table=leaf_of("ledger_journalentry", day))
    into_leaf = LINES.format(table=leaf_of("ledger_journalline", day))
    assert refused(into_leaf, lines(entry, day, (240, 0), (0, 1))) == "entry_balances"


@DAYS
def test_a_further_line_cannot_unbalance_an_entry_that_stands(day: date):
    entry = insert_entry(day)
    execute(INTO_PARENT, lines(entry, day, (240, 0), (0, 240)))
    assert refused(INTO_PARENT, lines(entry, day, (1, 0), positions=[2])) == "entry_balances"


def test_two_entries_that_balance_only_together_are_refused():
    first, second = insert_entry(LONG_AGO), insert_entry(LONG_AGO)
    assert refused(INTO_PARENT, lines([first, second], LONG_AGO, (240, 0), (0, 240))) == "entry_balances"


def test_two_currencies_that_balance_only_together_are_refused():
    entry = insert_entry(LONG_AGO)
    wrong = lines(entry, LONG_AGO, (240, 0), (0, 240), currencies=["EUR", "USD"])
    assert refused(INTO_PARENT, wrong) == "entry_balances"


@DAYS
@pytest.mark.parametrize("parted", [False, True], ids=["parent", "partition"])
def test_an_entry_without_lines_is_refused_at_commit(day: date, parted: bool):
    table = leaf_of("ledger_journalentry", day) if parted else "ledger_journalentry"
    facts = {"day": day, "store_id": 1, "kind": "order", "source_id": uuid4(), "number": 0, "currency": "EUR"}
    assert refused(ENTRY.format(table=table), facts | {"id": 10**15}, at_commit=True) == "entry_has_lines"


def test_an_entry_without_lines_does_not_survive_a_real_commit(committed_db: None):
    source = uuid4()
    with pytest.raises(DatabaseError) as error, transaction.atomic():
        insert_entry(LONG_AGO, source_id=source)
    assert constraint(error) == "entry_has_lines"
    assert rows("SELECT 1 FROM ledger_entrysource WHERE source_id = %s", [source]) == []


@DAYS
def test_a_line_without_an_entry_is_refused(day: date):
    assert refused(INTO_PARENT, lines(10**15, day, (240, 0), (0, 240))).startswith("line_of_entry_")


def test_a_line_on_another_date_than_its_entry_is_refused():
    entry = insert_entry(LONG_AGO)
    assert refused(INTO_PARENT, lines(entry, THIS_MONTH, (240, 0), (0, 240))).startswith("line_of_entry_")


@pytest.mark.parametrize("side", [(-240, 0), (0, -240), (240, 240), (0, 0), (-240, -240), (-240, 240)])
def test_a_line_is_above_zero_on_exactly_one_side(side: tuple[int, int]):
    entry = insert_entry(LONG_AGO)
    assert refused(INTO_PARENT, lines(entry, LONG_AGO, side, (side[1], side[0]))) == "one_positive_side"


@pytest.mark.parametrize("missing", ["stores", "currencies", "accounts", "debits", "credits"])
def test_store_currency_account_and_amounts_of_a_line_are_never_null(missing: str):
    entry = insert_entry(LONG_AGO)
    wrong = lines(entry, LONG_AGO, (240, 0), (0, 240)) | {missing: [None, None]}
    with pytest.raises(DatabaseError, match="null value"), transaction.atomic():
        execute(INTO_PARENT, wrong)


@pytest.mark.parametrize("missing", ["store_id", "currency", "source_id", "kind"])
def test_store_currency_and_source_of_an_entry_are_never_null(missing: str):
    with pytest.raises(DatabaseError, match="null value"), transaction.atomic():
        insert_entry(LONG_AGO, **{missing: None})


def test_a_source_of_an_unknown_kind_is_refused():
    with pytest.raises(DatabaseError) as error, transaction.atomic():
        insert_entry(LONG_AGO, kind="whim")
    assert constraint(error) == "entry_source_kind_known"


# --- One entry per source ---------------------------------------------------------------------------------------------


def posted_source(till: Till) -> UUID:
    order = a_sale(1001)
    till.sell(order)
    return UUID(order["order_id"])


@pytest.mark.parametrize("day", [date(2026, 3, 1), LONG_AGO, THIS_MONTH], ids=["same day", "another", "another month"])
def test_a_second_entry_for_one_source_is_refused_on_whatever_day(till: Till, day: date):
    source = posted_source(till)
    with pytest.raises(DatabaseError) as error, transaction.atomic():
        insert_entry(day, source_id=source)
    assert constraint(error) == "one_entry_per_source"


@DAYS
def test_a_second_entry_is_refused_straight_into_a_partition(till: Till, day: date):
    source = posted_source(till)
    with pytest.raises(DatabaseError) as error, transaction.atomic():
        insert_entry(day, table=leaf_of("ledger_journalentry", day), source_id=source)
    assert constraint(error) == "one_entry_per_source"


def test_a_shift_has_one_over_short_entry_per_reconciliation():
    shift = uuid4()
    for number in (1, 2):
        entry = insert_entry(LONG_AGO, kind="over_short", source_id=shift, number=number)
        execute(INTO_PARENT, lines(entry, LONG_AGO, (1, 0), (0, 1)))
    with pytest.raises(DatabaseError) as error, transaction.atomic():
        insert_entry(LONG_AGO, kind="over_short", source_id=shift, number=2)
    assert constraint(error) == "one_entry_per_source"


# --- Insert only ------------------------------------------------------------------------------------------------------

CHANGES = ["UPDATE {} SET business_date = business_date", "DELETE FROM {}", "TRUNCATE {} CASCADE"]


def test_every_month_and_the_default_have_partitions_to_guard():
    for parent in PARENTS[:2]:
        names = leaves(parent)
        assert f"{parent}_default" in names
        assert leaf_of(parent, THIS_MONTH) in names
        assert len(names) >= 5


@pytest.mark.parametrize("change", CHANGES, ids=["UPDATE", "DELETE", "TRUNCATE"])
def test_changes_are_refused_on_the_tables_and_on_each_partition(till: Till, change: str):
    posted_source(till)
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    tables = [*PARENTS, *leaves(PARENTS[0]), *leaves(PARENTS[1])]
    for table in tables:
        assert refused(change.format(table)) == "books_are_append_only", table


@pytest.mark.parametrize("change", CHANGES, ids=["UPDATE", "DELETE", "TRUNCATE"])
def test_they_are_refused_on_a_partition_made_later(change: str):
    execute("SELECT ledger_create_month('2031-07-01')")
    for parent in PARENTS[:2]:
        assert refused(change.format(f"{parent}_203107")) == "books_are_append_only"


def test_a_partition_made_later_guards_what_is_inserted():
    execute("SELECT ledger_create_month('2031-07-01')")
    day = date(2031, 7, 9)
    entry = insert_entry(day, table="ledger_journalentry_203107")
    into_leaf = LINES.format(table="ledger_journalline_203107")
    assert refused(into_leaf, lines(entry, day, (1, 0), (0, 2))) == "entry_balances"
    assert refused(into_leaf, lines(10**15, day, (1, 0), (0, 1))) == "line_of_entry_203107"
    facts = {
        "id": 10**15,
        "day": day,
        "store_id": 1,
        "kind": "order",
        "source_id": uuid4(),
        "number": 0,
        "currency": "EUR",
    }
    in_leaf = ENTRY.format(table="ledger_journalentry_203107")
    assert refused(in_leaf, facts, at_commit=True) == "entry_has_lines"


def test_making_a_month_twice_makes_it_once():
    assert rows("SELECT ledger_create_month('2031-07-01'), sales_create_month('2031-07-31')") == [(True, True)]
    assert rows("SELECT ledger_create_month('2031-07-20'), sales_create_month('2031-07-01')") == [(False, False)]


def test_no_partition_is_without_the_guard_of_locked_periods():
    execute("SELECT ledger_create_month('2031-07-01')")
    tables = {table for parent in PARENTS[:2] for table in (parent, *leaves(parent))}
    found = rows("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'check_period'")
    assert {table for (table,) in found} == tables


def test_no_guard_is_switched_off():
    guards = ("check_balance", "check_lines", "check_period", "record_source", "refuse_change", "refuse_truncate")
    found = rows("SELECT tgname, tgenabled FROM pg_trigger WHERE tgname = ANY(%s)", [list(guards)])
    assert {name for name, _ in found} == set(guards)
    assert {enabled for _, enabled in found} == {"O"}


# --- Orders, lines and payments ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["sales_orderline", "sales_payment"])
@DAYS
def test_a_line_or_payment_without_its_order_is_refused(table: str, day: date):
    if table == "sales_orderline":
        sql = "INSERT INTO sales_orderline VALUES (%(id)s, 0, %(day)s, 'item', '', '', 1, 1, 0, 1, '[]')"
    else:
        sql = "INSERT INTO sales_payment VALUES (%(id)s, 0, %(day)s, 'cash', 1, NULL, NULL, '')"
    assert "_of_order_" in refused(sql, {"id": 10**15, "day": day})


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("mode", "sideways", "order_mode_known"),
        ("kind", "loan", "order_kind_known"),
        ("status", "open", "order_status_known"),
    ],
)
def test_an_order_of_an_unknown_mode_kind_or_status_is_refused(till: Till, column: str, value: str, rule: str):
    posted_source(till)
    columns = [
        name
        for (name,) in rows("SELECT attname FROM pg_attribute WHERE attrelid = 'sales_order'::regclass AND attnum > 0")
    ]
    chosen = ", ".join(f"'{value}'" if name == column else "id + 1000000" if name == "id" else name for name in columns)
    assert refused(f"INSERT INTO sales_order SELECT {chosen} FROM sales_order LIMIT 1") == rule


def test_one_order_per_number_of_a_terminal(till: Till):
    posted_source(till)
    sql = (
        "INSERT INTO sales_identity (item_id, version, terminal_id, shift_id, number, content_hash, batch_id,"
        " business_date, row_id) VALUES (%s, 0, %s, %s, 1001, '', %s, '2026-03-01', 1)"
    )
    assert refused(sql, [uuid4(), till.terminal.pk, till.shift_id, uuid4()]) == "one_order_per_number"


def test_one_open_shift_per_terminal(till: Till):
    columns = (
        "terminal_id, store_id, number, state, business_date, currency, prices_include_tax, cashier, opening_float"
    )
    columns += ", first_number, opened_at, opening_hash, opening_entry_id, received_at, differences, reconciliations"
    sql = f"INSERT INTO sales_shift (shift_id, {columns}) SELECT %s, {columns} FROM sales_shift WHERE shift_id = %s"
    assert refused(sql, [uuid4(), till.shift_id]) == "one_open_shift_per_terminal"
