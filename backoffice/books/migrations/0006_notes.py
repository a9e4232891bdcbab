"""Notes on what the console shows: who wrote what, when, and what was taken back. Rows are only ever added."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

from backoffice.books.roles import ADMINISTRATORS, FLEET_MANAGERS, REVIEWERS, STORE_MANAGERS, give_rights

NOTED = [
    ("order", "a posted order"),
    ("shift", "a shift"),
    ("terminal", "a terminal"),
    ("held", "a held order or cash movement"),
    ("batch", "an upload"),
    ("decision", "a decision"),
    ("day", "a store day"),
]

GUARDS = """
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON books_note FOR EACH STATEMENT EXECUTE FUNCTION books_refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON books_note FOR EACH STATEMENT EXECUTE FUNCTION books_refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON books_notetakenback FOR EACH STATEMENT EXECUTE FUNCTION books_refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON books_notetakenback FOR EACH STATEMENT EXECUTE FUNCTION books_refuse_change();
"""
NO_GUARDS = """
DROP TRIGGER refuse_change ON books_note;
DROP TRIGGER refuse_truncate ON books_note;
DROP TRIGGER refuse_change ON books_notetakenback;
DROP TRIGGER refuse_truncate ON books_notetakenback;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("books", "0005_claims_and_requests"),
        ("fleet", "0011_terminals_by_name"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '3s'", "SET LOCAL lock_timeout = '3s'"),
        migrations.CreateModel(
            name="Note",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("about", models.CharField(choices=NOTED, max_length=8)),
                ("subject", models.CharField(max_length=80)),
                ("written_at", models.DateTimeField()),
                ("text", models.CharField(max_length=500)),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="fleet.store"),
                ),
            ],
            options={
                "default_permissions": ("add",),
                "indexes": [models.Index(fields=["about", "subject", "store"], name="books_note_by_subject")],
                "constraints": [models.CheckConstraint(condition=~Q(text=""), name="note_says_something")],
            },
        ),
        migrations.CreateModel(
            name="NoteTakenBack",
            fields=[
                (
                    "note",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="taken_back",
                        serialize=False,
                        to="books.note",
                    ),
                ),
                ("taken_back_at", models.DateTimeField()),
            ],
            options={"default_permissions": ()},
        ),
        migrations.RunSQL(GUARDS, NO_GUARDS),
        give_rights(
            {role: ["books.add_note"] for role in (REVIEWERS, FLEET_MANAGERS, STORE_MANAGERS, ADMINISTRATORS)}
        ),
    ]
