"""Production's two database roles, on a PostgreSQL of this test's own: the application sells, and cannot touch the books.

What runs here is deploy/postgres/roles.sql and grants.sql, with psql, as the compose file and the handbook run them.
"""

from pathlib import Path

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from tests.integration.deployment.production import BINARIES, SQL, Production, run

BOOKS = ["ledger_journalentry", "ledger_journalline", "ledger_entrysource"]
DECISIONS = ["books_decision", "books_decisionanswer", "books_cachefile", "ledger_periodlock"]
TRAIL = ["trail_entry"]
KEPT = ["sales_order", "sales_orderline", "sales_payment", "sales_identity", "inbox_batch"]

A_DAY = """
from django.test import Client
from tests.till import Till, a_movement, a_sale, outcomes
till = Till()
assert till.open().status_code == 201
orders = [a_sale(1001), a_sale(1002, total=1)]
receipt = till.sell(*orders, movements=[a_movement()])
assert outcomes(receipt) == ["posted", "held"], receipt
again = till.sell(orders[0])
assert outcomes(again) == ["duplicate"], again
assert till.close(orders[0], batches=[receipt["batch_id"]], counted=1).status_code == 202
assert till.shift()["state"] in {"closing", "discrepant"}, till.shift()
ready = Client().get("/readyz").json()
assert ready["ready"], ready
print("sold")
"""
ASK_AFTER_ITSELF = """
from datetime import date
from django.utils import timezone
from backoffice.health import backlog, database
backlog.read_backlog(now=timezone.now())
outside = database.rows_without_month()
print(*database.role(), len(database.changeable_books()), len(database.missing_months(today=timezone.now().date(), ahead=2)))
print(len(outside))
"""
THE_OWNERS = "from backoffice.health import database; print(database.changeable_books())"
A_SETTING = """
from django.db import connection
from tests.till import a_store
store = a_store()
type(store).objects.filter(pk=store.pk).update(refund_days=30)
with connection.cursor() as cursor:
    cursor.execute("SELECT what, after ->> 'refund_days', via, address FROM trail_entry WHERE about = 'store' ORDER BY id DESC LIMIT 1")
    print(*cursor.fetchone())
"""
SOME_MONTHS = """
from datetime import date
from backoffice.ingestion.months import make_months
print(make_months(today=date(2031, 5, 1)))
"""


def rights(address: str, table: str) -> set[str]:
    with psycopg.connect(address) as connection:
        kinds = ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"]
        row = connection.execute(
            "SELECT array_agg(kind) FROM unnest(%s::text[]) AS kind WHERE has_table_privilege(%s, kind)", [kinds, table]
        ).fetchone()
    return set(row[0] or []) if row else set()


def leaves(address: str, parent: str) -> list[str]:
    with psycopg.connect(address) as connection:
        rows = connection.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [parent]
        ).fetchall()
    return [row[0] for row in rows]


def test_a_day_of_a_till_runs_as_the_application(production: Production) -> None:
    assert production.manage(production.application, "shell", "--verbosity=0", "--command", A_DAY).strip() == "sold"


def test_the_service_can_ask_after_itself_with_the_applications_rights(production: Production) -> None:
    said = production.manage(production.application, "shell", "--verbosity=0", "--command", ASK_AFTER_ITSELF).split()
    assert said == ["backoffice", "False", "0", "0", "5"]
    assert "ledger_journalline" in production.manage(
        production.owner, "shell", "--verbosity=0", "--command", THE_OWNERS
    )


@pytest.mark.parametrize("table", [*BOOKS, *DECISIONS, *TRAIL])
def test_the_books_can_be_added_to_and_read_only(production: Production, table: str) -> None:
    assert rights(production.application, table) == {"SELECT", "INSERT"}


@pytest.mark.parametrize("statement", ["UPDATE {} SET business_date = now()", "DELETE FROM {}", "TRUNCATE {}"])
@pytest.mark.parametrize("table", BOOKS)
def test_changing_the_books_is_refused_for_want_of_a_right(production: Production, table: str, statement: str) -> None:
    with psycopg.connect(production.application) as connection, pytest.raises(InsufficientPrivilege):
        connection.execute(statement.format(table))


