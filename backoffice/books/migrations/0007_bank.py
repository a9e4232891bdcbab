"""What the bank received, and change from it: the verbs and their reasons."""

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
    "bank-received",
    "bank-change",
    "lock",
    "unlock",
    "import-cache",
]
# Verb, code, title, whether it needs a note.
REASONS = [
    ("bank-received", "statement", "It is on the bank's statement", False),
    ("bank-received", "counted-otherwise", "The bank counted another amount", True),
    ("bank-received", "other", "Another reason", True),
    ("bank-change", "fetched", "Fetched from the bank", False),
    ("bank-change", "delivered", "Delivered by a carrier", False),
]


class Migration(migrations.Migration):
    dependencies = [("books", "0006_notes"), ("ledger", "0009_bank")]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '3s'", "SET LOCAL lock_timeout = '3s'"),
        migrations.AlterField("ReasonCode", "verb", models.CharField(choices=[(v, v) for v in VERBS], max_length=16)),
        migrations.AlterField("Decision", "verb", models.CharField(choices=[(v, v) for v in VERBS], max_length=16)),
        give_reasons(REASONS),
    ]
