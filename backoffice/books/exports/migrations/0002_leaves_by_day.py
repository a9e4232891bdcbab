"""The index by which exports find the sealed entries of a store's day. Made without holding up the sealer."""

from django.db import migrations

MAKE = """
CREATE INDEX CONCURRENTLY IF NOT EXISTS evidence_entry_by_day
ON evidence_leaf (store_id, business_date, number) INCLUDE (row_id, day) WHERE kind = 'entry'
"""


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("exports", "0001_initial"), ("evidence", "0002_entries_by_transaction")]

    operations = [migrations.RunSQL(MAKE, "DROP INDEX CONCURRENTLY IF EXISTS evidence_entry_by_day")]
