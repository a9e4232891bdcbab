"""What was sold on each store's day, added up once, so that a year is not added up again for every reader.

All of it can be made again from the orders (`rebuild_reports`). It is read with what is not kept yet, so it is never behind.
"""

from django.db import models
from django.db.models import Q


class DayFigure(models.Model):
    """One figure of a store's day and a cashier, in minor units. `figures` says what each is the sum of."""

    id = models.BigAutoField(primary_key=True)
    store_id = models.IntegerField()
    business_date = models.DateField()
    currency = models.CharField(max_length=3)
    cashier = models.CharField(max_length=64)
    figure = models.CharField(max_length=16)
    code = models.CharField(max_length=64)
    rate = models.CharField(max_length=64)
    number = models.BigIntegerField()
    net = models.BigIntegerField()
    tax = models.BigIntegerField()
    amount = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["store_id", "business_date"], name="reports_figure_of_day")]

    def __str__(self) -> str:
        return f"{self.figure} {self.code}"


class KeptDay(models.Model):
    """A store's day whose figures are kept."""

    pk = models.CompositePrimaryKey("store_id", "business_date")
    store_id = models.IntegerField()
    business_date = models.DateField()


class KeptMark(models.Model):
    """What transactions older than this one have written is in the figures that are kept. One row."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    xid = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_kept_mark")]
