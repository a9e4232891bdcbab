"""Journal entries and lines, range-partitioned by business month, and the triggers that guard the books.

A statement trigger on a partitioned table does not fire for a statement that names a leaf, so every guard stands on
the parent and on each leaf.
"""

from django.db import migrations

CREATE_TABLES = """
-- Of entries and of what they are made from: an order, its identity and its entry have one id.
CREATE SEQUENCE ledger_entry_id_seq AS bigint;

CREATE TABLE ledger_entrysource (
    source_kind text NOT NULL CONSTRAINT entry_source_kind_known CHECK (source_kind IN ('order', 'movement', 'opening', 'over_short')),
    source_id uuid NOT NULL,
    source_number integer NOT NULL,
    entry_id bigint NOT NULL,
    business_date date NOT NULL,
    CONSTRAINT one_entry_per_source PRIMARY KEY (source_kind, source_id, source_number)
);

CREATE TABLE ledger_journalentry (
    id bigint NOT NULL,
    business_date date NOT NULL,
    store_id integer NOT NULL,
    terminal_id integer NOT NULL,
    shift_id uuid NOT NULL,
    source_kind text NOT NULL,
    source_id uuid NOT NULL,
    source_number integer NOT NULL DEFAULT 0,
    currency text NOT NULL,
    posted_at timestamptz NOT NULL,
    PRIMARY KEY (id, business_date)
) PARTITION BY RANGE (business_date);

CREATE TABLE ledger_journalline (
    entry_id bigint NOT NULL,
    position smallint NOT NULL,
    business_date date NOT NULL,
    store_id integer NOT NULL,
    account_id text NOT NULL,
    drawer_id integer,
    tax_code text NOT NULL DEFAULT '',
    debit bigint NOT NULL,
    credit bigint NOT NULL,
    currency text NOT NULL,
    CONSTRAINT one_positive_side CHECK (debit >= 0 AND credit >= 0 AND (debit = 0) <> (credit = 0)),
    PRIMARY KEY (entry_id, position, business_date)
) PARTITION BY RANGE (business_date);
-- The balance of a drawer is the sum of a few lines since its last known balance.
CREATE INDEX ledger_line_of_drawer ON ledger_journalline (drawer_id, entry_id) INCLUDE (debit, credit) WHERE drawer_id IS NOT NULL;
"""

CREATE_GUARDS = """
-- Σ debits = Σ credits per entry and currency. All lines of an entry are inserted by one statement: a transition
-- table sees them together, at a fraction of what a deferred row trigger costs.
CREATE FUNCTION ledger_check_balance() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    unbalanced record;
BEGIN
    SELECT entry_id, currency, sum(debit) AS debits, sum(credit) AS credits INTO unbalanced
    FROM inserted GROUP BY entry_id, currency HAVING sum(debit) <> sum(credit) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'journal entry % does not balance: debits %, credits % %',
            unbalanced.entry_id, unbalanced.debits, unbalanced.credits, unbalanced.currency
            USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_balances';
    END IF;
    RETURN NULL;
END $$;

-- An entry and its lines are written in one transaction; at its end every entry has lines.
CREATE FUNCTION ledger_check_lines() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM ledger_journalline WHERE entry_id = NEW.id AND business_date = NEW.business_date) THEN
        RAISE EXCEPTION 'journal entry % has no lines', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_has_lines';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION ledger_record_source() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ledger_entrysource (source_kind, source_id, source_number, entry_id, business_date)
    SELECT source_kind, source_id, source_number, id, business_date FROM inserted;
    RETURN NULL;
END $$;

CREATE FUNCTION ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on %: the books are append-only, a correction is a new entry', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'books_are_append_only';
END $$;

CREATE FUNCTION ledger_guard_entries(name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER record_source AFTER INSERT ON %I REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION ledger_record_source()', name);
    PERFORM ledger_guard_append_only(name);
END $$;

CREATE FUNCTION ledger_guard_lines(name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER check_balance AFTER INSERT ON %I REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION ledger_check_balance()', name);
    PERFORM ledger_guard_append_only(name);
END $$;

CREATE FUNCTION ledger_guard_append_only(name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON %I FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change()', name);
    EXECUTE format('CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change()', name);
END $$;

SELECT ledger_guard_entries('ledger_journalentry');
SELECT ledger_guard_lines('ledger_journalline');
SELECT ledger_guard_append_only('ledger_entrysource');
-- A row trigger, unlike a statement trigger, is inherited by every leaf.
CREATE CONSTRAINT TRIGGER check_lines AFTER INSERT ON ledger_journalentry DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION ledger_check_lines();
"""

CREATE_PARTITIONS = """
CREATE FUNCTION ledger_refer_to_entries(suffix text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE ledger_journalline_%1$s ADD CONSTRAINT line_of_entry_%1$s FOREIGN KEY (entry_id, business_date) REFERENCES ledger_journalentry_%1$s (id, business_date)', suffix);
    PERFORM ledger_guard_entries('ledger_journalentry_' || suffix);
    PERFORM ledger_guard_lines('ledger_journalline_' || suffix);
END $$;

-- Makes the partitions of the month that holds `day`, unless they are there. Says whether it made them.
CREATE FUNCTION ledger_create_month(day date) RETURNS boolean LANGUAGE plpgsql AS $$
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

CREATE TABLE ledger_journalentry_default PARTITION OF ledger_journalentry DEFAULT;
CREATE TABLE ledger_journalline_default PARTITION OF ledger_journalline DEFAULT;
SELECT ledger_refer_to_entries('default');
SELECT ledger_create_month((date_trunc('month', now()) + make_interval(months => m))::date) FROM generate_series(-1, 3) AS m;
"""

DROP = """
DROP TABLE ledger_journalline, ledger_journalentry, ledger_entrysource;
DROP FUNCTION ledger_create_month(date);
DROP FUNCTION ledger_refer_to_entries(text);
DROP FUNCTION ledger_guard_entries(text);
DROP FUNCTION ledger_guard_lines(text);
DROP FUNCTION ledger_guard_append_only(text);
DROP FUNCTION ledger_refuse_change();
DROP FUNCTION ledger_record_source();
DROP FUNCTION ledger_check_lines();
DROP FUNCTION ledger_check_balance();
DROP SEQUENCE ledger_entry_id_seq;
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]

    operations = [migrations.RunSQL(CREATE_TABLES + CREATE_GUARDS + CREATE_PARTITIONS, DROP)]
