"""Alerts, what became of each, who is told of it, and what is sent to whom: the rows are the outbox (docs/alerts.md)."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, URLValidator
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.utils.translation import gettext_lazy as _

from backoffice.domain.alerts import AlertDeed, AlertKind, Severity
from backoffice.domain.scalars import MAX_MINOR
from backoffice.fleet.models import check_printable

LANGUAGES = [("en", _("English")), ("fr", _("French"))]
KINDS = [
    (AlertKind.SILENT.value, _("A till is silent while its shift is open")),
    (AlertKind.CACHED.value, _("A till keeps many orders that it has not sent")),
    (AlertKind.WAITING.value, _("An upload waits to be processed")),
    (AlertKind.OPEN_LONG.value, _("A shift stays open")),
    (AlertKind.GAP.value, _("A closed shift lacks orders")),
    (AlertKind.OVER_SHORT.value, _("A drawer is over or short")),
    (AlertKind.UNSEALED.value, _("Entries wait for their seal")),
]
SEVERITIES = [(Severity.WARNING.value, _("Warning")), (Severity.CRITICAL.value, _("Critical"))]
MAX_NOTE = 500
MAX_URL = 1000


class EventType(models.TextChoices):
    """What a webhook can tell."""

    RAISED = "alert.raised", _("An alert begins")
    WORSENED = "alert.worsened", _("An alert becomes critical")
    RESOLVED = "alert.resolved", _("An alert ends")
    RECONCILED = "shift.reconciled", _("A shift adds up")
    HELD = "order.held", _("An order is held")
    TEST = "test", _("A test message")


class AlertRule(models.Model):
    """From when on people are told of a kind: in one store, or in all that have no rule of their own for it."""

    kind = models.CharField(_("about"), max_length=16, choices=KINDS)
    store = models.ForeignKey(
        "fleet.Store", verbose_name=_("store"), on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    warning = models.BigIntegerField(
        _("warning from"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(MAX_MINOR)]
    )
    critical = models.BigIntegerField(
        _("critical from"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(MAX_MINOR)]
    )

    class Meta:
        verbose_name = _("alert rule")
        verbose_name_plural = _("alert rules")
        constraints = [
            models.UniqueConstraint(fields=["kind", "store"], nulls_distinct=False, name="one_alert_rule_per_store"),
            models.CheckConstraint(condition=Q(warning__range=(1, MAX_MINOR)), name="alert_rule_warning_bounded"),
            models.CheckConstraint(condition=Q(critical__range=(1, MAX_MINOR)), name="alert_rule_critical_bounded"),
            models.CheckConstraint(
                condition=Q(warning__isnull=True) | Q(critical__isnull=True) | Q(critical__gte=F("warning")),
                name="alert_rule_critical_after_warning",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.store or _('all stores')}"

    def clean(self) -> None:
        """Refuses a critical threshold below the warning's, and rules of one store about the service as a whole."""
        if self.warning is not None and self.critical is not None and self.critical < self.warning:
            raise ValidationError({"critical": _("Below the warning: it would never be a warning.")})
        if self.store is not None and self.kind == AlertKind.UNSEALED:
            raise ValidationError({"store": _("Seals are of all stores together.")})


class QuietHours(models.Model):
    """When a store's people are not mailed, by the store's clock. It may go over midnight."""

    store = models.OneToOneField(
        "fleet.Store", verbose_name=_("store"), on_delete=models.CASCADE, related_name="+", primary_key=True
    )
    begins_at = models.TimeField(_("from"))
    ends_at = models.TimeField(_("to"))
    critical_anyway = models.BooleanField(_("critical alerts are mailed all the same"), default=True, db_default=True)

    class Meta:
        verbose_name = _("quiet hours")
        verbose_name_plural = _("quiet hours")
        constraints = [
            models.CheckConstraint(condition=~Q(begins_at=F("ends_at")), name="quiet_hours_are_not_for_ever")
        ]

    def __str__(self) -> str:
        return f"{self.store}, {self.begins_at:%H:%M}–{self.ends_at:%H:%M}"

    def clean(self) -> None:
        if self.begins_at is not None and self.begins_at == self.ends_at:
            raise ValidationError({"ends_at": _("They would never end.")})


class AlertRecipient(models.Model):
    """Somebody who is mailed about alerts: of which stores, how urgent, in which language."""

    person = models.OneToOneField(
        "auth.User", verbose_name=_("person"), on_delete=models.CASCADE, related_name="alert_mails"
    )
    stores = models.ManyToManyField(
        "fleet.Store", verbose_name=_("stores"), blank=True, related_name="+", help_text=_("Empty: all stores.")
    )
    language = models.CharField(_("language"), max_length=8, choices=LANGUAGES, default="en")
    least = models.SmallIntegerField(_("from"), choices=SEVERITIES, default=Severity.WARNING.value)
    alerts = models.BooleanField(_("each alert"), default=True, db_default=True)
    digest = models.BooleanField(_("summary every morning"), default=False, db_default=False)
    checkpoint = models.BooleanField(
        _("checkpoint of the books with the summary"),
        default=False,
        db_default=False,
        help_text=_("For an auditor: a small signed file, to be kept where nobody who runs this service can reach it."),
    )

    class Meta:
        verbose_name = _("recipient of mails")
        verbose_name_plural = _("recipients of mails")

    def __str__(self) -> str:
        return str(self.person)

    def clean(self) -> None:
        if self.checkpoint and not self.digest:
            raise ValidationError({"checkpoint": _("It comes with the summary: choose that too.")})


