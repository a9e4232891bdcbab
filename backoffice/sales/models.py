"""What was sold: shifts, orders with their lines and payments, cash movements, and what is held for a person.

Orders, lines and payments are partitioned by business month: made in SQL (migration 0002), and only read by these models.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext

from backoffice.domain.states import ShiftState
from backoffice.sales import z_reports  # noqa: F401 - its model is one of this room


class Shift(models.Model):
    """What a cashier opened and closed on one terminal. Currency and price mode are frozen when it opens."""

    shift_id = models.UUIDField(primary_key=True)
    terminal = models.ForeignKey("fleet.Terminal", on_delete=models.PROTECT, related_name="+")
    store = models.ForeignKey("fleet.Store", on_delete=models.PROTECT, related_name="+")
    number = models.BigIntegerField()
    state = models.CharField(max_length=10, choices=[(state.value, state.value) for state in ShiftState])
    business_date = models.DateField(help_text="The store-local date of opened_at, or of its corrected time.")
    currency = models.CharField(max_length=3)
    prices_include_tax = models.BooleanField()
    cashier = models.CharField(max_length=64, blank=True)
    opening_float = models.BigIntegerField()
    first_number = models.BigIntegerField()
    opened_at = models.DateTimeField()
    opening_hash = models.BinaryField(max_length=32, help_text="Of the opening as sent: a repeat must equal it.")
    opened_at_corrected = models.DateTimeField(
        null=True, help_text="Where the device's clock was known to be wrong: when it really opened."
    )
    flags = models.JSONField(null=True, help_text="Reasons it was opened with.")
    opening_entry_id = models.BigIntegerField(help_text="The drawer's balance was known at this entry.")
    drawer_at_opening = models.BigIntegerField(
        null=True, help_text="That balance, where it was not the opening float: an earlier shift still waited."
    )
    recorded_end = models.DateTimeField(null=True, help_text="closed_at of a shift that was opened as already ended.")
    received_at = models.DateTimeField()
    declared = models.JSONField(null=True, help_text="The close as the terminal declared it.")
    closing_hash = models.BinaryField(max_length=32, null=True)
    closed_at = models.DateTimeField(null=True, help_text="As the terminal declared it.")
    close_received_at = models.DateTimeField(null=True)
    computed = models.JSONField(null=True, help_text="Totals when it was last reconciled.")
    differences = models.JSONField(default=list)
    expected_cash = models.BigIntegerField(null=True)
    over_short = models.BigIntegerField(null=True)
    max_over_short = models.BigIntegerField(null=True, help_text="The store's when it closed: more is a difference.")
    recounted = models.BigIntegerField(
        null=True, help_text="Head office's last count, which stands before the close's."
    )
    drawer_counts = models.IntegerField(default=0, db_default=0, help_text="How often its drawer was counted.")
    awaits_count = models.BooleanField(default=False, db_default=False, help_text="Closed blind, and not counted yet.")
    moved_to_safe = models.BigIntegerField(
        null=True, help_text="By its counts in all, where its close said what stays in the drawer."
    )
    carried_on = ArrayField(
        models.BigIntegerField(), null=True, help_text="Open numbers that the terminal's next close must bring."
    )
    carried_in = ArrayField(
        models.BigIntegerField(), null=True, help_text="Those of the close before that this one must bring."
    )
    reconciliations = models.IntegerField(default=0)
    reconciled_at = models.DateTimeField(null=True)
    z_number = models.BigIntegerField(
        null=True, help_text="Without a gap on its terminal; given when it first settles, from the version that had it."
    )
    z_revision = models.IntegerField(null=True, help_text="The newest of its Z; NULL where none was kept.")
    awaits_number = models.BigIntegerField(
        null=True, help_text="While it is closing: the first number that is missing."
    )
    awaits_batch = models.UUIDField(
        null=True, help_text="While it is closing: the first declared batch that is missing."
    )
    ended_by = models.UUIDField(null=True, help_text="The decision that ended it, where the terminal never closed it.")
    recounted_methods = models.JSONField(
        null=True, help_text="Head office's last amounts by other payment methods, which stand before the close's."
    )
    approval_id = models.UUIDField(null=True, help_text="The decision that approved it as it stands now.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["terminal"],
                condition=Q(state="open", recorded_end__isnull=True),
                name="one_open_shift_per_terminal",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[state.value for state in ShiftState]), name="shift_state_known"
            ),
            models.UniqueConstraint(
                fields=["terminal", "z_number"], condition=Q(z_number__isnull=False), name="one_shift_per_z"
            ),
        ]
        indexes = [
            models.Index(fields=["terminal", "opened_at"], name="sales_shift_by_terminal"),
            models.Index(fields=["store", "business_date"], name="sales_shift_by_store"),
            models.Index(
                fields=["state"], condition=~Q(state__in=["reconciled", "approved"]), name="sales_shift_unsettled"
            ),
            models.Index(fields=["opened_at"], name="sales_shift_by_time"),
            models.Index(fields=["state", "opened_at"], name="sales_shift_by_state"),
            # What a batch brings is looked for among what closing shifts wait for, and nothing else of them is read.
            models.Index(
                fields=["terminal", "awaits_number"],
                condition=Q(state="closing", awaits_number__isnull=False),
                name="sales_shift_by_awaited_number",
            ),
            models.Index(
                fields=["terminal", "awaits_batch", "awaits_number"],
                condition=Q(state="closing"),
                name="sales_shift_by_awaited_batch",
            ),
            models.Index(fields=["terminal", "first_number"], name="sales_shift_by_first_number"),
            models.Index(fields=["terminal", "first_number"], condition=Q(state="open"), name="sales_shift_still_open"),
            models.Index(fields=["terminal", "number"], name="sales_shift_by_number"),
            models.Index(
                fields=["terminal", "close_received_at"],
                condition=Q(close_received_at__isnull=False),
                name="sales_shift_by_close",
            ),
            models.Index(fields=["terminal"], condition=Q(awaits_count=True), name="sales_shift_uncounted"),
        ]

    def __str__(self) -> str:
        return gettext("shift {number}").format(number=self.number)


class Identity(models.Model):
    """Every version of every order and cash movement that a terminal ever sent: identity lives for ever.

    Version 0 is the first; a conflicting one gets the next. `number` is set on the one version that took the number.
    An item without a readable identifier has one made from the hash of its JSON value.
    """

    pk = models.CompositePrimaryKey("item_id", "version")
    item_id = models.UUIDField()
    version = models.IntegerField(default=0)
    terminal_id = models.IntegerField()
    shift_id = models.UUIDField()
    number = models.BigIntegerField(null=True)
    content_hash = models.BinaryField(max_length=33)
    hash_version = models.SmallIntegerField(
        null=True, help_text="The newest version of content hashes when it came; NULL from before there was a second."
    )
    batch_id = models.UUIDField()
    business_date = models.DateField()
    row_id = models.BigIntegerField(help_text="The order's id where it was posted.")

    class Meta:
        verbose_name_plural = "identities"
        constraints = [models.UniqueConstraint(fields=["terminal_id", "number"], name="one_order_per_number")]


class Order(models.Model):
    """A posted order; voided and training orders are here too, without a journal entry. Money in minor units."""

    id = models.BigIntegerField(primary_key=True)
    business_date = models.DateField()
    store = models.ForeignKey("fleet.Store", on_delete=models.DO_NOTHING, related_name="+", db_constraint=False)
    terminal = models.ForeignKey("fleet.Terminal", on_delete=models.DO_NOTHING, related_name="+", db_constraint=False)
    shift = models.ForeignKey(Shift, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False)
    batch_id = models.UUIDField()
    position = models.IntegerField(help_text="Its place in the batch's list of orders.")
    order_id = models.UUIDField()
    number = models.BigIntegerField()
    mode = models.CharField(max_length=7)
    kind = models.CharField(max_length=6)
    status = models.CharField(max_length=8)
    type = models.CharField(max_length=64, null=True)  # noqa: DJ001 - null is the wire's own value for "not said"
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField()
    cashier = models.CharField(max_length=64)
    customer = models.JSONField(null=True)
    printed_to = models.CharField(max_length=7)
    refund_of = models.UUIDField(null=True)
    adjusts = models.UUIDField(null=True, help_text="The order whose payment or tip this one changes.")
    lines_refund = models.JSONField(null=True, help_text="What its lines give back, where they name any: each once.")
    note = models.CharField(max_length=500)
    currency = models.CharField(max_length=3)
    tax = models.BigIntegerField(help_text="Sum of the lines' taxes.")
    rounding = models.BigIntegerField()
    total = models.BigIntegerField()
    tip = models.BigIntegerField()
    flags = models.JSONField(null=True, help_text="Reasons it was posted with.")
    received_at = models.DateTimeField()
    posted_at = models.DateTimeField()
    voided_by = models.UUIDField(null=True, help_text="The decision that voided it: it was paid, and is reversed.")

    class Meta:
        managed = False

    def __str__(self) -> str:
        return f"{self.number}{'*' if self.mode == 'offline' else ''}"


class OrderLine(models.Model):
    """One line of an order, with its taxes as `[{"code", "rate", "amount", "kind"}]`, whose kind is left out where it is `percent`."""

    pk = models.CompositePrimaryKey("order", "position", "business_date")
    business_date = models.DateField()
    order = models.ForeignKey(Order, on_delete=models.DO_NOTHING, related_name="lines", db_constraint=False)
    position = models.SmallIntegerField()
    kind = models.CharField(max_length=64)
    sku = models.CharField(max_length=64)
    name = models.CharField(max_length=200)
    quantity = models.DecimalField(max_digits=20, decimal_places=4)
    unit_price = models.DecimalField(max_digits=20, decimal_places=4)
    discount = models.BigIntegerField()
    amount = models.BigIntegerField()
    taxes = models.JSONField()
    refund_of = models.UUIDField(null=True, help_text="What this line gives back, where it is not its order's own.")

    class Meta:
        managed = False
        ordering = ["position"]


class Payment(models.Model):
    """How an order was paid. Negative where money went back to the customer."""

    pk = models.CompositePrimaryKey("order", "position", "business_date")
    business_date = models.DateField()
    order = models.ForeignKey(Order, on_delete=models.DO_NOTHING, related_name="payments", db_constraint=False)
    position = models.SmallIntegerField()
    method = models.CharField(max_length=16)
    amount = models.BigIntegerField()
    tendered = models.BigIntegerField(null=True)
    change = models.BigIntegerField(null=True)
    reference = models.CharField(max_length=64)
    store_id = models.IntegerField(null=True, help_text="NULL in rows from before there was this column.")
    card_closed_at = models.DateTimeField(
        null=True, help_text="When its order closed, where its reference is compared with others'."
    )

    class Meta:
        managed = False
        ordering = ["position"]


class CashMovement(models.Model):
    """Money that went into or out of a drawer without a sale. `amount` is positive; `kind` says which way."""

    movement_id = models.UUIDField(primary_key=True)
    store = models.ForeignKey("fleet.Store", on_delete=models.PROTECT, related_name="+")
    terminal = models.ForeignKey("fleet.Terminal", on_delete=models.PROTECT, related_name="+")
    shift = models.ForeignKey(Shift, on_delete=models.PROTECT, related_name="movements")
    batch_id = models.UUIDField()
    position = models.IntegerField()
    kind = models.CharField(max_length=8)
    amount = models.BigIntegerField()
    reason = models.CharField(max_length=64)
    occurred_at = models.DateTimeField()
    cashier = models.CharField(max_length=64)
    flags = models.JSONField(null=True)
    posted_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="movement_amount_positive"),
            models.CheckConstraint(condition=Q(kind__in=["cash_in", "cash_out"]), name="movement_kind_known"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount}"


class PostedRange(models.Model):
    """Orders of a store that one transaction posted: those of `batch_id` between two ids. Its terminals follow them (ADR 10).

    Transactions commit in another order than they number their rows; `xid` tells which of them may still be under way.
    """

    pk = models.CompositePrimaryKey("store_id", "xid", "first_id")
    store_id = models.IntegerField()
    xid = models.BigIntegerField(help_text="pg_current_xact_id(), xid8 in the table.")
    first_id = models.BigIntegerField()
    last_id = models.BigIntegerField()
    batch_id = models.UUIDField()
    business_date = models.DateField()

    class Meta:
        managed = False
        db_table = "sales_posting"


class AwaitedOriginal(models.Model):
    """A posted order that gives back, or adjusts, an order that has not arrived: looked at again when it does."""

    pk = models.CompositePrimaryKey("refund_id", "refund_of")
    refund_id = models.BigIntegerField()
    refund_of = models.UUIDField()
    business_date = models.DateField()
    arrived_at = models.DateTimeField(null=True, help_text="When the original was there.")

    class Meta:
        indexes = [
            models.Index(fields=["refund_of"], condition=Q(arrived_at__isnull=True), name="sales_awaited_originals")
        ]

    def __str__(self) -> str:
        return f"refund of {self.refund_of}"


class DetachedMonth(models.Model):
    """A month whose partitions were taken out of the tables (ingestion/detaching.py). Always the oldest ones."""

    first_day = models.DateField(primary_key=True)
    last_day = models.DateField()
    detached_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.first_day:%Y-%m}"


class HeldItem(models.Model):
    """An order or cash movement that is kept, visible, and in no book until a person decides.

    Its original is in the stored body of its batch, at `position`.
    """

    id = models.BigAutoField(primary_key=True)
    what = models.CharField(max_length=8, choices=[("order", "order"), ("movement", "cash movement")])
    outcome = models.CharField(max_length=8, choices=[("held", "held"), ("conflict", "conflict")])
    reasons = models.JSONField()
    item_id = models.UUIDField(help_text="As sent, or made from the hash of the value where it could not be read.")
    order_id = models.UUIDField(null=True, help_text="As far as it could be read.")
    number = models.BigIntegerField(null=True)
    total = models.BigIntegerField(null=True, help_text="Minor units, as far as it could be read.")
    content_hash = models.BinaryField(max_length=33)
    store = models.ForeignKey("fleet.Store", on_delete=models.PROTECT, related_name="+")
    terminal = models.ForeignKey("fleet.Terminal", on_delete=models.PROTECT, related_name="+")
    shift = models.ForeignKey(Shift, on_delete=models.PROTECT, related_name="held_items")
    batch_id = models.UUIDField()
    position = models.IntegerField()
    received_at = models.DateTimeField()
    decision_id = models.UUIDField(null=True, help_text="The decision by which it is held no more.")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(outcome__in=["held", "conflict"]), name="held_outcome_known"),
            models.CheckConstraint(condition=Q(what__in=["order", "movement"]), name="held_what_known"),
        ]
        indexes = [
            models.Index(fields=["item_id"], name="sales_held_by_item"),
            models.Index(fields=["received_at"], name="sales_held_by_time"),
            # A member that cannot be read takes no number, and still the number that it names is not missing.
            models.Index(fields=["terminal", "number"], condition=Q(number__isnull=False), name="sales_held_by_number"),
            # What is decided stays, so that what is not must be found among it.
            models.Index(fields=["id"], condition=Q(decision_id__isnull=True), name="sales_held_undecided"),
        ]

    def __str__(self) -> str:
        return f"held {self.what} {self.number or self.item_id}"


class DecidedMember(models.Model):
    """What head office decided of a member of a batch, for its terminal to read (protocol §5, `decision`).

    Who decided, and why, is in the books. `order_id` is that of the order which went into the books, NULL where none did.
    """

    decision_id = models.UUIDField(primary_key=True)
    batch_id = models.UUIDField()
    what = models.CharField(max_length=8)
    position = models.IntegerField()
    item_id = models.UUIDField(help_text="The key of its identity.")
    verb = models.CharField(max_length=16)
    decided_at = models.DateTimeField()
    order_id = models.UUIDField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["batch_id"], name="sales_decided_by_batch"),
            models.Index(fields=["item_id"], name="sales_decided_by_item"),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.item_id}"


class ExplainedNumbers(models.Model):
    """Numbers of a closed shift that never were a sale, as head office knows: nobody waits for them.

    Where one of them arrives all the same, it is posted as ever, and the explanation does not count for it any more.
    """

    decision_id = models.UUIDField(primary_key=True)
    terminal = models.ForeignKey("fleet.Terminal", on_delete=models.PROTECT, related_name="+")
    shift = models.ForeignKey(Shift, on_delete=models.PROTECT, related_name="+")
    first = models.BigIntegerField()
    last = models.BigIntegerField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(first__lte=models.F("last")), name="explained_in_order")]
        indexes = [models.Index(fields=["terminal", "first"], name="sales_explained_by_terminal")]

    def __str__(self) -> str:
        return f"{self.first}–{self.last}"
