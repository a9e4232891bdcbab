"""The newest signed checkpoint of the books goes to whoever wants it with the summary of the morning."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("alerts", "0001_alerts")]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '3s'", migrations.RunSQL.noop),
        migrations.AddField(
            model_name="alertrecipient",
            name="checkpoint",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="For an auditor: a small signed file, to be kept where nobody who runs this service can reach it.",
                verbose_name="checkpoint of the books with the summary",
            ),
        ),
        migrations.AddField(
            model_name="alertmail",
            name="checkpoint",
            field=models.TextField(blank=True, db_default="", default="", help_text="A signed note that is attached."),
        ),
    ]
