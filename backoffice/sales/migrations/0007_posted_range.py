"""The model of `sales_posting` gets a name that the ledger does not use for something else. No table is touched."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("sales", "0006_shifts_by_state")]

    operations = [
        migrations.AlterModelTable(name="posting", table="sales_posting"),
        migrations.RenameModel(old_name="Posting", new_name="PostedRange"),
    ]
