"""The audit trail is sealed too, from its first row."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("evidence", "0002_entries_by_transaction"), ("trail", "0001_trail")]

    operations = [
        migrations.RunSQL(
            "INSERT INTO evidence_sealmark (source, xid, row_id) VALUES ('trail', 0, 0)",
            "DELETE FROM evidence_sealmark WHERE source = 'trail'",
        )
    ]
