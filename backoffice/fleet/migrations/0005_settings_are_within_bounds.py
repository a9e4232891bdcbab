"""The checks of 0004 hold for every row: looking at the rows takes no lock that a batch would wait for."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('fleet', '0004_settings_have_bounds'),
    ]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '3s'", "SET LOCAL lock_timeout = '3s'"),
        *(
            ValidateConstraint('store', f'store_{setting}_bounded')
            for setting in ('max_order_total', 'min_refund_total', 'refund_days', 'rounding_step', 'order_types')
        ),
    ]
