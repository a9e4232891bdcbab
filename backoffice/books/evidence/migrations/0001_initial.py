"""Journal entries know their transaction, and what is sealed has its tables.

An entry's transaction is filled in by the database: nobody who posts names the column. Entries from before read as of
transaction 1, which is older than all, without being written anew. A month that was detached before gets the column when it
comes back; its entries are then of the transaction that brings them, and are sealed after it.
"""

from django.db import migrations, models

ADD = """
SET LOCAL lock_timeout = '3s';
ALTER TABLE ledger_journalentry ADD COLUMN xid xid8 NOT NULL DEFAULT '1';
ALTER TABLE ledger_journalentry ALTER COLUMN xid SET DEFAULT pg_current_xact_id();
"""
DROP = """
SET LOCAL lock_timeout = '3s';
ALTER TABLE ledger_journalentry DROP COLUMN xid;
"""

JOIN_MONTH = """
-- Attaches the month's tables, with what the default partition holds of that month moved into them. The guards are off for
-- that time, which only the tables' owner may do, and within a lock under which nobody else reads or writes: no row is
-- changed, each only changes its table. Sources are not recorded again.
CREATE OR REPLACE FUNCTION ledger_join_month(day date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    first_day date := date_trunc('month', day)::date;
    next_month date := (date_trunc('month', day) + interval '1 month')::date;
    suffix text := to_char(day, 'YYYYMM');
    parents text[] := ARRAY['ledger_journalentry', 'ledger_journalline'];
    parent text;{variable}
BEGIN{columns}
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
    END LOOP;{end}
END $$;
"""
ADD_COLUMNS = """
    -- A month that was detached before there was this column gets it now.
    EXECUTE format('ALTER TABLE ledger_journalentry_%s ADD COLUMN IF NOT EXISTS xid xid8 NOT NULL DEFAULT pg_current_xact_id()', suffix);
    -- One that left with something not sealed takes the sealer back to it, once it is here; what is sealed it passes over.
    EXECUTE format($statement$
        SELECT e.xid::text::bigint FROM ledger_journalentry_%s e
        WHERE NOT EXISTS (SELECT FROM evidence_leaf f WHERE f.kind = 'entry' AND f.row_id = e.id) ORDER BY e.xid LIMIT 1
    $statement$, suffix) INTO unsealed;"""

LEAD_BACK = """
    -- Last of all: a sealer that is at work holds the tables, and wants its mark.
    UPDATE evidence_sealmark SET xid = unsealed - 1, row_id = 0 WHERE source = 'entry' AND xid >= unsealed;"""

GUARD = """
SELECT ledger_guard_append_only(name)
FROM unnest(ARRAY['evidence_leaf', 'evidence_dayroot', 'evidence_checkpoint', 'evidence_verifierkey']) AS name;
INSERT INTO evidence_installationtree (id, size, packed) VALUES (1, 0, '');
INSERT INTO evidence_sealmark (source, xid, row_id) VALUES ('entry', 0, 0);
"""


def join_month(**parts: str) -> str:
    """The function with these parts in it; the text has other braces, so it is not `format`."""
    text = JOIN_MONTH
    for name, part in parts.items():
        text = text.replace(f"{{{name}}}", part)
    return text


class Migration(migrations.Migration):
    initial = True

    dependencies = [("ledger", "0006_closing_entries")]

    operations = [
        migrations.RunSQL(
            ADD + join_month(variable="\n    unsealed bigint;", columns=ADD_COLUMNS, end=LEAD_BACK),
            DROP + join_month(variable="", columns="", end=""),
        ),
        migrations.CreateModel(
            name="Leaf",
            fields=[
                ("pk", models.CompositePrimaryKey("store_id", "day", "position", blank=True, editable=False, primary_key=True, serialize=False)),
                ("store_id", models.IntegerField()),
                ("day", models.DateField(help_text="When it was sealed, in UTC.")),
                ("position", models.BigIntegerField()),
                ("kind", models.CharField(max_length=16)),
                ("version", models.SmallIntegerField()),
                ("number", models.BigIntegerField()),
                ("row_id", models.BigIntegerField(null=True)),
                ("item_id", models.UUIDField(null=True)),
                ("business_date", models.DateField(help_text="The record's own, where it is needed to find it.", null=True)),
                ("hash", models.BinaryField(max_length=32)),
            ],
            options={
                "verbose_name_plural": "leaves",
                "constraints": [
                    models.UniqueConstraint(condition=models.Q(("row_id__isnull", False)), fields=("kind", "row_id"), name="one_leaf_per_row"),
                    models.UniqueConstraint(condition=models.Q(("item_id__isnull", False)), fields=("kind", "item_id"), name="one_leaf_per_item"),
                ],
            },
        ),
        migrations.CreateModel(
            name="DayRoot",
            fields=[
                ("position", models.BigIntegerField(primary_key=True, serialize=False)),
                ("store_id", models.IntegerField()),
                ("day", models.DateField()),
                ("size", models.BigIntegerField()),
                ("root", models.BinaryField(max_length=32)),
                ("hash", models.BinaryField(max_length=32)),
                ("sealed_at", models.DateTimeField()),
            ],
            options={"indexes": [models.Index(fields=["store_id", "day", "position"], name="evidence_root_of_day")]},
        ),
        migrations.CreateModel(
            name="Checkpoint",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("size", models.BigIntegerField()),
                ("key_name", models.CharField(max_length=300)),
                ("note", models.TextField()),
                ("signed_at", models.DateTimeField()),
            ],
            options={"indexes": [models.Index(fields=["size", "id"], name="evidence_checkpoint_newest")]},
        ),
        migrations.CreateModel(
            name="VerifierKey",
            fields=[
                ("text", models.CharField(max_length=400, primary_key=True, serialize=False)),
                ("first_used_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="InstallationTree",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("day", models.DateField(help_text="Of the newest seals. It never goes back, whatever a clock says.", null=True)),
                ("size", models.BigIntegerField(default=0)),
                ("packed", models.BinaryField(default=b"", help_text="The roots of its whole subtrees.")),
            ],
            options={"constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="one_installation_tree")]},
        ),
        migrations.CreateModel(
            name="StoreTree",
            fields=[
                ("store_id", models.IntegerField(primary_key=True, serialize=False)),
                ("day", models.DateField()),
                ("size", models.BigIntegerField()),
                ("packed", models.BinaryField()),
                ("numbers", models.JSONField()),
            ],
        ),
        migrations.CreateModel(
            name="SealMark",
            fields=[
                ("source", models.CharField(max_length=16, primary_key=True, serialize=False)),
                ("xid", models.BigIntegerField()),
                ("row_id", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="DailyBalance",
            fields=[
                ("pk", models.CompositePrimaryKey("store_id", "business_date", "account_id", "currency", blank=True, editable=False, primary_key=True, serialize=False)),
                ("store_id", models.IntegerField()),
                ("business_date", models.DateField()),
                ("account_id", models.CharField(max_length=16)),
                ("currency", models.CharField(max_length=3)),
                ("debit", models.BigIntegerField()),
                ("credit", models.BigIntegerField()),
            ],
        ),
        migrations.RunSQL(GUARD, migrations.RunSQL.noop),
    ]
