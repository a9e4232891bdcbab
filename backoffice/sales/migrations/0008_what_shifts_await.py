"""What a closing shift waits for, so that a batch finds the shifts that it concerns without reading the others (ADR 24).

NULL in both says that it is not known yet: the version before does not fill them, and the catch-up finds those shifts.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sales", "0007_posted_range")]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '3s'", "SET LOCAL lock_timeout = '3s'"),
        migrations.AddField(
            model_name="shift",
            name="awaits_number",
            field=models.BigIntegerField(null=True, help_text="While it is closing: the first number that is missing."),
        ),
        migrations.AddField(
            model_name="shift",
            name="awaits_batch",
            field=models.UUIDField(null=True, help_text="While it is closing: the first declared batch that is missing."),
        ),
    ]