class Alert(models.Model):
    """One occurrence, from its beginning to its end. `value` is as measured last, in the unit of its kind."""

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=16, choices=KINDS)
    store = models.ForeignKey("fleet.Store", on_delete=models.PROTECT, null=True, related_name="+")
    subject = models.CharField(max_length=64, blank=True, help_text="Empty: the store, or the service, as a whole.")
    terminal = models.ForeignKey("fleet.Terminal", on_delete=models.PROTECT, null=True, related_name="+")
    shift_id = models.UUIDField(null=True)
    names = models.JSONField(default=list, help_text="Tills as they were called; the first of many.")
    members = models.IntegerField(default=1)
    severity = models.SmallIntegerField(choices=SEVERITIES)
    worst = models.SmallIntegerField(choices=SEVERITIES)
    value = models.BigIntegerField()
    since = models.DateTimeField(null=True, help_text="When what it is about began.")
    raised_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)
    changes = models.IntegerField(default=1, help_text="How many rows its history has.")
    snoozed_until = models.DateTimeField(null=True)
    snoozed_by = models.ForeignKey("auth.User", on_delete=models.PROTECT, null=True, related_name="+")
    place = models.GeneratedField(
        expression=Case(
            When(resolved_at__isnull=False, then=Value(0)),
            When(snoozed_until__isnull=False, then=Value(1)),
            default=F("severity") + 1,
        ),
        output_field=models.SmallIntegerField(),
        db_persist=True,
    )

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        permissions = [("snooze_alert", "Can snooze an alert")]
        constraints = [
            # Once per occurrence, whoever looks and however often: the second to raise it finds it raised.
            models.UniqueConstraint(
                fields=["kind", "store", "subject"],
                condition=Q(resolved_at__isnull=True),
                nulls_distinct=False,
                name="one_open_alert_per_matter",
            ),
            models.CheckConstraint(condition=Q(severity__in=[1, 2]), name="alert_severity_known"),
            models.CheckConstraint(condition=Q(worst__gte=F("severity")), name="alert_worst_is_worst"),
        ]
        indexes = [
            models.Index(fields=["place", "id"], name="alerts_by_place"),
            models.Index(fields=["store", "raised_at"], name="alerts_by_store"),
            models.Index(fields=["resolved_at"], name="alerts_by_end"),
        ]

    def __str__(self) -> str:
        return str(self.get_kind_display())


class AlertChange(models.Model):
    """One step in an alert's history; rows are only ever added. What it causes to be sent is added with it."""

    id = models.BigAutoField(primary_key=True)
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="steps")
    number = models.IntegerField()
    what = models.CharField(max_length=8, choices=[(deed.value, deed.value) for deed in AlertDeed])
    severity = models.SmallIntegerField(choices=SEVERITIES)
    value = models.BigIntegerField()
    at = models.DateTimeField()
    person = models.ForeignKey("auth.User", on_delete=models.PROTECT, null=True, related_name="+")
    until = models.DateTimeField(null=True, help_text="Of a snooze.")
    note = models.CharField(max_length=MAX_NOTE, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["alert", "number"], name="one_alert_change_per_number"),
            models.UniqueConstraint(fields=["alert"], condition=Q(what="raised"), name="an_alert_is_raised_once"),
            models.UniqueConstraint(
                fields=["alert"], condition=Q(what__in=["resolved", "grouped"]), name="an_alert_ends_once"
            ),
            models.CheckConstraint(
                condition=~Q(what="snoozed") | Q(person__isnull=False, until__isnull=False),
                name="a_snooze_has_person_and_end",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.what} {self.alert_id}"


class AlertMail(models.Model):
    """A mail that is to be sent, or was. `key` says what it is about, where that may be mailed once only."""

    id = models.BigAutoField(primary_key=True)
    uuid = models.UUIDField(default=uuid.uuid4, editable=False, unique=True)
    person = models.ForeignKey("auth.User", on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=80, unique=True, null=True)  # noqa: DJ001 - of those without one there are many
    kind = models.CharField(max_length=8, choices=[(kind, kind) for kind in ("alerts", "digest", "webhook")])
    address = models.EmailField()
    subject = models.CharField(max_length=300)
    body = models.TextField()
    checkpoint = models.TextField(blank=True, default="", db_default="", help_text="A signed note that is attached.")
    made_at = models.DateTimeField()
    due_at = models.DateTimeField()
    attempts = models.IntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at"], condition=Q(sent_at__isnull=True, failed_at__isnull=True), name="alerts_mail_waiting"
            ),
            models.Index(fields=["person", "made_at"], name="alerts_mail_by_person"),
        ]

    def __str__(self) -> str:
        return self.subject


