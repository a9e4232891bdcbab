"""Orders, lines and payments, range-partitioned by business month, and the function that makes a month."""

from django.db import migrations

CREATE_TABLES = """
CREATE TABLE sales_order (
    id bigint NOT NULL,
    business_date date NOT NULL,
    store_id integer NOT NULL,
    terminal_id integer NOT NULL,
    shift_id uuid NOT NULL,
    batch_id uuid NOT NULL,
    position integer NOT NULL,
    order_id uuid NOT NULL,
    number bigint NOT NULL,
    mode text NOT NULL CONSTRAINT order_mode_known CHECK (mode IN ('online', 'offline')),
    kind text NOT NULL CONSTRAINT order_kind_known CHECK (kind IN ('sale', 'refund')),
    status text NOT NULL CONSTRAINT order_status_known CHECK (status IN ('paid', 'voided', 'training')),
    type text,
    opened_at timestamptz NOT NULL,
    closed_at timestamptz NOT NULL,
    cashier text NOT NULL,
    customer jsonb,
    printed_to text NOT NULL,
    refund_of uuid,
    note text NOT NULL,
    currency text NOT NULL,
    tax bigint NOT NULL,
    rounding bigint NOT NULL,
    total bigint NOT NULL,
    tip bigint NOT NULL,
    flags jsonb,
    received_at timestamptz NOT NULL,
    posted_at timestamptz NOT NULL,
    PRIMARY KEY (id, business_date)
) PARTITION BY RANGE (business_date);
CREATE INDEX sales_order_by_shift ON sales_order (shift_id);

CREATE TABLE sales_orderline (
    order_id bigint NOT NULL,
    position smallint NOT NULL,
    business_date date NOT NULL,
    kind text NOT NULL,
    sku text NOT NULL,
    name text NOT NULL,
    quantity numeric NOT NULL,
    unit_price numeric NOT NULL,
    discount bigint NOT NULL,
    amount bigint NOT NULL,
    taxes jsonb NOT NULL,
    PRIMARY KEY (order_id, position, business_date)
) PARTITION BY RANGE (business_date);

CREATE TABLE sales_payment (
    order_id bigint NOT NULL,
    position smallint NOT NULL,
    business_date date NOT NULL,
    method text NOT NULL,
    amount bigint NOT NULL,
    tendered bigint,
    change bigint,
    reference text NOT NULL,
    PRIMARY KEY (order_id, position, business_date)
) PARTITION BY RANGE (business_date);
"""

# Lines and payments refer to their order leaf to leaf: a foreign key between the parents costs twice as much on every
# insert, and a month could no longer be detached.
CREATE_FUNCTIONS = """
CREATE FUNCTION sales_refer_to_orders(suffix text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE sales_orderline_%1$s ADD CONSTRAINT orderline_of_order_%1$s FOREIGN KEY (order_id, business_date) REFERENCES sales_order_%1$s (id, business_date)', suffix);
    EXECUTE format('ALTER TABLE sales_payment_%1$s ADD CONSTRAINT payment_of_order_%1$s FOREIGN KEY (order_id, business_date) REFERENCES sales_order_%1$s (id, business_date)', suffix);
END $$;

-- Makes the partitions of the month that holds `day`, unless they are there. Says whether it made them.
CREATE FUNCTION sales_create_month(day date) RETURNS boolean LANGUAGE plpgsql AS $$
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

CREATE TABLE sales_order_default PARTITION OF sales_order DEFAULT;
CREATE TABLE sales_orderline_default PARTITION OF sales_orderline DEFAULT;
CREATE TABLE sales_payment_default PARTITION OF sales_payment DEFAULT;
SELECT sales_refer_to_orders('default');
SELECT sales_create_month((date_trunc('month', now()) + make_interval(months => m))::date) FROM generate_series(-1, 3) AS m;
"""

DROP = """
DROP TABLE sales_payment, sales_orderline, sales_order;
DROP FUNCTION sales_create_month(date);
DROP FUNCTION sales_refer_to_orders(text);
"""


class Migration(migrations.Migration):
    dependencies = [("sales", "0001_initial")]

    operations = [
        migrations.RunSQL(CREATE_TABLES + CREATE_FUNCTIONS, DROP),
        migrations.RunSQL(
            "ALTER TABLE sales_identity ALTER COLUMN version SET DEFAULT 0",
            "ALTER TABLE sales_identity ALTER COLUMN version DROP DEFAULT",
        ),
    ]
