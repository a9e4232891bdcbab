"""Stores, their terminals, and how a terminal proves who it is."""

import unicodedata
import uuid
from zoneinfo import available_timezones

from babel.numbers import list_currencies
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.validators import ArrayMaxLengthValidator
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper

from backoffice.domain.limits import MAX_CODE
from backoffice.domain.scalars import MAX_MINOR

MAX_REFUND_DAYS = 3650
MAX_ROUNDING_STEP = 1_000_000
MAX_ORDER_TYPES = 64
# What the law asks of books is six to ten years in most countries.
RETENTION_YEARS, MIN_RETENTION_YEARS, MAX_RETENTION_YEARS = 10, 1, 100
ROUNDING_MODES = ("nearest", "down", "up")
# Names that a time zone database has, and that are no place: what the first means depends on the machine.
_NO_PLACES = frozenset({"localtime", "Factory"})


def check_currency(code: str) -> None:
    """Refuses what is not an ISO 4217 code: amounts without a known minor unit mean nothing."""
    if code not in list_currencies():
        raise ValidationError(f"{code} is not an ISO 4217 currency code.")


def check_timezone(name: str) -> None:
    """Refuses what the IANA database does not know: business dates follow from it."""
    if name in _NO_PLACES or name not in available_timezones():
        raise ValidationError(f"{name} is not a time zone of the IANA database, such as Europe/Paris.")


def check_printable(text: str) -> None:
    """Refuses control characters, and what is no character: neither can be printed, and some cannot be stored."""
    if any(unicodedata.category(symbol) in {"Cc", "Cs"} for symbol in text):
        raise ValidationError("There is a character in it that cannot be shown.")


