"""The list of shifts in one state: few are approved, and they were looked for among all. Made without holding up traffic."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("sales", "0005_months_join_and_leave")]

    operations = [
        AddIndexConcurrently(
            model_name="shift",
            index=models.Index(fields=["state", "opened_at"], name="sales_shift_by_state"),
        ),
    ]
