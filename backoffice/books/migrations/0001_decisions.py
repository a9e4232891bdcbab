"""Decisions and the answers to them, which are only ever added; reason codes to begin with; claims."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

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
]
SUBJECTS = [
    ("held", "a held order or cash movement"),
    ("order", "a posted order"),
    ("shift", "a shift"),
    ("store", "a store"),
]
ANSWERS = [("agreed", "agreed"), ("declined", "declined"), ("withdrawn", "withdrawn")]
NOTE, SECOND = "a note", "a second person"
# Verb, code, title, what it needs. Head office adds its own, and puts away what it does not use.
REASONS = [
    ("post", "identity-only", "Only its identifier or its number was in the way", ()),
    ("post", "accounts-mapped", "What it could not be posted to is mapped now", ()),
    ("post", "checked-with-store", "The store says that it is right as it is", (NOTE,)),
    ("correct", "keyed-wrongly", "It was keyed wrongly", ()),
    ("correct", "till-fault", "The till got it wrong", ()),
    ("correct", "other", "Another reason", (NOTE, SECOND)),
    ("discard", "duplicate", "It is in the books under another identifier", ()),
    ("discard", "never-a-sale", "It never was a sale", (NOTE,)),
    ("discard", "test", "It was a test", ()),
    ("move", "wrong-shift", "It belongs to another shift", ()),
    ("void", "sold-twice", "The same sale is in the books twice", ()),
    ("void", "never-a-sale", "It never was a sale", (NOTE,)),
    ("void", "other", "Another reason", (NOTE, SECOND)),
    ("retender", "keyed-wrongly", "The wrong payment method was keyed", ()),
    ("retender", "declined", "The payment was declined afterwards", ()),
    ("retender", "other", "Another reason", (NOTE, SECOND)),
    ("explain", "skipped", "The till skipped the number", ()),
    ("explain", "cancelled", "It was cancelled before it was paid", ()),
    ("explain", "till-replaced", "The till was replaced, and its counter went on", ()),
    ("explain", "other", "Another reason", (NOTE, SECOND)),
    ("enter", "till-lost", "The till is lost or stolen", ()),
    ("enter", "till-broken", "The till is broken, and its cache with it", ()),
    ("enter", "other", "Another reason", (NOTE,)),
    ("recount", "closed-blind", "The shift was closed without a count", ()),
    ("recount", "miscounted", "The count before was wrong", ()),
    ("recount", "other", "Another reason", (NOTE,)),
    ("end", "till-lost", "The till is lost or stolen", ()),
    ("end", "till-broken", "The till is broken", ()),
    ("end", "forgotten", "Nobody closed it", ()),
    ("approve", "agrees", "It agrees", ()),
    ("approve", "difference-explained", "The difference is explained", (NOTE,)),
    ("approve", "difference-accepted", "The difference is accepted", (NOTE,)),
    ("count-safe", "daily", "The daily count", ()),
    ("count-safe", "other", "Another count", (NOTE,)),
    ("bank", "deposit", "Brought to the bank", ()),
    ("bank", "collected", "Collected by a carrier", ()),
]

GUARDS = """
CREATE FUNCTION books_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on %: what was decided stays, another decision may follow', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'decisions_are_append_only';
END $$;
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON books_decision FOR EACH STATEMENT EXECUTE FUNCTION books_refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON books_decision FOR EACH STATEMENT EXECUTE FUNCTION books_refuse_change();
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON books_decisionanswer FOR EACH STATEMENT EXECUTE FUNCTION books_refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON books_decisionanswer FOR EACH STATEMENT EXECUTE FUNCTION books_refuse_change();

-- Agreed or declined by another person than the one who asked, withdrawn by the one who did; and only what was asked.
CREATE FUNCTION books_check_answer() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    asked record;
BEGIN
    SELECT person_id, needs_second_person INTO asked FROM books_decision WHERE id = NEW.decision_id;
    IF NOT asked.needs_second_person THEN
        RAISE EXCEPTION 'decision % needed nobody else', NEW.decision_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'answer_to_a_request';
    END IF;
    IF (NEW.person_id = asked.person_id) <> (NEW.answer = 'withdrawn') THEN
        RAISE EXCEPTION 'decision % was asked for by person %: % by person %',
            NEW.decision_id, asked.person_id, NEW.answer, NEW.person_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'nobody_agrees_to_their_own';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER check_answer BEFORE INSERT ON books_decisionanswer FOR EACH ROW EXECUTE FUNCTION books_check_answer();
