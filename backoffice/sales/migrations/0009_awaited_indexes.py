"""The indexes by which a batch finds the shifts that wait for it, and heartbeats the next shift. Made without holding up traffic."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("sales", "0008_what_shifts_await")]

    operations = [
        AddIndexConcurrently(
            model_name="shift",
            index=models.Index(
                fields=["terminal", "awaits_number"],
                condition=Q(state="closing", awaits_number__isnull=False),
                name="sales_shift_by_awaited_number",
            ),
        ),
        AddIndexConcurrently(
            model_name="shift",
            index=models.Index(
                fields=["terminal", "awaits_batch", "awaits_number"],
                condition=Q(state="closing"),
                name="sales_shift_by_awaited_batch",
            ),
        ),
        AddIndexConcurrently(
            model_name="shift",
            index=models.Index(fields=["terminal", "first_number"], name="sales_shift_by_first_number"),
        ),
        AddIndexConcurrently(
            model_name="shift",
            index=models.Index(
                fields=["terminal", "first_number"], condition=Q(state="open"), name="sales_shift_still_open"
            ),
        ),
    ]
