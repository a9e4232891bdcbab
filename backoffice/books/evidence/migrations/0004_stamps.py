"""Time stamps (RFC 3161) of checkpoints: rows that are only ever added, and the try that is being made."""

import django.db.models.deletion
from django.db import migrations, models

GUARD = "SELECT ledger_guard_append_only('evidence_stamp')"


class Migration(migrations.Migration):
    dependencies = [("evidence", "0003_trail")]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '3s'", migrations.RunSQL.noop),
        migrations.CreateModel(
            name="Stamp",
            fields=[
                (
                    "checkpoint",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name="+", serialize=False, to="evidence.checkpoint"
                    ),
                ),
                ("reply", models.BinaryField(help_text="What the authority answered: a TimeStampResp in DER.")),
                ("authority", models.CharField(max_length=200)),
                ("stamped_at", models.DateTimeField(help_text="By the authority's clock.")),
            ],
        ),
        migrations.CreateModel(
            name="StampTry",
            fields=[
                (
                    "checkpoint",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name="+", serialize=False, to="evidence.checkpoint"
                    ),
                ),
                ("began_at", models.DateTimeField()),
                ("due_at", models.DateTimeField()),
                ("error", models.CharField(max_length=300)),
            ],
        ),
        migrations.RunSQL(GUARD, migrations.RunSQL.noop),
    ]
