"""What checks the signature of a terminal's cache files. NULL where the token was last used before: it is filled in at its next use."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("fleet", "0007_second_person")]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '3s'", "SET LOCAL lock_timeout = '3s'"),
        migrations.AddField(
            model_name="credential",
            name="cache_key",
            field=models.BinaryField(
                help_text="What checks the signature of its cache files. Empty where the token was last used before there were any.",
                max_length=32,
                null=True,
            ),
        ),
    ]
