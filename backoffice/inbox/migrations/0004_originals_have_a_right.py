"""What tills sent, as it is stored, is read by who has a right to it. No table changes."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("inbox", "0003_card_flags")]

    operations = [
        migrations.AlterModelOptions(
            name="batch",
            options={
                "verbose_name_plural": "batches",
                "permissions": [("view_original", "Can read what tills sent, as it is stored")],
            },
        )
    ]
