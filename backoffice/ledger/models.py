"""The books: accounts, and journal entries whose lines balance. Entries and lines are partitioned by business month;
their tables, and the triggers that guard them, are made in SQL (migration 0002). Writes: see `writers.py`."""

from django.db import models

from backoffice.languages.texts import in_their_language


class Account(models.Model):
    """One account of the company's chart. Every journal line also carries the store."""

    code = models.CharField(primary_key=True, max_length=16)
    name = models.CharField(max_length=100)
    normal_side = models.CharField(
        max_length=6, choices=[("debit", "debit"), ("credit", "credit"), ("either", "either")]
    )

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return f"{self.code} {in_their_language(self.name)}"


class PaymentAccount(models.Model):
    """Where a store posts a payment method."""

    store = models.ForeignKey("fleet.Store", on_delete=models.CASCADE, related_name="+")
    method = models.CharField(max_length=16)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "method"], name="one_account_per_method")]

    def __str__(self) -> str:
        return f"{self.method} → {self.account_id}"


class CashReason(models.Model):
    """The other side of a cash movement with this reason."""

    store = models.ForeignKey("fleet.Store", on_delete=models.CASCADE, related_name="+")
    reason = models.CharField(max_length=64)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "reason"], name="one_account_per_reason")]

    def __str__(self) -> str:
        return f"{self.reason} → {self.account_id}"


SOURCES = {
    "order": "order",
    "movement": "cash movement",
    "opening": "shift opened",
    "over_short": "over or short at close",
    "closing": "to the safe at close",
    "void": "order voided by head office",
    "retender": "payment corrected by head office",
    "safe": "safe, by head office",
}


class JournalEntry(models.Model):
    """One balanced entry. `business_date` is the day on which it stands in the books: that of what it is made from or,
    where the books were locked then, the first day that was open (`domain/periods.py`). `source_number` counts the over/short entries of one shift, the counts of its drawer, and the
    corrections of one order's payments; elsewhere it is 0."""

    id = models.BigIntegerField(primary_key=True)
    business_date = models.DateField()
    store = models.ForeignKey("fleet.Store", on_delete=models.DO_NOTHING, related_name="+", db_constraint=False)
    terminal = models.ForeignKey(
        "fleet.Terminal", on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, null=True
    )
    shift_id = models.UUIDField(null=True, help_text="As the terminal, NULL for what is of the store alone: its safe.")
    source_kind = models.CharField(max_length=10, choices=list(SOURCES.items()))
    source_id = models.UUIDField()
    source_number = models.IntegerField(default=0)
    currency = models.CharField(max_length=3)
    posted_at = models.DateTimeField()
    xid = models.BigIntegerField(help_text="pg_current_xact_id(), xid8 in the table; 1 from before there was a sealer.")

    class Meta:
        managed = False
        verbose_name_plural = "journal entries"

    def __str__(self) -> str:
        return f"entry {self.id}"


class JournalLine(models.Model):
    """One side of an entry, in minor units: exactly one of `debit` and `credit` is above 0."""

    pk = models.CompositePrimaryKey("entry", "position", "business_date")
    business_date = models.DateField()
    entry = models.ForeignKey(JournalEntry, on_delete=models.DO_NOTHING, related_name="lines", db_constraint=False)
    position = models.SmallIntegerField()
    store = models.ForeignKey("fleet.Store", on_delete=models.DO_NOTHING, related_name="+", db_constraint=False)
    account = models.ForeignKey(Account, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False)
    drawer_id = models.IntegerField(null=True, help_text="The terminal, on the drawer's account.")
    tax_code = models.CharField(max_length=64)
    debit = models.BigIntegerField()
    credit = models.BigIntegerField()
    currency = models.CharField(max_length=3)

    class Meta:
        managed = False
        ordering = ["position"]


class EntrySource(models.Model):
    """One entry per source, for ever: written by a trigger on the entries, whoever inserts them."""

    pk = models.CompositePrimaryKey("source_kind", "source_id", "source_number")
    source_kind = models.CharField(max_length=10)
    source_id = models.UUIDField()
    source_number = models.IntegerField(default=0)
    entry_id = models.BigIntegerField()
    business_date = models.DateField()

    class Meta:
        managed = False


class PeriodLock(models.Model):
    """A store's books are locked through a date, from here on. The newest row of a store is in force.

    Rows are only ever added. Their ids are of the entries' sequence: whatever has a lower one was posted before it.
    """

    id = models.BigIntegerField(primary_key=True, help_text="From the sequence of entries, by its trigger.")
    store = models.ForeignKey("fleet.Store", on_delete=models.PROTECT, related_name="+")
    locked_through = models.DateField(help_text="The last locked day.")
    decision_id = models.UUIDField(unique=True)

    class Meta:
        indexes = [models.Index(fields=["store", "id"], name="ledger_newest_period_lock")]

    def __str__(self) -> str:
        return f"store {self.store_id} through {self.locked_through}"
