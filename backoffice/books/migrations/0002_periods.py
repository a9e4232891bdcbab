"""Two verbs more: a store's books are locked and unlocked. With a right, and reasons to begin with."""

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
]
# Verb, code, title, whether it needs a note.
REASONS = [
    ("lock", "month-closed", "The month is closed", False),
    ("lock", "day-closed", "The day is closed", False),
    ("lock", "reported", "What is in it has been reported", False),
    ("lock", "other", "Another reason", True),
    ("unlock", "locked-by-mistake", "It was locked by mistake", False),
    ("unlock", "correction", "Something in it must be corrected", True),
    ("unlock", "other", "Another reason", True),
]


class Migration(migrations.Migration):
    dependencies = [("books", "0001_decisions"), ("ledger", "0008_locked_periods")]

    operations = [
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
                ]
            },
        ),
        migrations.AlterField(
            model_name="decision",
            name="verb",
            field=models.CharField(choices=[(verb, verb) for verb in VERBS], max_length=16),
        ),
        migrations.AlterField(
            model_name="reasoncode",
            name="verb",
            field=models.CharField(choices=[(verb, verb) for verb in VERBS], max_length=16),
        ),
        give_reasons(REASONS),
    ]
