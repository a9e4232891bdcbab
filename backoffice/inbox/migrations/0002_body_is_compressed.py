"""The body is compressed already: PostgreSQL need not try again on every insert."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("inbox", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE inbox_batch ALTER COLUMN body SET STORAGE EXTERNAL",
            "ALTER TABLE inbox_batch ALTER COLUMN body SET STORAGE EXTENDED",
        )
    ]