class MailNotice(models.Model):
    """That a recipient is to be told of a change: by the next mail to them, which may tell of many."""

    change = models.ForeignKey(AlertChange, on_delete=models.CASCADE, related_name="+")
    recipient = models.ForeignKey(AlertRecipient, on_delete=models.CASCADE, related_name="+")
    mail = models.ForeignKey(AlertMail, on_delete=models.CASCADE, null=True, related_name="notices")
    is_moot = models.BooleanField(default=False, db_default=False, help_text="It ended before it could be told.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["change", "recipient"], name="told_once")]
        indexes = [
            models.Index(
                fields=["recipient"], condition=Q(mail__isnull=True, is_moot=False), name="alerts_notice_waiting"
            )
        ]


class WebhookEndpoint(models.Model):
    """A receiver of webhooks. `owner` is told by mail when it is turned off."""

    name = models.CharField(_("name"), max_length=100, validators=[check_printable])
    url = models.CharField(
        _("address"), max_length=MAX_URL, validators=[URLValidator(schemes=["https", "http"]), check_printable]
    )
    owner = models.ForeignKey("auth.User", verbose_name=_("owner"), on_delete=models.PROTECT, related_name="+")
    store = models.ForeignKey(
        "fleet.Store", verbose_name=_("store"), on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    events = ArrayField(models.CharField(max_length=32), verbose_name=_("events"))
    is_active = models.BooleanField(_("on"), default=True)
    off_because = models.CharField(max_length=300, blank=True)
    rests_until = models.DateTimeField(null=True, help_text="It was slow: others go first until then.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("webhook endpoint")
        verbose_name_plural = _("webhook endpoints")

    def __str__(self) -> str:
        return self.name


class WebhookSecret(models.Model):
    """What signs for an endpoint, encrypted. Of a secret that was replaced `ends_at` says until when it signs as well."""

    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="secrets")
    sealed = models.BinaryField(help_text="Encrypted with a key that is derived from SECRET_KEY.")
    created_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint"], condition=Q(ends_at__isnull=True), name="one_newest_webhook_secret"
            )
        ]


class WebhookMessage(models.Model):
    """What happened, once, as the bytes that are signed and sent. `source` is what it came of: that is told once."""

    message_id = models.CharField(primary_key=True, max_length=40)
    source = models.CharField(max_length=80, unique=True)
    type = models.CharField(max_length=32, choices=EventType.choices)
    store = models.ForeignKey("fleet.Store", on_delete=models.PROTECT, null=True, related_name="+")
    happened_at = models.DateTimeField()
    body = models.TextField()

    class Meta:
        indexes = [models.Index(fields=["happened_at"], name="alerts_message_by_time")]

    def __str__(self) -> str:
        return self.message_id


class WebhookDelivery(models.Model):
    """A message on its way to an endpoint: tried until it is taken, given up, or the endpoint is gone."""

    STATES = [
        ("waiting", _("Waiting")),
        ("delivered", _("Delivered")),
        ("failed", _("Given up")),
        ("dropped", _("Endpoint turned off")),
    ]

    id = models.BigAutoField(primary_key=True)
    message = models.ForeignKey(WebhookMessage, on_delete=models.CASCADE, related_name="deliveries")
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries")
    state = models.CharField(max_length=9, choices=STATES, default="waiting")
    due_at = models.DateTimeField()
    attempts = models.IntegerField(default=0, help_text="Since it was asked for last.")
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        constraints = [
            models.UniqueConstraint(fields=["message", "endpoint"], name="one_delivery_per_endpoint"),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "delivered", "failed", "dropped"]), name="delivery_state_known"
            ),
        ]
        indexes = [
            models.Index(fields=["endpoint", "due_at"], condition=Q(state="waiting"), name="alerts_delivery_waiting"),
            models.Index(fields=["state", "ended_at"], name="alerts_delivery_by_state"),
            models.Index(fields=["endpoint", "id"], name="alerts_delivery_by_endpoint"),
        ]

    def __str__(self) -> str:
        return f"{self.message_id} to {self.endpoint_id}"


class DeliveryAttempt(models.Model):
    """One try, written before it is made: one without an answer was interrupted. `answer` is the beginning of the body."""

    id = models.BigAutoField(primary_key=True)
    delivery = models.ForeignKey(WebhookDelivery, on_delete=models.CASCADE, related_name="tries")
    began_at = models.DateTimeField()
    took_ms = models.IntegerField(null=True)
    status = models.IntegerField(null=True)
    error = models.CharField(max_length=300, blank=True)
    answer = models.CharField(max_length=1000, blank=True)

    class Meta:
        indexes = [models.Index(fields=["delivery", "id"], name="alerts_attempt_by_delivery")]
