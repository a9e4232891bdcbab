"""Terminals are found by their name, however it is spelled."""

from django.db import migrations, models
from django.db.models.functions import Upper


class Migration(migrations.Migration):
    dependencies = [("fleet", "0010_store_days")]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '3s'", "SET LOCAL lock_timeout = '3s'"),
        migrations.AddIndex("Terminal", models.Index(Upper("name"), name="fleet_terminal_by_name")),
    ]
