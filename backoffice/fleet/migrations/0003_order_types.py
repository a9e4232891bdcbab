"""A store's own types of order. Empty, the protocol's three hold, as they do for a version that does not know the column."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('fleet', '0002_heartbeat_and_rotation'),
    ]

    operations = [
        # A column without a default rewrites nothing. Each batch reads its store: give up rather than queue them.
        migrations.RunSQL("SET LOCAL lock_timeout = '3s'", "SET LOCAL lock_timeout = '3s'"),
        migrations.AddField(
            model_name='store',
            name='order_types',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=64), blank=True, help_text="Orders of other types are posted and flagged. Empty, the protocol's own three are known.", null=True, size=None),
        ),
    ]
