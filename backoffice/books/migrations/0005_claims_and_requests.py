"""Since when somebody is at work on a held order; and an index by which requests for a second person are found."""

from django.db import migrations, models
from django.db.models import Q
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [("books", "0004_people")]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '3s'", "SET LOCAL lock_timeout = '3s'"),
        migrations.AddField("HeldClaim", "since", models.DateTimeField(db_default=Now())),
        migrations.AddIndex(
            "Decision",
            models.Index(fields=["asked_at"], condition=Q(needs_second_person=True), name="books_decision_asked"),
        ),
    ]
