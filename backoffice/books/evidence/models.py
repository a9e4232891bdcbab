"""Seals: leaves, the roots of stores' days, signed heads; how far the sealer is; and balances by day.

Leaves, roots, heads, stamps and keys are append-only, guarded as the books are. The other tables can be made again from them.
"""

from django.db import models
from django.db.models import Q


class Leaf(models.Model):
    """One sealed record, at its place in the tree of its store's day. `number` is dense per store and kind.

    `row_id` (a journal entry, a row of the audit trail) or `item_id` (a batch) leads to the record; neither is part of what
    is hashed. What is of no store has the store 0.
    """

    pk = models.CompositePrimaryKey("store_id", "day", "position")
    store_id = models.IntegerField()
    day = models.DateField(help_text="When it was sealed, in UTC.")
    position = models.BigIntegerField()
    kind = models.CharField(max_length=16)
    version = models.SmallIntegerField()
    number = models.BigIntegerField()
    row_id = models.BigIntegerField(null=True)
    item_id = models.UUIDField(null=True)
    business_date = models.DateField(null=True, help_text="The record's own, where it is needed to find it.")
    hash = models.BinaryField(max_length=32)

    class Meta:
        verbose_name_plural = "leaves"
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "row_id"], condition=Q(row_id__isnull=False), name="one_leaf_per_row"
            ),
            models.UniqueConstraint(
                fields=["kind", "item_id"], condition=Q(item_id__isnull=False), name="one_leaf_per_item"
            ),
        ]


class DayRoot(models.Model):
    """One leaf of the installation's tree: how the tree of a store's day stood when something was added to it."""

    position = models.BigIntegerField(primary_key=True)
    store_id = models.IntegerField()
    day = models.DateField()
    size = models.BigIntegerField()
    root = models.BinaryField(max_length=32)
    hash = models.BinaryField(max_length=32)
    sealed_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["store_id", "day", "position"], name="evidence_root_of_day")]


class Checkpoint(models.Model):
    """A signed head of the installation's tree, as it was given away."""

    size = models.BigIntegerField()
    key_name = models.CharField(max_length=300)
    note = models.TextField()
    signed_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["size", "id"], name="evidence_checkpoint_newest")]


class Stamp(models.Model):
    """A time stamp (RFC 3161) of a checkpoint's note, as its authority gave it."""

    checkpoint = models.OneToOneField(Checkpoint, on_delete=models.PROTECT, primary_key=True, related_name="+")
    reply = models.BinaryField(help_text="What the authority answered: a TimeStampResp in DER.")
    authority = models.CharField(max_length=200)
    stamped_at = models.DateTimeField(help_text="By the authority's clock.")


class StampTry(models.Model):
    """The checkpoint that waits for its stamp, since when, and why it has none yet. At most one row."""

    checkpoint = models.OneToOneField(Checkpoint, on_delete=models.CASCADE, primary_key=True, related_name="+")
    began_at = models.DateTimeField()
    due_at = models.DateTimeField()
    error = models.CharField(max_length=300)


class VerifierKey(models.Model):
    """The public half of a key that has signed. Its private half is in a file, never here."""

    text = models.CharField(primary_key=True, max_length=400)
    first_used_at = models.DateTimeField()


class InstallationTree(models.Model):
    """How far the installation's tree has grown: one row, whose lock makes sealers run one after the other."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    day = models.DateField(null=True, help_text="Of the newest seals. It never goes back, whatever a clock says.")
    size = models.BigIntegerField(default=0)
    packed = models.BinaryField(default=b"", help_text="The roots of its whole subtrees.")

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_installation_tree")]


class StoreTree(models.Model):
    """How far a store's tree of its newest day has grown, and the last number of each kind."""

    store_id = models.IntegerField(primary_key=True)
    day = models.DateField()
    size = models.BigIntegerField()
    packed = models.BinaryField()
    numbers = models.JSONField()


class SealMark(models.Model):
    """Up to where a source of records is sealed: everything up to this transaction and row."""

    source = models.CharField(primary_key=True, max_length=16)
    xid = models.BigIntegerField()
    row_id = models.BigIntegerField()


class DailyBalance(models.Model):
    """What sealed entries of one business date moved on an account, in minor units."""

    pk = models.CompositePrimaryKey("store_id", "business_date", "account_id", "currency")
    store_id = models.IntegerField()
    business_date = models.DateField()
    account_id = models.CharField(max_length=16)
    currency = models.CharField(max_length=3)
    debit = models.BigIntegerField()
    credit = models.BigIntegerField()