class Store(models.Model):
    """A shop. Its currency and price mode are defaults that each shift freezes when it opens."""

    id = models.AutoField(primary_key=True)
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    code = models.CharField(max_length=32, unique=True, validators=[check_printable])
    name = models.CharField(max_length=200, validators=[check_printable])
    timezone = models.CharField(max_length=64, validators=[check_timezone])
    currency = models.CharField(max_length=3, validators=[check_currency])
    prices_include_tax = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    max_order_total = models.BigIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(MAX_MINOR)],
        help_text="Minor units. Orders above it are posted and flagged. Empty flags nothing.",
    )
    min_refund_total = models.BigIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(MAX_MINOR)],
        help_text="Minor units. Refunds below it are posted and flagged. Empty flags nothing.",
    )
    refund_days = models.PositiveIntegerField(null=True, blank=True, validators=[MaxValueValidator(MAX_REFUND_DAYS)])
    order_types = ArrayField(
        models.CharField(max_length=MAX_CODE, validators=[check_printable]),
        null=True,
        blank=True,
        validators=[ArrayMaxLengthValidator(MAX_ORDER_TYPES)],
        help_text="Orders of other types are posted and flagged. Empty, the protocol's own three are known.",
    )
    rounding_step = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MaxValueValidator(MAX_ROUNDING_STEP)],
        help_text="Cash rounding in minor units, such as 5 in Switzerland. Empty flags nothing.",
    )
    rounding_mode = models.CharField(  # noqa: DJ001 - null is "not said", as in every other setting
        max_length=7,
        choices=[(mode, mode) for mode in ROUNDING_MODES],
        null=True,
        blank=True,
        help_text="Which multiple of the step a total is rounded to. Empty, it is the nearest.",
    )
    max_over_short = models.BigIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(MAX_MINOR)],
        help_text="Minor units. A shift whose count differs by more is discrepant. Empty, none is for that.",
    )
    second_person_above = models.BigIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(MAX_MINOR)],
        help_text="Minor units. What head office decides about more than this takes two people. Empty, no amount does.",
    )
    retention_years = models.PositiveSmallIntegerField(
        default=RETENTION_YEARS,
        db_default=RETENTION_YEARS,
        validators=[MinValueValidator(MIN_RETENTION_YEARS), MaxValueValidator(MAX_RETENTION_YEARS)],
        help_text="Years for which orders and journal are kept, from the end of their month.",
    )
    approves_by_itself = models.BooleanField(
        default=False,
        db_default=False,
        help_text="A shift that adds up, its drawer within what the store tolerates, needs no person's approval.",
    )
    flags_need_a_person = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Where the store approves by itself: a shift with flagged orders still needs a person's approval.",
    )

    class Meta:
        ordering = ["code"]
        # No order can be processed beyond these, or no till can keep to them, whoever wrote them.
        constraints = [
            models.CheckConstraint(
                condition=Q(max_order_total__range=(0, MAX_MINOR)), name="store_max_order_total_bounded"
            ),
            models.CheckConstraint(
                condition=Q(min_refund_total__range=(0, MAX_MINOR)), name="store_min_refund_total_bounded"
            ),
            models.CheckConstraint(
                condition=Q(refund_days__range=(0, MAX_REFUND_DAYS)), name="store_refund_days_bounded"
            ),
            models.CheckConstraint(
                condition=Q(rounding_step__range=(0, MAX_ROUNDING_STEP)), name="store_rounding_step_bounded"
            ),
            models.CheckConstraint(
                condition=Q(order_types__len__lte=MAX_ORDER_TYPES), name="store_order_types_bounded"
            ),
            models.CheckConstraint(condition=Q(rounding_mode__in=ROUNDING_MODES), name="store_rounding_mode_known"),
            models.CheckConstraint(
                condition=Q(max_over_short__range=(0, MAX_MINOR)), name="store_max_over_short_bounded"
            ),
            models.CheckConstraint(
                condition=Q(second_person_above__range=(0, MAX_MINOR)), name="store_second_person_above_bounded"
            ),
            models.CheckConstraint(
                condition=Q(retention_years__range=(MIN_RETENTION_YEARS, MAX_RETENTION_YEARS)),
                name="store_retention_years_bounded",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"


class Terminal(models.Model):
    """One till of one store. Its row is also the lock that makes its batches run one after the other."""

    id = models.AutoField(primary_key=True)
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    store = models.ForeignKey(Store, on_delete=models.PROTECT, related_name="terminals")
    name = models.CharField(max_length=100, validators=[check_printable])
    device = models.JSONField(
        default=dict, blank=True, help_text="What the device said of itself when it was activated."
    )
    activated_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["store__code", "name"]
        constraints = [models.UniqueConstraint(fields=["store", "name"], name="one_terminal_per_name")]
        indexes = [models.Index(Upper("name"), name="fleet_terminal_by_name")]

    def __str__(self) -> str:
        return f"{self.store.code} · {self.name}"


class ActivationCode(models.Model):
    """What head office reads out to a new till: the selector finds the row, the secret is kept hashed only."""

    terminal = models.ForeignKey(Terminal, on_delete=models.CASCADE, related_name="activation_codes")
    selector = models.CharField(max_length=4, unique=True)
    secret_hash = models.BinaryField(max_length=32)
    wrong_tries = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.selector}-…"


class Credential(models.Model):
    """A terminal's bearer token, as its SHA-256 only.

    A terminal has one live token that it has used and, after a rotation, at most one that it has not used yet. Those that
    are revoked stay: what was signed with them can be checked (ADR 46).
    """

    terminal = models.ForeignKey(Terminal, on_delete=models.CASCADE, related_name="credentials")
    token_hash = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True, blank=True, help_text="First used.")
    revoked_at = models.DateTimeField(null=True, blank=True)
    cache_key = models.BinaryField(
        max_length=32,
        null=True,
        help_text="What checks the signature of its cache files. Empty where the token was last used before there were any.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["terminal"],
                condition=Q(revoked_at__isnull=True, used_at__isnull=False),
                name="one_used_credential_per_terminal",
            ),
            models.UniqueConstraint(
                fields=["terminal"],
                condition=Q(revoked_at__isnull=True, used_at__isnull=True),
                name="one_unused_credential_per_terminal",
            ),
        ]

    def __str__(self) -> str:
        return f"credential of {self.terminal_id}"


class Heartbeat(models.Model):
    """What a terminal last said of itself. A row of its own, so that it never waits for the terminal's batches."""

    terminal = models.OneToOneField(Terminal, primary_key=True, on_delete=models.CASCADE, related_name="heartbeat")
    received_at = models.DateTimeField()
    sent_at = models.DateTimeField(help_text="The device's clock.")
    clock_skew_ms = models.BigIntegerField(help_text="Device minus server.")
    offline_mode = models.BooleanField()
    offline_since = models.DateTimeField(null=True, help_text="Received time of the first heartbeat in this mode.")
    cached_orders = models.BigIntegerField()
    cached_total = models.BigIntegerField(help_text="Minor units.")
    oldest_cached_at = models.DateTimeField(null=True)
    last_number = models.BigIntegerField(null=True)
    shift_id = models.UUIDField(null=True)
    app_version = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return f"heartbeat of {self.terminal_id}"
