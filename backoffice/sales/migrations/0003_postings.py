"""What the terminals of a store follow, and the indexes behind the flags that need other orders."""

from django.db import migrations, models

CREATE = """
CREATE TABLE sales_posting (
    store_id integer NOT NULL,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    first_id bigint NOT NULL,
    last_id bigint NOT NULL,
    batch_id uuid NOT NULL,
    business_date date NOT NULL,
    PRIMARY KEY (store_id, xid, first_id)
);
CREATE INDEX sales_order_refunds ON sales_order (refund_of) WHERE refund_of IS NOT NULL;
CREATE INDEX sales_payment_references ON sales_payment (reference) WHERE reference <> '';
"""

DROP = """
DROP INDEX sales_payment_references;
DROP INDEX sales_order_refunds;
DROP TABLE sales_posting;
"""


class Migration(migrations.Migration):
    dependencies = [("sales", "0002_partitioned_tables")]

    operations = [
        migrations.RunSQL(CREATE, DROP),
        migrations.CreateModel(
            name="Posting",
            fields=[
                ("pk", models.CompositePrimaryKey("store_id", "xid", "first_id", blank=True, editable=False, primary_key=True, serialize=False)),
                ("store_id", models.IntegerField()),
                ("xid", models.BigIntegerField(help_text="pg_current_xact_id(), xid8 in the table.")),
                ("first_id", models.BigIntegerField()),
                ("last_id", models.BigIntegerField()),
                ("batch_id", models.UUIDField()),
                ("business_date", models.DateField()),
            ],
            options={"managed": False},
        ),
    ]
