"""Entries from before there was a sealer: they get no new row, and are sealed before all others."""

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, connections, transaction
from django.utils import timezone

from backoffice.books.evidence.sealer import seal
from tests.integration.evidence.sealing import rows
from tests.integration.ledger.test_migrations import scratch  # noqa: F401 - a fixture
from tests.till import Till, a_sale

AN_ENTRY = """
WITH entry AS (
    INSERT INTO ledger_journalentry (id, business_date, store_id, terminal_id, shift_id, source_kind, source_id, currency, posted_at)
    VALUES (nextval('ledger_entry_id_seq'), current_date, 1, 1, gen_random_uuid(), 'order', gen_random_uuid(), 'EUR', now())
    RETURNING id, business_date
)
INSERT INTO ledger_journalline (entry_id, position, business_date, store_id, account_id, debit, credit, currency)
SELECT id, position, business_date, 1, '1000', position * 5, 5 - position * 5, 'EUR' FROM entry, generate_series(0, 1) AS position
"""
FILES = """
SELECT inhrelid::regclass::text, pg_relation_filenode(inhrelid) FROM pg_inherits
WHERE inhparent = 'ledger_journalentry'::regclass ORDER BY 1
"""
SEALED = ["evidence_leaf", "evidence_dayroot", "evidence_checkpoint", "evidence_stamp", "evidence_verifierkey"]


def test_entries_of_before_are_older_than_all_and_are_not_written_anew(scratch: str) -> None:  # noqa: F811
    call_command("migrate", database=scratch, verbosity=0)
    call_command("migrate", "evidence", "zero", database=scratch, verbosity=0)
    with connections[scratch].cursor() as cursor:
        cursor.execute(AN_ENTRY)
        cursor.execute(FILES)
        files = cursor.fetchall()
        call_command("migrate", database=scratch, verbosity=0)
        cursor.execute(FILES)
        assert cursor.fetchall() == files
        cursor.execute("SELECT xid::text FROM ledger_journalentry")
        assert cursor.fetchall() == [("1",)]
        cursor.execute(AN_ENTRY)
        cursor.execute("SELECT count(*) FROM ledger_journalentry WHERE xid > '3' AND xid < pg_current_xact_id()")
        assert cursor.fetchall() == [(1,)]


def test_a_month_that_is_made_later_knows_transactions_too(scratch: str) -> None:  # noqa: F811
    call_command("migrate", database=scratch, verbosity=0)
    with connections[scratch].cursor() as cursor:
        cursor.execute("SELECT ledger_create_month('2031-05-01')")
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE tablename = 'ledger_journalentry_203105'")
        assert any("(xid, id)" in definition for (definition,) in cursor.fetchall())
        cursor.execute(AN_ENTRY.replace("current_date", "'2031-05-15'"))
        cursor.execute("SELECT tableoid::regclass::text FROM ledger_journalentry WHERE xid > '3'")
        assert cursor.fetchall() == [("ledger_journalentry_203105",)]


@pytest.mark.parametrize("table", SEALED)
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "TRUNCATE {}", "UPDATE {} SET {} = {}"])
def test_seals_are_append_only(committed_db: None, table: str, statement: str) -> None:
    till = Till()
    assert till.open().status_code == 201
    till.sell(a_sale(1001))
    seal(now=timezone.now())
    (column,) = rows("SELECT column_name FROM information_schema.columns WHERE table_name = %s LIMIT 1", table)[0]
    with (
        pytest.raises(DatabaseError, match=r"append-only|referenced in a foreign key"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement.format(table, column, column))
