"""The Z reports of terminals, as they were when their shifts settled. Rows are only ever added: see migration 0017."""

from django.db import models


class ZReport(models.Model):
    """One revision of a shift's Z: its figures as they stood then, the same for ever (docs/store-days.md, "X and Z").

    `place` counts the revisions of a terminal without a gap. `total_sales` and `total_refunds` are the terminal's perpetual
    totals in its currency after this one: those before, and what this revision says more than the one before it.
    """

    terminal = models.ForeignKey("fleet.Terminal", on_delete=models.PROTECT, related_name="+")
    shift = models.ForeignKey("sales.Shift", on_delete=models.PROTECT, related_name="z_reports")
    z_number = models.BigIntegerField()
    revision = models.IntegerField()
    place = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    sales = models.BigIntegerField(help_text="Minor units, as the shift's figures have them.")
    refunds = models.BigIntegerField(help_text="Minor units, 0 or below.")
    total_sales = models.BigIntegerField(help_text="Perpetual: never reset.")
    total_refunds = models.BigIntegerField()
    head = models.JSONField(help_text="Store, terminal and shift, as they were called.")
    figures = models.JSONField()
    seal = models.TextField(null=True, help_text="The newest checkpoint of the books then.")  # noqa: DJ001 - none yet is no empty note
    before_id = models.BigIntegerField(help_text="Orders and entries of its terminal below this number were there.")
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shift", "revision"], name="one_z_per_revision"),
            models.UniqueConstraint(fields=["terminal", "place"], name="one_z_per_place"),
        ]

    def __str__(self) -> str:
        return f"Z {self.z_number}, revision {self.revision}"