"""
NO_GUARDS = """
DROP TRIGGER check_answer ON books_decisionanswer;
DROP TRIGGER refuse_change ON books_decisionanswer;
DROP TRIGGER refuse_truncate ON books_decisionanswer;
DROP TRIGGER refuse_change ON books_decision;
DROP TRIGGER refuse_truncate ON books_decision;
DROP FUNCTION books_check_answer();
DROP FUNCTION books_refuse_change();
"""


def create_reasons(apps, schema_editor):
    reason_code = apps.get_model("books", "ReasonCode")
    reason_code.objects.using(schema_editor.connection.alias).bulk_create(
        reason_code(
            verb=verb, code=code, title=title, needs_note=NOTE in needs, needs_second_person=SECOND in needs
        )
        for verb, code, title, needs in REASONS
    )


def person(**how):
    return models.ForeignKey(related_name="+", to=settings.AUTH_USER_MODEL, **how)


PROTECT = django.db.models.deletion.PROTECT
CASCADE = django.db.models.deletion.CASCADE


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("fleet", "0007_second_person"),
        ("sales", "0016_what_is_decided"),
    ]

    operations = [
        migrations.CreateModel(
            name="ReasonCode",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("verb", models.CharField(choices=[(verb, verb) for verb in VERBS], max_length=16)),
                ("code", models.SlugField(max_length=40)),
                ("title", models.CharField(max_length=200)),
                ("needs_note", models.BooleanField(default=False)),
                ("needs_second_person", models.BooleanField(default=False)),
                ("is_active", models.BooleanField(default=True)),
                (
                    "group",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=PROTECT, related_name="+", to="auth.group"
                    ),
                ),
            ],
            options={
                "ordering": ["verb", "code"],
                "constraints": [
                    models.UniqueConstraint(fields=("verb", "code"), name="one_reason_per_verb_and_code")
                ],
            },
        ),
        migrations.CreateModel(
            name="Decision",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("verb", models.CharField(choices=[(verb, verb) for verb in VERBS], max_length=16)),
                ("about", models.CharField(choices=SUBJECTS, max_length=8)),
                ("subject", models.CharField(max_length=80)),
                ("shift_id", models.UUIDField(null=True)),
                ("asked_at", models.DateTimeField()),
                (
                    "address",
                    models.GenericIPAddressField(
                        help_text="Where the request came from; none for a command.", null=True
                    ),
                ),
                ("reason", models.CharField(max_length=40)),
                ("note", models.CharField(blank=True, max_length=500)),
                ("arguments", models.JSONField(help_text="What was asked for beside the subject.")),
                ("before", models.JSONField()),
                ("after", models.JSONField(null=True)),
                ("amount", models.BigIntegerField(help_text="What was at stake, in minor units.", null=True)),
                ("request_id", models.UUIDField(help_text="One for everything that was decided in one go.")),
                ("needs_second_person", models.BooleanField()),
                ("fingerprint", models.BinaryField(max_length=32)),
                ("person", person(on_delete=PROTECT)),
                (
                    "store",
                    models.ForeignKey(on_delete=PROTECT, related_name="+", to="fleet.store"),
                ),
            ],
            options={
                "permissions": [
                    ("decide_held", "Can decide what is held"),
                    ("decide_order", "Can void and retender posted orders"),
                    ("decide_numbers", "Can explain missing numbers and enter orders by hand"),
                    ("decide_shift", "Can recount, end and approve shifts"),
                    ("decide_safe", "Can count the safe and bank"),
                ],
                "indexes": [
                    models.Index(fields=["about", "subject"], name="books_decision_by_subject"),
                    models.Index(fields=["asked_at"], name="books_decision_by_time"),
                    models.Index(fields=["request_id"], name="books_decision_by_request"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(needs_second_person=True, after__isnull=True)
                        | Q(needs_second_person=False, after__isnull=False),
                        name="decision_has_its_effect",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="DecisionAnswer",
            fields=[
                (
                    "decision",
                    models.OneToOneField(
                        on_delete=PROTECT,
                        primary_key=True,
                        related_name="answer",
                        serialize=False,
                        to="books.decision",
                    ),
                ),
                ("answer", models.CharField(choices=ANSWERS, max_length=9)),
                ("answered_at", models.DateTimeField()),
                ("address", models.GenericIPAddressField(null=True)),
                ("note", models.CharField(blank=True, max_length=500)),
                ("after", models.JSONField(null=True)),
                ("person", person(on_delete=PROTECT)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(answer="agreed", after__isnull=False)
                        | (~Q(answer="agreed") & Q(after__isnull=True)),
                        name="answer_has_its_effect",
                    ),
                    models.CheckConstraint(
                        condition=~Q(answer="declined") | ~Q(note=""), name="declined_with_a_note"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HeldClaim",
            fields=[
                (
                    "held",
                    models.OneToOneField(
                        on_delete=CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="sales.helditem",
                    ),
                ),
                ("until", models.DateTimeField()),
                ("person", person(on_delete=CASCADE)),
            ],
        ),
        migrations.RunSQL(GUARDS, NO_GUARDS),
        migrations.RunPython(create_reasons, migrations.RunPython.noop),
    ]
