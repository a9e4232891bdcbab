"""Card payments say of which store they are and when their order closed, so that a reference is looked for there only (ADR 24).

Older rows stay as they are: NULL in `store_id` says that a row is one of them. A month that was detached before gets the
columns when it comes back.
"""

from django.db import migrations, models

ADD = """
SET LOCAL lock_timeout = '3s';
ALTER TABLE sales_payment ADD COLUMN store_id integer, ADD COLUMN card_closed_at timestamptz;
"""
DROP = """
SET LOCAL lock_timeout = '3s';
ALTER TABLE sales_payment DROP COLUMN card_closed_at, DROP COLUMN store_id;
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
ADD_COLUMNS = """
    -- A month that was detached before these columns were there gets them now.
    EXECUTE format('ALTER TABLE sales_payment_%s ADD COLUMN IF NOT EXISTS store_id integer, ADD COLUMN IF NOT EXISTS card_closed_at timestamptz', suffix);"""


class Migration(migrations.Migration):
    dependencies = [("sales", "0009_awaited_indexes")]

    operations = [
        migrations.RunSQL(
            ADD + JOIN_MONTH.replace("{columns}", ADD_COLUMNS), DROP + JOIN_MONTH.replace("{columns}", "")
        ),
        migrations.AddField(
            model_name="payment",
            name="store_id",
            field=models.IntegerField(null=True, help_text="NULL in rows from before there was this column."),
        ),
        migrations.AddField(
            model_name="payment",
            name="card_closed_at",
            field=models.DateTimeField(
                null=True, help_text="When its order closed, where its reference is compared with others'."
            ),
        ),
    ]
