"""How a store rounds, and how much a count may differ. NULL in both, as a version that does not know them leaves it."""

import django.core.validators
from django.db import migrations, models
from django.db.models import Q

ROUNDING_MODES = ("nearest", "down", "up")


class Migration(migrations.Migration):
    dependencies = [("fleet", "0005_settings_are_within_bounds")]

    operations = [
        # Columns without a default rewrite nothing, and checks look at a few stores. Each batch reads its store: give up
        # rather than queue them.
        migrations.RunSQL("SET LOCAL lock_timeout = '3s'", "SET LOCAL lock_timeout = '3s'"),
        migrations.AddField(
            model_name="store",
            name="rounding_mode",
            field=models.CharField(
                blank=True,
                choices=[(mode, mode) for mode in ROUNDING_MODES],
                help_text="Which multiple of the step a total is rounded to. Empty, it is the nearest.",
                max_length=7,
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="store",
            name="max_over_short",
            field=models.BigIntegerField(
                blank=True,
                help_text="Minor units. A shift whose count differs by more is discrepant. Empty, none is for that.",
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
                condition=Q(rounding_mode__in=ROUNDING_MODES), name="store_rounding_mode_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="store",
            constraint=models.CheckConstraint(
                condition=Q(max_over_short__range=(0, 10**12)), name="store_max_over_short_bounded"
            ),
        ),
    ]
