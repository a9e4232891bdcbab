"""A month takes its rows out of the default partition when it is made, and can leave the tables and come back."""

from django.db import migrations, models

CREATE = """
-- What fell into the default partition: orders by their month.
CREATE FUNCTION sales_default_months() RETURNS TABLE (month date, row_count bigint) LANGUAGE sql STABLE AS $$
    SELECT date_trunc('month', business_date)::date, count(*) FROM sales_order_default GROUP BY 1 ORDER BY 1
$$;

-- Attaches the month's tables, with what the default partition holds of that month moved into them. Nobody can write there
-- meanwhile: the lock is the one that attaching needs anyway. The check spares attaching a scan under that lock.
CREATE FUNCTION sales_join_month(day date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    first_day date := date_trunc('month', day)::date;
    next_month date := (date_trunc('month', day) + interval '1 month')::date;
    suffix text := to_char(day, 'YYYYMM');
    parents text[] := ARRAY['sales_order', 'sales_orderline', 'sales_payment'];
    parent text;
BEGIN
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

-- Takes the month's tables out of the parents; they stay beside them, with all they hold.
CREATE FUNCTION sales_leave_month(day date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    parent text;
BEGIN
    FOREACH parent IN ARRAY ARRAY['sales_order', 'sales_orderline', 'sales_payment'] LOOP
        EXECUTE format('ALTER TABLE %1$s DETACH PARTITION %1$s_%2$s', parent, to_char(day, 'YYYYMM'));
    END LOOP;
END $$;

-- Makes the partitions of the month that holds `day`, unless they are there. Says whether it made them.
CREATE OR REPLACE FUNCTION sales_create_month(day date) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    suffix text := to_char(day, 'YYYYMM');
    parent text;
BEGIN
    IF to_regclass('sales_order_' || suffix) IS NOT NULL THEN
        RETURN false;
    END IF;
    FOREACH parent IN ARRAY ARRAY['sales_order', 'sales_orderline', 'sales_payment'] LOOP
        EXECUTE format('CREATE TABLE %1$s_%2$s (LIKE %1$s INCLUDING ALL)', parent, suffix);
    END LOOP;
    PERFORM sales_join_month(day);
    PERFORM sales_refer_to_orders(suffix);
    RETURN true;
END $$;
"""

RESTORE = """
CREATE OR REPLACE FUNCTION sales_create_month(day date) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    first_day date := date_trunc('month', day)::date;
    suffix text := to_char(day, 'YYYYMM');
    parent text;
BEGIN
    IF to_regclass('sales_order_' || suffix) IS NOT NULL THEN
        RETURN false;
    END IF;
    FOREACH parent IN ARRAY ARRAY['sales_order', 'sales_orderline', 'sales_payment'] LOOP
        EXECUTE format('CREATE TABLE %1$s_%2$s (LIKE %1$s INCLUDING ALL)', parent, suffix);
        EXECUTE format('ALTER TABLE %1$s ATTACH PARTITION %1$s_%2$s FOR VALUES FROM (%3$L) TO (%4$L)', parent, suffix, first_day, (first_day + interval '1 month')::date);
    END LOOP;
    PERFORM sales_refer_to_orders(suffix);
    RETURN true;
END $$;
DROP FUNCTION sales_leave_month(date);
DROP FUNCTION sales_join_month(date);
DROP FUNCTION sales_default_months();
"""


class Migration(migrations.Migration):
    dependencies = [("sales", "0004_awaited_originals")]

    operations = [
        migrations.RunSQL(CREATE, RESTORE),
        migrations.CreateModel(
            name="DetachedMonth",
            fields=[
                ("first_day", models.DateField(primary_key=True, serialize=False)),
                ("last_day", models.DateField()),
                ("detached_at", models.DateTimeField()),
            ],
        ),
    ]
