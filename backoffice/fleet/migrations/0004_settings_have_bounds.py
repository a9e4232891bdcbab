"""Settings beyond which no order could be processed are brought to their bound, and new ones refused (ADR 26).

The checks are added without a look at the rows, so that the lock that batches would wait for is held for a moment only;
0005 looks. A version from before shows a person a server error for a value that this one refuses in its form.
"""

import django.contrib.postgres.fields
import django.contrib.postgres.validators
import django.core.validators
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

import backoffice.fleet.models

BRING_TO_BOUNDS = """
UPDATE fleet_store SET max_order_total = 0 WHERE max_order_total < 0;
UPDATE fleet_store SET max_order_total = 1000000000000 WHERE max_order_total > 1000000000000;
UPDATE fleet_store SET min_refund_total = 0 WHERE min_refund_total < 0;
UPDATE fleet_store SET min_refund_total = 1000000000000 WHERE min_refund_total > 1000000000000;
UPDATE fleet_store SET refund_days = 3650 WHERE refund_days > 3650;
UPDATE fleet_store SET rounding_step = 1000000 WHERE rounding_step > 1000000;
UPDATE fleet_store SET order_types = order_types[:64] WHERE cardinality(order_types) > 64;
"""

BOUNDS = {
    "store_max_order_total_bounded": models.Q(max_order_total__range=(0, 10**12)),
    "store_min_refund_total_bounded": models.Q(min_refund_total__range=(0, 10**12)),
    "store_refund_days_bounded": models.Q(refund_days__range=(0, 3650)),
    "store_rounding_step_bounded": models.Q(rounding_step__range=(0, 1_000_000)),
    "store_order_types_bounded": models.Q(order_types__len__lte=64),
}


class Migration(migrations.Migration):

    dependencies = [
        ('fleet', '0003_order_types'),
    ]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '3s'", "SET LOCAL lock_timeout = '3s'"),
        migrations.RunSQL(BRING_TO_BOUNDS, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name='store',
            name='code',
            field=models.CharField(max_length=32, unique=True, validators=[backoffice.fleet.models.check_printable]),
        ),
        migrations.AlterField(
            model_name='store',
            name='max_order_total',
            field=models.BigIntegerField(blank=True, help_text='Minor units. Orders above it are posted and flagged. Empty flags nothing.', null=True, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(1000000000000)]),
        ),
        migrations.AlterField(
            model_name='store',
            name='min_refund_total',
            field=models.BigIntegerField(blank=True, help_text='Minor units. Refunds below it are posted and flagged. Empty flags nothing.', null=True, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(1000000000000)]),
        ),
        migrations.AlterField(
            model_name='store',
            name='name',
            field=models.CharField(max_length=200, validators=[backoffice.fleet.models.check_printable]),
        ),
        migrations.AlterField(
            model_name='store',
            name='order_types',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=64, validators=[backoffice.fleet.models.check_printable]), blank=True, help_text="Orders of other types are posted and flagged. Empty, the protocol's own three are known.", null=True, size=None, validators=[django.contrib.postgres.validators.ArrayMaxLengthValidator(64)]),
        ),
        migrations.AlterField(
            model_name='store',
            name='refund_days',
            field=models.PositiveIntegerField(blank=True, null=True, validators=[django.core.validators.MaxValueValidator(3650)]),
        ),
        migrations.AlterField(
            model_name='store',
            name='rounding_step',
            field=models.PositiveIntegerField(blank=True, help_text='Cash rounding in minor units, such as 5 in Switzerland. Empty flags nothing.', null=True, validators=[django.core.validators.MaxValueValidator(1000000)]),
        ),
        migrations.AlterField(
            model_name='terminal',
            name='name',
            field=models.CharField(max_length=100, validators=[backoffice.fleet.models.check_printable]),
        ),
        *(
            AddConstraintNotValid('store', models.CheckConstraint(condition=condition, name=name))
            for name, condition in BOUNDS.items()
        ),
    ]