def test_what_the_application_changes_is_noted_with_its_rights(production: Production) -> None:
    said = production.manage(production.application, "shell", "--verbosity=0", "--command", A_SETTING)
    assert said.split()[:3] == ["changed", "30", "command"], said


@pytest.mark.parametrize("table", KEPT)
def test_what_was_received_and_sold_is_never_deleted(production: Production, table: str) -> None:
    assert rights(production.application, table) == {"SELECT", "INSERT", "UPDATE"}


def test_other_tables_can_be_changed_but_not_emptied(production: Production) -> None:
    assert rights(production.application, "fleet_activationcode") == {"SELECT", "INSERT", "UPDATE", "DELETE"}
    assert rights(production.application, "django_migrations") == {"SELECT"}


def test_the_application_makes_months_and_still_cannot_reach_into_them(production: Production) -> None:
    assert production.manage(production.application, "shell", "--verbosity=0", "--command", SOME_MONTHS).strip() == "4"
    for parent in ("ledger_journalentry", "ledger_journalline", "sales_order"):
        found = leaves(production.application, parent)
        assert f"{parent}_203108" in found
        assert {leaf: rights(production.application, leaf) for leaf in found} == {leaf: set() for leaf in found}


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE public.mine (id int)",
        "CREATE TEMPORARY TABLE mine (id int)",
        "ALTER TABLE ledger_journalentry DISABLE TRIGGER ALL",
        "DROP TABLE ledger_journalline",
        "SET session_replication_role = replica",
        "ALTER FUNCTION ledger_refuse_change() RENAME TO allow_change",
        "ALTER TABLE fleet_store DISABLE TRIGGER USER",
        "SET ROLE backoffice_owner",
    ],
)
def test_the_application_cannot_switch_off_what_guards_the_books(production: Production, statement: str) -> None:
    with psycopg.connect(production.application) as connection, pytest.raises(InsufficientPrivilege):
        connection.execute(statement)


def test_a_table_of_a_later_migration_gets_its_rights_with_the_next_grants(production: Production) -> None:
    with psycopg.connect(production.owner) as connection:
        connection.execute("CREATE TABLE a_later_table (id int)")
    assert rights(production.application, "a_later_table") == set()
    production.grant()
    assert rights(production.application, "a_later_table") == {"SELECT", "INSERT", "UPDATE", "DELETE"}


def test_roles_can_be_made_again_and_then_have_the_new_passwords(production: Production) -> None:
    production.psql(production.superuser, "--file", str(SQL / "roles.sql"))
    with psycopg.connect(production.application) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("backoffice",)


def test_running_the_roles_again_changes_the_superusers_password_where_there_is_a_new_one(
    production: Production,
) -> None:
    place = production.superuser.rpartition("@")[2]
    production.psql(production.superuser, "--file", str(SQL / "roles.sql"), POSTGRES_PASSWORD="new-of-this-test")
    try:
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(production.superuser)
        with psycopg.connect(f"postgresql://admin:new-of-this-test@{place}") as connection:
            assert connection.execute("SELECT current_user").fetchone() == ("admin",)
    finally:
        with psycopg.connect(f"postgresql://admin:new-of-this-test@{place}") as connection:
            connection.execute("ALTER ROLE admin PASSWORD 'admin'")


def test_grants_give_up_when_the_books_stay_open(production: Production) -> None:
    """A right that somebody else gave is not the owner's to take back, so nothing may be granted beside it."""
    with psycopg.connect(production.superuser.rpartition("/")[0] + "/backoffice") as connection:
        connection.execute("GRANT pg_write_all_data TO backoffice")
    try:
        with pytest.raises(AssertionError, match=r"may change (books|ledger|trail)_"):
            production.grant()
    finally:
        with psycopg.connect(production.superuser) as connection:
            connection.execute("REVOKE pg_write_all_data FROM backoffice")


