"""What was sold by day, kept for reports. It begins empty: `rebuild_reports` fills it, and reports are right without it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [("sales", "0016_what_is_decided"), ("ledger", "0007_entries_of_decisions")]

    operations = [
        migrations.CreateModel(
            name="DayFigure",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("store_id", models.IntegerField()),
                ("business_date", models.DateField()),
                ("currency", models.CharField(max_length=3)),
                ("cashier", models.CharField(max_length=64)),
                ("figure", models.CharField(max_length=16)),
                ("code", models.CharField(max_length=64)),
                ("rate", models.CharField(max_length=64)),
                ("number", models.BigIntegerField()),
                ("net", models.BigIntegerField()),
                ("tax", models.BigIntegerField()),
                ("amount", models.BigIntegerField()),
            ],
            options={"indexes": [models.Index(fields=["store_id", "business_date"], name="reports_figure_of_day")]},
        ),
        migrations.CreateModel(
            name="KeptDay",
            fields=[
                ("pk", models.CompositePrimaryKey("store_id", "business_date", blank=True, editable=False, primary_key=True, serialize=False)),
                ("store_id", models.IntegerField()),
                ("business_date", models.DateField()),
            ],
        ),
        migrations.CreateModel(
            name="KeptMark",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("xid", models.BigIntegerField(default=0)),
            ],
            options={"constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="one_kept_mark")]},
        ),
        migrations.RunSQL("INSERT INTO reports_keptmark (id, xid) VALUES (1, 0)", migrations.RunSQL.noop),
    ]
