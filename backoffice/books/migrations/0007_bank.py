"""What the bank received, and change from it: the verbs and their reasons."""

from django.db import migrations, models

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


def create_reasons(apps, schema_editor):
    reason_code = apps.get_model("books", "ReasonCode")
    reason_code.objects.using(schema_editor.connection.alias).bulk_create(
        reason_code(verb=verb, code=code, title=title, needs_note=needs_note)
        for verb, code, title, needs_note in REASONS
    )


def delete_reasons(apps, schema_editor):
    reason_code = apps.get_model("books", "ReasonCode")
    verbs = {verb for verb, *_ in REASONS}
    reason_code.objects.using(schema_editor.connection.alias).filter(verb__in=verbs).delete()


class Migration(migrations.Migration):
    dependencies = [("books", "0006_notes"), ("ledger", "0009_bank")]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '3s'", "SET LOCAL lock_timeout = '3s'"),
        migrations.AlterField("ReasonCode", "verb", models.CharField(choices=[(v, v) for v in VERBS], max_length=16)),
        migrations.AlterField("Decision", "verb", models.CharField(choices=[(v, v) for v in VERBS], max_length=16)),
        migrations.RunPython(create_reasons, delete_reasons),
    ]