def test_a_dump_restores_with_owners_and_rights(production: Production, tmp_path: Path) -> None:
    dump = tmp_path / "backoffice.dump"
    source = production.superuser.rpartition("/")[0] + "/backoffice"
    run([str(BINARIES / "pg_dump"), "--format=custom", f"--file={dump}", source], {})
    with psycopg.connect(production.superuser, autocommit=True) as connection:
        connection.execute("CREATE DATABASE restored OWNER backoffice_owner TEMPLATE template0")
    target = production.superuser.rpartition("/")[0] + "/restored"
    run([str(BINARIES / "pg_restore"), "--exit-on-error", f"--dbname={target}", str(dump)], {})
    application = production.application.rpartition("/")[0] + "/restored"
    for table in BOOKS:
        assert rights(application, table) == {"SELECT", "INSERT"}
    with psycopg.connect(target) as connection, pytest.raises(psycopg.errors.RestrictViolation):
        connection.execute("DELETE FROM ledger_journalline")


A_DAY_OF_LONG_AGO = """
from datetime import date
from backoffice.ingestion.months import default_rows, drain_default
from tests.till import Till, a_sale
till = Till()
assert till.open(opened_at="2000-02-15T08:00:00Z").status_code == 201
order = a_sale(1001, opened_at="2000-02-15T09:00:00Z", closed_at="2000-02-15T09:01:00Z")
receipt = till.sell(order)
assert till.close(order, batches=[receipt["batch_id"]]).status_code == 202
assert till.shift()["state"] == "reconciled", till.shift()
print(drain_default(today=date(2000, 3, 1)), date(2000, 2, 1) in default_rows())
"""
MONTHS = ["sales_order", "sales_orderline", "sales_payment", "ledger_journalentry", "ledger_journalline"]


def test_the_application_drains_the_default_partition_and_the_owner_alone_detaches(
    production: Production, tmp_path: Path
) -> None:
    """Out of the tables, into a file, and all the way back; the service can do the first step of none of it."""
    said = production.manage(production.application, "shell", "--verbosity=0", "--command", A_DAY_OF_LONG_AGO)
    assert said.split()[-2:] == ["1", "False"], said
    with pytest.raises(AssertionError, match="run this as the owner of the tables"):
        production.manage(production.application, "detach_month", "2000-02")
    for function in ("sales_join_month", "ledger_join_month", "sales_leave_month", "ledger_leave_month"):
        with psycopg.connect(production.application) as connection, pytest.raises(InsufficientPrivilege):
            connection.execute(f"SELECT {function}('2000-02-01')")
    assert "2000-02  was kept through 2010-02-28" in production.manage(production.application, "retention")
    assert "2000-02 is detached" in production.manage(production.owner, "detach_month", "2000-02")
    production.grant()
    tables = [f"{parent}_200002" for parent in MONTHS]
    assert {table: rights(production.application, table) for table in tables} == {table: set() for table in tables}

    dump = tmp_path / "2000-02.dump"
    run([str(BINARIES / "pg_dump"), "--format=custom", "--table=*_200002", f"--file={dump}", production.owner], {})
    with psycopg.connect(production.owner) as connection:
        connection.execute(f"DROP TABLE {', '.join(tables)}")
    with pytest.raises(AssertionError, match="Restore them from their dump first"):
        production.manage(production.owner, "attach_month", "2000-02")
    run([str(BINARIES / "pg_restore"), "--exit-on-error", f"--dbname={production.owner}", str(dump)], {})
    assert "2000-02 is attached" in production.manage(production.owner, "attach_month", "2000-02")
    with psycopg.connect(production.application) as connection:
        assert connection.execute("SELECT count(*) FROM sales_order WHERE business_date = '2000-02-15'").fetchone() == (
            1,
        )
    with psycopg.connect(production.owner) as connection, pytest.raises(psycopg.errors.RestrictViolation):
        connection.execute("DELETE FROM ledger_journalline_200002")
    production.manage(production.application, "verify_books")
