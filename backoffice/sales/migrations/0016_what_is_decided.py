"""What head office decided, as far as sales must know of it: what is held no more, what was voided, what is not missing.

Who decided and why is in the books. The version before lives with every column and leaves it NULL. A month that was
detached before gets its column when it comes back.
"""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

ADD = """
SET LOCAL lock_timeout = '3s';
ALTER TABLE sales_order ADD COLUMN voided_by uuid;
"""
DROP = """
SET LOCAL lock_timeout = '3s';
ALTER TABLE sales_order DROP COLUMN voided_by;
"""

GUARD = """
CREATE FUNCTION sales_keep_decision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'held item % was decided already', OLD.id
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'held_is_decided_once';
END $$;
CREATE TRIGGER keep_decision BEFORE UPDATE OF decision_id ON sales_helditem FOR EACH ROW
    WHEN (OLD.decision_id IS NOT NULL AND NEW.decision_id IS DISTINCT FROM OLD.decision_id)
    EXECUTE FUNCTION sales_keep_decision();
"""
NO_GUARD = """
DROP TRIGGER keep_decision ON sales_helditem;
DROP FUNCTION sales_keep_decision();
"""

JOIN_MONTH = """
-- Attaches the month's tables, with what the default partition holds of that month moved into them. Nobody can write there
-- meanwhile: the lock is the one that attaching needs anyway. The check spares attaching a scan under that lock.
CREATE OR REPLACE FUNCTION sales_join_month(day date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    first_day date := date_trunc('month', day)::date;
    next_month date := (date_trunc('month', day) + interval '1 month')::date;
    suffix text := to_char(day, 'YYYYMM');
    parents text[] := ARRAY['sales_order', 'sales_orderline', 'sales_payment'];
    parent text;
BEGIN{columns}
    FOREACH parent IN ARRAY parents LOOP
        EXECUTE format('ALTER TABLE %1$s_%2$s ADD CONSTRAINT %1$s_in_month CHECK (business_date >= %3$L AND business_date < %4$L)', parent, suffix, first_day, next_month);
    END LOOP;
    LOCK TABLE sales_order_default, sales_orderline_default, sales_payment_default IN ACCESS EXCLUSIVE MODE;
    FOREACH parent IN ARRAY parents LOOP
        EXECUTE format('INSERT INTO %1$s_%2$s SELECT * FROM %1$s_default WHERE business_date >= %3$L AND business_date < %4$L', parent, suffix, first_day, next_month);
    END LOOP;
    FOREACH parent IN ARRAY ARRAY['sales_payment', 'sales_orderline', 'sales_order'] LOOP
        EXECUTE format('DELETE FROM %1$s_default WHERE business_date >= %2$L AND business_date < %3$L', parent, first_day, next_month);
    END LOOP;
    FOREACH parent IN ARRAY parents LOOP
        EXECUTE format('ALTER TABLE %1$s ATTACH PARTITION %1$s_%2$s FOR VALUES FROM (%3$L) TO (%4$L)', parent, suffix, first_day, next_month);
        EXECUTE format('ALTER TABLE %1$s_%2$s DROP CONSTRAINT %1$s_in_month', parent, suffix);
    END LOOP;
END $$;
"""
COLUMNS_OF_BEFORE = """
    -- A month that was detached before these columns were there gets them now.
    EXECUTE format('ALTER TABLE sales_payment_%s ADD COLUMN IF NOT EXISTS store_id integer, ADD COLUMN IF NOT EXISTS card_closed_at timestamptz', suffix);
    EXECUTE format('ALTER TABLE sales_order_%s ADD COLUMN IF NOT EXISTS adjusts uuid, ADD COLUMN IF NOT EXISTS lines_refund jsonb', suffix);
    EXECUTE format('ALTER TABLE sales_orderline_%s ADD COLUMN IF NOT EXISTS refund_of uuid', suffix);"""
ADD_COLUMNS = (
    COLUMNS_OF_BEFORE
    + """
    EXECUTE format('ALTER TABLE sales_order_%s ADD COLUMN IF NOT EXISTS voided_by uuid', suffix);"""
)


class Migration(migrations.Migration):
    dependencies = [("sales", "0015_shift_lookups")]

    operations = [
        migrations.RunSQL(
            ADD + JOIN_MONTH.replace("{columns}", ADD_COLUMNS),
            DROP + JOIN_MONTH.replace("{columns}", COLUMNS_OF_BEFORE),
        ),
        migrations.AddField(
            model_name="order",
            name="voided_by",
            field=models.UUIDField(
                null=True, help_text="The decision that voided it: it was paid, and is reversed."
            ),
        ),
        migrations.AddField(
            model_name="helditem",
            name="decision_id",
            field=models.UUIDField(null=True, help_text="The decision by which it is held no more."),
        ),
        migrations.AddIndex(
            model_name="helditem",
            index=models.Index(
                fields=["id"], condition=Q(decision_id__isnull=True), name="sales_held_undecided"
            ),
        ),
        migrations.AddField(
            model_name="shift",
            name="ended_by",
            field=models.UUIDField(
                null=True, help_text="The decision that ended it, where the terminal never closed it."
            ),
        ),
        migrations.AddField(
            model_name="shift",
            name="recounted_methods",
            field=models.JSONField(
                null=True,
                help_text="Head office's last amounts by other payment methods, which stand before the close's.",
            ),
        ),
        migrations.AddField(
            model_name="shift",
            name="approval_id",
            field=models.UUIDField(null=True, help_text="The decision that approved it as it stands now."),
        ),
        migrations.CreateModel(
            name="DecidedMember",
            fields=[
                ("decision_id", models.UUIDField(primary_key=True, serialize=False)),
                ("batch_id", models.UUIDField()),
                ("what", models.CharField(max_length=8)),
                ("position", models.IntegerField()),
                ("item_id", models.UUIDField(help_text="The key of its identity.")),
                ("verb", models.CharField(max_length=16)),
                ("decided_at", models.DateTimeField()),
                ("order_id", models.UUIDField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["batch_id"], name="sales_decided_by_batch"),
                    models.Index(fields=["item_id"], name="sales_decided_by_item"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ExplainedNumbers",
            fields=[
                ("decision_id", models.UUIDField(primary_key=True, serialize=False)),
                ("first", models.BigIntegerField()),
                ("last", models.BigIntegerField()),
                (
                    "shift",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="sales.shift"
                    ),
                ),
                (
                    "terminal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="fleet.terminal"
                    ),
                ),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=Q(first__lte=F("last")), name="explained_in_order")],
                "indexes": [models.Index(fields=["terminal", "first"], name="sales_explained_by_terminal")],
            },
        ),
        migrations.RunSQL(GUARD, NO_GUARD),
    ]
