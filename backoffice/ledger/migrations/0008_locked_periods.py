"""Periods are locked: no entry is dated within, and whoever locks waits for those who are posting.

Triggers are made on every partition, those of detached months as well, under a lock that gives up soon.
"""

import django.db.models.deletion
from django.db import migrations, models

CREATE_FUNCTIONS = """
-- Entries, and lines too: none is added to an old entry of a locked period. Whoever posts announces it by a shared lock (2, store)
-- and holds it to the end, and whoever locks a period waits for those. So it is taken before the period is looked up, by a
-- statement of its own: the next one sees a lock that was committed meanwhile. A transaction that sees the tables as they were
-- before (REPEATABLE READ) would not see it, so it may not post.
CREATE FUNCTION ledger_check_period() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    earliest record;
    locked date;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION '% is written in READ COMMITTED, where the newest lock of its period is seen', TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'no_entry_in_locked_period';
    END IF;
    FOR earliest IN SELECT store_id, min(business_date) AS day FROM inserted GROUP BY store_id ORDER BY store_id LOOP
        PERFORM pg_advisory_xact_lock_shared(2, earliest.store_id);
        SELECT locked_through INTO locked FROM ledger_periodlock WHERE store_id = earliest.store_id ORDER BY id DESC LIMIT 1;
        IF earliest.day <= locked THEN
            RAISE EXCEPTION 'the books of store % are locked through %: nothing is entered there on %', earliest.store_id, locked, earliest.day
                USING ERRCODE = 'restrict_violation', CONSTRAINT = 'no_entry_in_locked_period';
        END IF;
    END LOOP;
    RETURN NULL;
END $$;

-- A lock is in force only once no posting of before still runs. Its id says where it stands among entries: ids of before are
-- below it, those of after are above.
CREATE FUNCTION ledger_begin_lock() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(2, NEW.store_id);
    NEW.id := nextval('ledger_entry_id_seq');
    RETURN NEW;
END $$;
CREATE TRIGGER begin_lock BEFORE INSERT ON ledger_periodlock FOR EACH ROW EXECUTE FUNCTION ledger_begin_lock();
SELECT ledger_guard_append_only('ledger_periodlock');

CREATE FUNCTION ledger_guard_period(name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER check_period AFTER INSERT ON %I REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION ledger_check_period()', name);
END $$;
"""

# The tables with entries and lines: the parents, every partition, and what was detached.
GUARD_TABLES = """
SET LOCAL lock_timeout = '3s';
SELECT ledger_guard_period(relname::text) FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
    AND relname ~ '^ledger_journal(entry|line)(_[0-9]{6}|_default)?$' ORDER BY relname
"""
UNGUARD_TABLES = """
SET LOCAL lock_timeout = '3s';
DO $$
DECLARE
    name text;
BEGIN
    FOR name IN SELECT relname FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
            AND relname ~ '^ledger_journal(entry|line)(_[0-9]{6}|_default)?$' ORDER BY relname
    LOOP
        EXECUTE format('DROP TRIGGER check_period ON %I', name);
    END LOOP;
END $$
"""

GUARD_MONTHS = """
CREATE OR REPLACE FUNCTION ledger_guard_entries(name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER record_source AFTER INSERT ON %I REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION ledger_record_source()', name);
    {entries}PERFORM ledger_guard_append_only(name);
END $$;
CREATE OR REPLACE FUNCTION ledger_guard_lines(name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER check_balance AFTER INSERT ON %I REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION ledger_check_balance()', name);
    {lines}PERFORM ledger_guard_append_only(name);
END $$;
"""
GUARDED = "PERFORM ledger_guard_period(name);\n    "
DROP_FUNCTIONS = """
DROP FUNCTION ledger_guard_period(text);
DROP TRIGGER begin_lock ON ledger_periodlock;
DROP FUNCTION ledger_begin_lock();
DROP FUNCTION ledger_check_period();
"""


class Migration(migrations.Migration):
    dependencies = [("fleet", "0007_second_person"), ("ledger", "0007_entries_of_decisions")]

    operations = [
        migrations.CreateModel(
            name="PeriodLock",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        help_text="From the sequence of entries, by its trigger.", primary_key=True, serialize=False
                    ),
                ),
                ("locked_through", models.DateField(help_text="The last locked day.")),
                ("decision_id", models.UUIDField(unique=True)),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="fleet.store"
                    ),
                ),
            ],
            options={"indexes": [models.Index(fields=["store", "id"], name="ledger_newest_period_lock")]},
        ),
        migrations.RunSQL(CREATE_FUNCTIONS, DROP_FUNCTIONS),
        migrations.RunSQL(
            GUARD_MONTHS.format(entries=GUARDED, lines=GUARDED), GUARD_MONTHS.format(entries="", lines="")
        ),
        migrations.RunSQL(GUARD_TABLES, UNGUARD_TABLES),
    ]
