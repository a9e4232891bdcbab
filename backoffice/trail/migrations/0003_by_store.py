"""The index by which somebody who is bound to stores reads what is noted of these. Made without holding up traffic."""

from django.db import migrations

CREATE = "CREATE INDEX CONCURRENTLY trail_by_store ON trail_entry (store_id, id) WHERE store_id IS NOT NULL"
DROP = "DROP INDEX CONCURRENTLY IF EXISTS trail_by_store"


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("trail", "0002_decisions_and_exports")]

    # Dropped first: one that was interrupted has left an index that is not valid.
    operations = [migrations.RunSQL([DROP, CREATE], DROP)]
