"""For how many years a store keeps its books. The database knows the default: a version before this one leaves it out."""

import django.core.validators
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("fleet", "0008_cache_keys")]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '3s'", "SET LOCAL lock_timeout = '3s'"),
        migrations.AddField(
            model_name="store",
            name="retention_years",
            field=models.PositiveSmallIntegerField(
                db_default=10,
                default=10,
                help_text="Years for which orders and journal are kept, from the end of their month.",
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(100),
                ],
            ),
        ),
        migrations.AddConstraint(
            model_name="store",
            constraint=models.CheckConstraint(
                condition=Q(retention_years__range=(1, 100)), name="store_retention_years_bounded"
            ),
        ),
    ]
