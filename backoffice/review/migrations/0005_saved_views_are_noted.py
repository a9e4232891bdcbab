"""What people keep of a list, and show to others, is noted as all is that they can change."""

from django.db import migrations

from backoffice.trail.watching import watch_table

USER = "SELECT username FROM auth_user WHERE id = $1::integer"
STORE = "SELECT code FROM fleet_store WHERE id = $1::integer"


class Migration(migrations.Migration):
    dependencies = [("review", "0004_who_reads_originals"), ("trail", "0003_by_store")]

    operations = [
        watch_table(
            "review_savedview",
            about="saved view",
            title=["name"],
            store="store_id",
            leave_out=["id", "made_at"],
            names={"person_id": USER, "store_id": STORE},
        ),
    ]
