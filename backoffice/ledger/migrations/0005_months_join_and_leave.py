"""A month takes its rows out of the default partition when it is made, and can leave the tables and come back."""

from django.db import migrations

CREATE = """
-- What fell into the default partition: entries by their month.
CREATE FUNCTION ledger_default_months() RETURNS TABLE (month date, row_count bigint) LANGUAGE sql STABLE AS $$
    SELECT date_trunc('month', business_date)::date, count(*) FROM ledger_journalentry_default GROUP BY 1 ORDER BY 1
$$;

-- Attaches the month's tables, with what the default partition holds of that month moved into them. The guards are off for
-- that time, which only the tables' owner may do, and within a lock under which nobody else reads or writes: no row is
-- changed, each only changes its table. Sources are not recorded again.
CREATE FUNCTION ledger_join_month(day date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    first_day date := date_trunc('month', day)::date;
    next_month date := (date_trunc('month', day) + interval '1 month')::date;
    suffix text := to_char(day, 'YYYYMM');
    parents text[] := ARRAY['ledger_journalentry', 'ledger_journalline'];
    parent text;
BEGIN
    FOREACH parent IN ARRAY parents LOOP
        EXECUTE format('ALTER TABLE %1$s_%2$s ADD CONSTRAINT %1$s_in_month CHECK (business_date >= %3$L AND business_date < %4$L)', parent, suffix, first_day, next_month);
    END LOOP;
    LOCK TABLE ledger_journalentry_default, ledger_journalline_default IN ACCESS EXCLUSIVE MODE;
    FOREACH parent IN ARRAY parents LOOP
        EXECUTE format('ALTER TABLE %1$s_default DISABLE TRIGGER USER', parent);
        EXECUTE format('ALTER TABLE %1$s_%2$s DISABLE TRIGGER USER', parent, suffix);
        EXECUTE format('INSERT INTO %1$s_%2$s SELECT * FROM %1$s_default WHERE business_date >= %3$L AND business_date < %4$L', parent, suffix, first_day, next_month);
    END LOOP;
    FOREACH parent IN ARRAY ARRAY['ledger_journalline', 'ledger_journalentry'] LOOP
        EXECUTE format('DELETE FROM %1$s_default WHERE business_date >= %2$L AND business_date < %3$L', parent, first_day, next_month);
    END LOOP;
    FOREACH parent IN ARRAY parents LOOP
        EXECUTE format('ALTER TABLE %1$s_default ENABLE TRIGGER USER', parent);
        EXECUTE format('ALTER TABLE %1$s_%2$s ENABLE TRIGGER USER', parent, suffix);
        EXECUTE format('ALTER TABLE %1$s ATTACH PARTITION %1$s_%2$s FOR VALUES FROM (%3$L) TO (%4$L)', parent, suffix, first_day, next_month);
        EXECUTE format('ALTER TABLE %1$s_%2$s DROP CONSTRAINT %1$s_in_month', parent, suffix);
    END LOOP;
END $$;

-- Takes the month's tables out of the parents; they stay beside them, with all they hold and what guards it.
CREATE FUNCTION ledger_leave_month(day date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    parent text;
BEGIN
    FOREACH parent IN ARRAY ARRAY['ledger_journalentry', 'ledger_journalline'] LOOP
        EXECUTE format('ALTER TABLE %1$s DETACH PARTITION %1$s_%2$s', parent, to_char(day, 'YYYYMM'));
    END LOOP;
END $$;

-- Makes the partitions of the month that holds `day`, unless they are there. Says whether it made them.
CREATE OR REPLACE FUNCTION ledger_create_month(day date) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    suffix text := to_char(day, 'YYYYMM');
    parent text;
BEGIN
    IF to_regclass('ledger_journalentry_' || suffix) IS NOT NULL THEN
        RETURN false;
    END IF;
    FOREACH parent IN ARRAY ARRAY['ledger_journalentry', 'ledger_journalline'] LOOP
        EXECUTE format('CREATE TABLE %1$s_%2$s (LIKE %1$s INCLUDING ALL)', parent, suffix);
    END LOOP;
    PERFORM ledger_join_month(day);
    PERFORM ledger_refer_to_entries(suffix);
    RETURN true;
END $$;
"""

RESTORE = """
CREATE OR REPLACE FUNCTION ledger_create_month(day date) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    first_day date := date_trunc('month', day)::date;
    suffix text := to_char(day, 'YYYYMM');
    parent text;
BEGIN
    IF to_regclass('ledger_journalentry_' || suffix) IS NOT NULL THEN
        RETURN false;
    END IF;
    FOREACH parent IN ARRAY ARRAY['ledger_journalentry', 'ledger_journalline'] LOOP
        EXECUTE format('CREATE TABLE %1$s_%2$s (LIKE %1$s INCLUDING ALL)', parent, suffix);
        EXECUTE format('ALTER TABLE %1$s ATTACH PARTITION %1$s_%2$s FOR VALUES FROM (%3$L) TO (%4$L)', parent, suffix, first_day, (first_day + interval '1 month')::date);
    END LOOP;
    PERFORM ledger_refer_to_entries(suffix);
    RETURN true;
END $$;
DROP FUNCTION ledger_leave_month(date);
DROP FUNCTION ledger_join_month(date);
DROP FUNCTION ledger_default_months();
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0004_accounts_stay")]

    operations = [migrations.RunSQL(CREATE, RESTORE)]
