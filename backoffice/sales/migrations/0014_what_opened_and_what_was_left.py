"""What a shift opened with and what its close left: flags, the true time, the drawer, numbers carried over, Z (protocol §4, §6).

The version before lives with every column: it leaves them as they are here, and what it opens and closes is as before.
"""

import django.contrib.postgres.fields
from django.db import migrations, models


def column(name: str, field: models.Field) -> migrations.AddField:
    return migrations.AddField(model_name="shift", name=name, field=field)


class Migration(migrations.Migration):
    dependencies = [("sales", "0013_orders_refer_to_others_indexes")]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '3s'", "SET LOCAL lock_timeout = '3s'"),
        column(
            "opened_at_corrected",
            models.DateTimeField(
                null=True, help_text="Where the device's clock was known to be wrong: when it really opened."
            ),
        ),
        column("flags", models.JSONField(null=True, help_text="Reasons it was opened with.")),
        column(
            "drawer_at_opening",
            models.BigIntegerField(
                null=True, help_text="That balance, where it was not the opening float: an earlier shift still waited."
            ),
        ),
        column(
            "max_over_short",
            models.BigIntegerField(null=True, help_text="The store's when it closed: more is a difference."),
        ),
        column(
            "recounted",
            models.BigIntegerField(
                null=True, help_text="Head office's last count, which stands before the close's."
            ),
        ),
        column(
            "drawer_counts",
            models.IntegerField(default=0, db_default=0, help_text="How often its drawer was counted."),
        ),
        column(
            "awaits_count",
            models.BooleanField(default=False, db_default=False, help_text="Closed blind, and not counted yet."),
        ),
        column(
            "moved_to_safe",
            models.BigIntegerField(
                null=True, help_text="By its counts in all, where its close said what stays in the drawer."
            ),
        ),
        column(
            "carried_on",
            django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(),
                null=True,
                size=None,
                help_text="Open numbers that the terminal's next close must bring.",
            ),
        ),
        column(
            "carried_in",
            django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(),
                null=True,
                size=None,
                help_text="Those of the close before that this one must bring.",
            ),
        ),
        column(
            "z_number",
            models.BigIntegerField(
                null=True,
                help_text="Without a gap on its terminal; given when it first settles, from the version that had it.",
            ),
        ),
        migrations.AlterField(
            model_name="shift",
            name="business_date",
            field=models.DateField(help_text="The store-local date of opened_at, or of its corrected time."),
        ),
        migrations.AlterField(
            model_name="shift",
            name="opening_entry_id",
            field=models.BigIntegerField(help_text="The drawer's balance was known at this entry."),
        ),
    ]
