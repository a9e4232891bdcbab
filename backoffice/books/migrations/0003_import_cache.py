"""What a terminal that died could not send is taken in from a file: the verb, its reasons, and the files that are kept."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

from backoffice.books.first_reasons import give_reasons

VERBS = [
    "post",
    "correct",
    "discard",
    "move",
    "void",
    "retender",
    "explain",
    "enter",
    "recount",
    "end",
    "approve",
    "count-safe",
    "bank",
    "lock",
    "unlock",
    "import-cache",
]
SUBJECTS = [
    ("held", "a held order or cash movement"),
    ("order", "a posted order"),
    ("shift", "a shift"),
    ("store", "a store"),
    ("terminal", "a terminal"),
]
# Code, title, whether it needs a note.
REASONS = [
    ("till-dead", "The till is dead or dying", False),
    ("till-stolen", "The till was lost or stolen, and its disk was found", True),
    ("till-replaced", "Another till took its place before it had sent everything", False),
    ("other", "Another reason", True),
]

GUARDS = """
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON books_cachefile FOR EACH STATEMENT EXECUTE FUNCTION books_refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON books_cachefile FOR EACH STATEMENT EXECUTE FUNCTION books_refuse_change();
"""
NO_GUARDS = """
DROP TRIGGER refuse_change ON books_cachefile;
DROP TRIGGER refuse_truncate ON books_cachefile;
"""


class Migration(migrations.Migration):
    dependencies = [("books", "0002_periods"), ("fleet", "0008_cache_keys")]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '3s'", "SET LOCAL lock_timeout = '3s'"),
        migrations.AlterField("ReasonCode", "verb", models.CharField(choices=[(v, v) for v in VERBS], max_length=16)),
        migrations.AlterField("Decision", "verb", models.CharField(choices=[(v, v) for v in VERBS], max_length=16)),
        migrations.AlterField("Decision", "about", models.CharField(choices=SUBJECTS, max_length=8)),
        migrations.AlterModelOptions(
            name="decision",
            options={
                "permissions": [
                    ("decide_held", "Can decide what is held"),
                    ("decide_order", "Can void and retender posted orders"),
                    ("decide_numbers", "Can explain missing numbers and enter orders by hand"),
                    ("decide_shift", "Can recount, end and approve shifts"),
                    ("decide_safe", "Can count the safe and bank"),
                    ("decide_period", "Can lock and unlock a store's books"),
                    ("decide_terminal", "Can take in the cache of a terminal that died"),
                ]
            },
        ),
        migrations.CreateModel(
            name="CacheFile",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("digest", models.BinaryField(max_length=32, unique=True)),
                ("saved_at", models.DateTimeField(help_text="By the device's clock.")),
                ("kept_at", models.DateTimeField()),
                ("content", models.BinaryField(help_text="zlib")),
                (
                    "terminal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="fleet.terminal"
                    ),
                ),
                (
                    "signed_with",
                    models.BinaryField(help_text="The key of one of its terminal's credentials.", max_length=32),
                ),
            ],
        ),
        migrations.RunSQL(GUARDS, NO_GUARDS),
        give_reasons([("import-cache", *reason) for reason in REASONS]),
    ]
