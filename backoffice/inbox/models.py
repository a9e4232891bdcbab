"""The inbox: what terminals sent, byte for byte, and how far we are with it. Its rows are the work queue (ADR 1)."""

from django.db import models
from django.db.models import Q

from backoffice.domain.states import BatchState


class Batch(models.Model):
    """One upload. The body is kept as decoded, compressed; `digest` is the SHA-256 of the decoded body."""

    batch_id = models.UUIDField(primary_key=True)
    terminal = models.ForeignKey("fleet.Terminal", on_delete=models.PROTECT, related_name="+")
    shift = models.ForeignKey("sales.Shift", on_delete=models.PROTECT, related_name="+")
    digest = models.BinaryField(max_length=32)
    body = models.BinaryField(help_text="zlib")
    size = models.IntegerField(help_text="Decoded bytes.")
    card_flags = models.JSONField(
        default=list,
        help_text="What was masked or removed: [[list, index, code, pointer]], the list orders or cash_movements.",
    )
    order_count = models.IntegerField()
    movement_count = models.IntegerField()
    received_at = models.DateTimeField()
    state = models.CharField(
        max_length=9, choices=[(state.value, state.value) for state in BatchState], default=BatchState.RECEIVED.value
    )
    due_at = models.DateTimeField(help_text="Not to be tried before.")
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.TextField(blank=True, default="")
    processed_at = models.DateTimeField(null=True)
    outcomes = models.JSONField(default=dict, help_text="Orders by outcome.")
    results = models.JSONField(default=list, help_text="Orders that are not posted, or posted with reasons.")
    movement_outcomes = models.JSONField(default=dict)
    movement_results = models.JSONField(default=list)

    class Meta:
        verbose_name_plural = "batches"
        permissions = [("view_original", "Can read what tills sent, as it is stored")]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=[state.value for state in BatchState]), name="batch_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state="processed", processed_at__isnull=False)
                | Q(~Q(state="processed"), processed_at__isnull=True),
                name="batch_processed_at_when_processed",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=~Q(state="processed"), name="inbox_batch_waiting"),
            models.Index(fields=["terminal", "received_at"], name="inbox_batch_by_terminal"),
            models.Index(fields=["shift"], name="inbox_batch_by_shift"),
            models.Index(fields=["received_at"], name="inbox_batch_by_time"),
        ]

    def __str__(self) -> str:
        return str(self.batch_id)
