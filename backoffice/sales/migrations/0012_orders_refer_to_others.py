"""Orders say which order they adjust, and lines what they give back; both are NULL where they say nothing, as before.

What is remembered of an order says which versions of content hashes there were when it came: NULL of what the version
before stored, which is compared as it was then (ADR 27). An order may wait for several others. A month that was detached
before gets the columns when it comes back.
"""

from django.db import migrations, models

ADD = """
SET LOCAL lock_timeout = '3s';
ALTER TABLE sales_order ADD COLUMN adjusts uuid, ADD COLUMN lines_refund jsonb;
ALTER TABLE sales_orderline ADD COLUMN refund_of uuid;
"""
DROP = """
SET LOCAL lock_timeout = '3s';
ALTER TABLE sales_orderline DROP COLUMN refund_of;
ALTER TABLE sales_order DROP COLUMN lines_refund, DROP COLUMN adjusts;
"""

AWAIT_MANY = """
ALTER TABLE sales_awaitedoriginal DROP CONSTRAINT sales_awaitedoriginal_pkey,
    ADD CONSTRAINT sales_awaitedoriginal_pkey PRIMARY KEY (refund_id, refund_of);
"""
AWAIT_ONE = """
DELETE FROM sales_awaitedoriginal a USING sales_awaitedoriginal b WHERE a.refund_id = b.refund_id AND a.refund_of > b.refund_of;
ALTER TABLE sales_awaitedoriginal DROP CONSTRAINT sales_awaitedoriginal_pkey,
    ADD CONSTRAINT sales_awaitedoriginal_pkey PRIMARY KEY (refund_id);
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
    EXECUTE format('ALTER TABLE sales_payment_%s ADD COLUMN IF NOT EXISTS store_id integer, ADD COLUMN IF NOT EXISTS card_closed_at timestamptz', suffix);"""
ADD_COLUMNS = (
    COLUMNS_OF_BEFORE
    + """
    EXECUTE format('ALTER TABLE sales_order_%s ADD COLUMN IF NOT EXISTS adjusts uuid, ADD COLUMN IF NOT EXISTS lines_refund jsonb', suffix);
    EXECUTE format('ALTER TABLE sales_orderline_%s ADD COLUMN IF NOT EXISTS refund_of uuid', suffix);"""
)


class Migration(migrations.Migration):
    dependencies = [("sales", "0011_compared_payments_indexes")]

    operations = [
        migrations.RunSQL(
            ADD + JOIN_MONTH.replace("{columns}", ADD_COLUMNS),
            DROP + JOIN_MONTH.replace("{columns}", COLUMNS_OF_BEFORE),
        ),
        migrations.AddField(
            model_name="order",
            name="adjusts",
            field=models.UUIDField(null=True, help_text="The order whose payment or tip this one changes."),
        ),
        migrations.AddField(
            model_name="order",
            name="lines_refund",
            field=models.JSONField(null=True, help_text="What its lines give back, where they name any: each once."),
        ),
        migrations.AddField(
            model_name="orderline",
            name="refund_of",
            field=models.UUIDField(null=True, help_text="What this line gives back, where it is not its order's own."),
        ),
        migrations.AddField(
            model_name="identity",
            name="hash_version",
            field=models.SmallIntegerField(
                null=True,
                help_text="The newest version of content hashes when it came; NULL from before there was a second.",
            ),
        ),
        migrations.SeparateDatabaseAndState(
            [migrations.RunSQL(AWAIT_MANY, AWAIT_ONE)],
            [
                migrations.AlterField("awaitedoriginal", "refund_id", models.BigIntegerField()),
                migrations.AddField(
                    "awaitedoriginal",
                    "pk",
                    models.CompositePrimaryKey(
                        "refund_id", "refund_of", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
            ],
        ),
    ]
