"""What was decided, by whom and why. Rows are only ever added: see the guards in migration 0001."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from backoffice.domain.decisions import Verb

VERBS = [(verb.value, verb.value) for verb in Verb]
SUBJECTS = [
    ("held", "a held order or cash movement"),
    ("order", "a posted order"),
    ("shift", "a shift"),
    ("store", "a store"),
    ("terminal", "a terminal"),
]
NOTED = [
    ("order", "a posted order"),
    ("shift", "a shift"),
    ("terminal", "a terminal"),
    ("held", "a held order or cash movement"),
    ("batch", "an upload"),
    ("decision", "a decision"),
    ("day", "a store day"),
]
ANSWERS = [("agreed", "agreed"), ("declined", "declined"), ("withdrawn", "withdrawn")]
MAX_NOTE = 500


class ReasonCode(models.Model):
    """Why something may be decided. `group` names who may give it; empty, whoever may decide the verb."""

    verb = models.CharField(max_length=16, choices=VERBS)
    code = models.SlugField(max_length=40)
    title = models.CharField(max_length=200)
    needs_note = models.BooleanField(default=False)
    needs_second_person = models.BooleanField(default=False)
    group = models.ForeignKey("auth.Group", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["verb", "code"]
        constraints = [models.UniqueConstraint(fields=["verb", "code"], name="one_reason_per_verb_and_code")]

    def __str__(self) -> str:
        return f"{self.verb}: {self.title}"


class Membership(models.Model):
    """A person who is bound to stores: they see these, and decide about these, and no others. Without any, none.

    Who has no row here is bound to nothing, but for who may see their own stores only (`people.reach_of`).
    """

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="membership"
    )
    stores = models.ManyToManyField("fleet.Store", related_name="+", blank=True)

    class Meta:
        permissions = [
            ("own_stores_only", "Sees their own stores only, and none until some are given"),
            ("administer_people", "Can give every role and every store"),
        ]

    def __str__(self) -> str:
        return f"stores of {self.person_id}"


class Decision(models.Model):
    """Something that a person decided, or asks another to agree to.

    It has taken effect where it needed nobody else, or where its answer is `agreed`. `subject` is what it is about, in the
    words of the command; `before` is that as it stood then, and `fingerprint` the hash of it. `after` is what became of
    it; that of a request is with its answer.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    verb = models.CharField(max_length=16, choices=VERBS)
    about = models.CharField(max_length=8, choices=SUBJECTS)
    subject = models.CharField(max_length=80)
    store = models.ForeignKey("fleet.Store", on_delete=models.PROTECT, related_name="+")
    shift_id = models.UUIDField(null=True)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    address = models.GenericIPAddressField(null=True, help_text="Where the request came from; none for a command.")
    reason = models.CharField(max_length=40)
    note = models.CharField(max_length=MAX_NOTE, blank=True)
    arguments = models.JSONField(help_text="What was asked for beside the subject.")
    before = models.JSONField()
    after = models.JSONField(null=True)
    amount = models.BigIntegerField(null=True, help_text="What was at stake, in minor units.")
    request_id = models.UUIDField(help_text="One for everything that was decided in one go.")
    needs_second_person = models.BooleanField()
    fingerprint = models.BinaryField(max_length=32)

    class Meta:
        permissions = [
            ("decide_held", "Can decide what is held"),
            ("decide_order", "Can void and retender posted orders"),
            ("decide_numbers", "Can explain missing numbers and enter orders by hand"),
            ("decide_shift", "Can recount, end and approve shifts"),
            ("decide_safe", "Can count the safe and bank"),
            ("decide_period", "Can lock and unlock a store's books"),
            ("decide_terminal", "Can take in the cache of a terminal that died"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(needs_second_person=True, after__isnull=True)
                | Q(needs_second_person=False, after__isnull=False),
                name="decision_has_its_effect",
            ),
        ]
        indexes = [
            models.Index(fields=["about", "subject"], name="books_decision_by_subject"),
            models.Index(fields=["asked_at"], name="books_decision_by_time"),
            models.Index(fields=["request_id"], name="books_decision_by_request"),
            # Those that nobody has answered are looked for among them: what one person decided is not read.
            models.Index(fields=["asked_at"], condition=Q(needs_second_person=True), name="books_decision_asked"),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.subject}"


class DecisionAnswer(models.Model):
    """What became of a request: another person agreed or declined, or it was withdrawn. Once."""

    decision = models.OneToOneField(Decision, primary_key=True, on_delete=models.PROTECT, related_name="answer")
    answer = models.CharField(max_length=9, choices=ANSWERS)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField()
    address = models.GenericIPAddressField(null=True)
    note = models.CharField(max_length=MAX_NOTE, blank=True)
    after = models.JSONField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(answer="agreed", after__isnull=False) | (~Q(answer="agreed") & Q(after__isnull=True)),
                name="answer_has_its_effect",
            ),
            models.CheckConstraint(condition=~Q(answer="declined") | ~Q(note=""), name="declined_with_a_note"),
        ]

    def __str__(self) -> str:
        return f"{self.answer}: {self.decision_id}"


class HeldClaim(models.Model):
    """Somebody is at work on a held order, until then. Not kept: it only says who is asked to wait."""

    held = models.OneToOneField("sales.HeldItem", primary_key=True, on_delete=models.CASCADE, related_name="+")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    since = models.DateTimeField(db_default=Now())
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"claim of {self.held_id}"


class CacheFile(models.Model):
    """What a terminal saved of its cache, kept from request to agreement: see `caches`. Rows are only ever added.

    `digest` is the SHA-256 of the file as it was handed in. Its own bytes are not kept, since they may hold card data.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    digest = models.BinaryField(max_length=32, unique=True)
    terminal = models.ForeignKey("fleet.Terminal", on_delete=models.PROTECT, related_name="+")
    signed_with = models.BinaryField(max_length=32, help_text="The key of one of its terminal's credentials.")
    saved_at = models.DateTimeField(help_text="By the device's clock.")
    kept_at = models.DateTimeField()
    content = models.BinaryField(help_text="zlib")

    def __str__(self) -> str:
        return f"cache of {self.terminal_id}, saved {self.saved_at}"


class Note(models.Model):
    """What somebody wrote about a row, beside it. Rows are only ever added; nothing is decided or counted by them.

    `subject` is the key of the row, of a store day its date.
    """

    about = models.CharField(max_length=8, choices=NOTED)
    subject = models.CharField(max_length=80)
    store = models.ForeignKey("fleet.Store", on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    written_at = models.DateTimeField()
    text = models.CharField(max_length=MAX_NOTE)

    class Meta:
        default_permissions = ("add",)
        constraints = [models.CheckConstraint(condition=~Q(text=""), name="note_says_something")]
        indexes = [models.Index(fields=["about", "subject", "store"], name="books_note_by_subject")]

    def __str__(self) -> str:
        return f"note on {self.about} {self.subject}"


class NoteTakenBack(models.Model):
    """That its author takes a note back: it stays, struck through. Once."""

    note = models.OneToOneField(Note, primary_key=True, on_delete=models.PROTECT, related_name="taken_back")
    taken_back_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"taken back: {self.note_id}"
