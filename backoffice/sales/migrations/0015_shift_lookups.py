"""The indexes by which an opening finds the last close and the numbers used. Made without holding up traffic."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q

MAKE_UNIQUE = """
CREATE UNIQUE INDEX CONCURRENTLY one_shift_per_z ON sales_shift (terminal_id, z_number) WHERE z_number IS NOT NULL
"""


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("sales", "0014_what_opened_and_what_was_left")]

    operations = [
        migrations.RunSQL(
            MAKE_UNIQUE,
            "DROP INDEX CONCURRENTLY one_shift_per_z",
            state_operations=[
                migrations.AddConstraint(
                    model_name="shift",
                    constraint=models.UniqueConstraint(
                        fields=["terminal", "z_number"], condition=Q(z_number__isnull=False), name="one_shift_per_z"
                    ),
                )
            ],
        ),
        AddIndexConcurrently(
            model_name="shift",
            index=models.Index(fields=["terminal", "number"], name="sales_shift_by_number"),
        ),
        AddIndexConcurrently(
            model_name="shift",
            index=models.Index(
                fields=["terminal", "close_received_at"],
                condition=Q(close_received_at__isnull=False),
                name="sales_shift_by_close",
            ),
        ),
        AddIndexConcurrently(
            model_name="shift",
            index=models.Index(fields=["terminal"], condition=Q(awaits_count=True), name="sales_shift_uncounted"),
        ),
        AddIndexConcurrently(
            model_name="helditem",
            index=models.Index(
                fields=["terminal", "number"], condition=Q(number__isnull=False), name="sales_held_by_number"
            ),
        ),
    ]
