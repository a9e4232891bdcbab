"""Above which amount a store's decisions take two people. NULL is never, as a version that does not know it leaves it."""

import django.core.validators
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("fleet", "0006_rounding_mode_and_over_short")]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '3s'", "SET LOCAL lock_timeout = '3s'"),
        migrations.AddField(
            model_name="store",
            name="second_person_above",
            field=models.BigIntegerField(
                blank=True,
                help_text="Minor units. What head office decides about more than this takes two people. Empty, no amount does.",
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(0),
                    django.core.validators.MaxValueValidator(10**12),
                ],
            ),
        ),
        migrations.AddConstraint(
            model_name="store",
            constraint=models.CheckConstraint(
                condition=Q(second_person_above__range=(0, 10**12)), name="store_second_person_above_bounded"
            ),
        ),
    ]
