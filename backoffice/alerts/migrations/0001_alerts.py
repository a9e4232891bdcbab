"""Alerts and what is sent about them: rules, recipients, mails, webhooks. A new installation has sensible rules."""

import backoffice.fleet.models
import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import uuid
from django.conf import settings
from django.db import migrations, models

from backoffice.trail.watching import watch_table

STORE = "SELECT name || ' · ' || code FROM fleet_store WHERE id = $1::int"
USER = "SELECT username FROM auth_user WHERE id = $1::int"
GIVEN = {"INSERT": "given", "DELETE": "taken"}
# For all stores: kind, warning from, critical from. What may be over or short is a matter of each store.
RULES = [
    ("silent", 15, 60),
    ("cached", 200, 1000),
    ("waiting", 10, 60),
    ("open-long", 16, 36),
    ("gap", 2, 24),
    ("unsealed", 15, 60),
]


def create_rules(apps, schema_editor):
    rule = apps.get_model("alerts", "AlertRule")
    rule.objects.using(schema_editor.connection.alias).bulk_create(
        rule(kind=kind, store=None, warning=warning, critical=critical) for kind, warning, critical in RULES
    )


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('fleet', '0010_store_days'),
        ('trail', '0002_decisions_and_exports'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        # Foreign keys lock stores, terminals and people for a moment: it must give up soon if it cannot have that.
        migrations.RunSQL("SET LOCAL lock_timeout = '3s'", migrations.RunSQL.noop),
        migrations.CreateModel(
            name='WebhookDelivery',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('delivered', 'Delivered'), ('failed', 'Given up'), ('dropped', 'Endpoint turned off')], default='waiting', max_length=9)),
                ('due_at', models.DateTimeField()),
                ('attempts', models.IntegerField(default=0, help_text='Since it was asked for last.')),
                ('made_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
            ],
            options={
                'verbose_name': 'webhook delivery',
                'verbose_name_plural': 'webhook deliveries',
            },
        ),
        migrations.CreateModel(
            name='Alert',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('silent', 'A till is silent while its shift is open'), ('cached', 'A till keeps many orders that it has not sent'), ('waiting', 'An upload waits to be processed'), ('open-long', 'A shift stays open'), ('gap', 'A closed shift lacks orders'), ('over-short', 'A drawer is over or short'), ('unsealed', 'Entries wait for their seal')], max_length=16)),
                ('subject', models.CharField(blank=True, help_text='Empty: the store, or the service, as a whole.', max_length=64)),
                ('shift_id', models.UUIDField(null=True)),
                ('names', models.JSONField(default=list, help_text='Tills as they were called; the first of many.')),
                ('members', models.IntegerField(default=1)),
                ('severity', models.SmallIntegerField(choices=[(1, 'Warning'), (2, 'Critical')])),
                ('worst', models.SmallIntegerField(choices=[(1, 'Warning'), (2, 'Critical')])),
                ('value', models.BigIntegerField()),
                ('since', models.DateTimeField(help_text='When what it is about began.', null=True)),
                ('raised_at', models.DateTimeField()),
                ('resolved_at', models.DateTimeField(null=True)),
                ('changes', models.IntegerField(default=1, help_text='How many rows its history has.')),
                ('snoozed_until', models.DateTimeField(null=True)),
                ('place', models.GeneratedField(db_persist=True, expression=models.Case(models.When(resolved_at__isnull=False, then=models.Value(0)), models.When(snoozed_until__isnull=False, then=models.Value(1)), default=django.db.models.expressions.CombinedExpression(models.F('severity'), '+', models.Value(1))), output_field=models.SmallIntegerField())),
                ('snoozed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('store', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='fleet.store')),
                ('terminal', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='fleet.terminal')),
            ],
            options={
                'verbose_name': 'alert',
                'verbose_name_plural': 'alerts',
                'permissions': [('snooze_alert', 'Can snooze an alert')],
            },
        ),
        migrations.CreateModel(
            name='AlertChange',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('number', models.IntegerField()),
                ('what', models.CharField(choices=[('raised', 'raised'), ('worsened', 'worsened'), ('eased', 'eased'), ('resolved', 'resolved'), ('grouped', 'grouped'), ('snoozed', 'snoozed'), ('woken', 'woken')], max_length=8)),
                ('severity', models.SmallIntegerField(choices=[(1, 'Warning'), (2, 'Critical')])),
                ('value', models.BigIntegerField()),
                ('at', models.DateTimeField()),
                ('until', models.DateTimeField(help_text='Of a snooze.', null=True)),
                ('note', models.CharField(blank=True, max_length=500)),
                ('alert', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='steps', to='alerts.alert')),
                ('person', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='AlertMail',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('key', models.CharField(max_length=80, null=True, unique=True)),
                ('kind', models.CharField(choices=[('alerts', 'alerts'), ('digest', 'digest'), ('webhook', 'webhook')], max_length=8)),
                ('address', models.EmailField(max_length=254)),
                ('subject', models.CharField(max_length=300)),
                ('body', models.TextField()),
                ('made_at', models.DateTimeField()),
                ('due_at', models.DateTimeField()),
                ('attempts', models.IntegerField(default=0)),
                ('sent_at', models.DateTimeField(null=True)),
                ('failed_at', models.DateTimeField(null=True)),
                ('error', models.CharField(blank=True, max_length=300)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='AlertRecipient',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('language', models.CharField(choices=[('en', 'English'), ('fr', 'French')], default='en', max_length=8, verbose_name='language')),
                ('least', models.SmallIntegerField(choices=[(1, 'Warning'), (2, 'Critical')], default=1, verbose_name='from')),
                ('alerts', models.BooleanField(db_default=True, default=True, verbose_name='each alert')),
                ('digest', models.BooleanField(db_default=False, default=False, verbose_name='summary every morning')),
                ('person', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='alert_mails', to=settings.AUTH_USER_MODEL, verbose_name='person')),
                ('stores', models.ManyToManyField(blank=True, help_text='Empty: all stores.', related_name='+', to='fleet.store', verbose_name='stores')),
            ],
            options={
                'verbose_name': 'recipient of mails',
                'verbose_name_plural': 'recipients of mails',
            },
        ),
        migrations.CreateModel(
            name='AlertRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('silent', 'A till is silent while its shift is open'), ('cached', 'A till keeps many orders that it has not sent'), ('waiting', 'An upload waits to be processed'), ('open-long', 'A shift stays open'), ('gap', 'A closed shift lacks orders'), ('over-short', 'A drawer is over or short'), ('unsealed', 'Entries wait for their seal')], max_length=16, verbose_name='about')),
                ('warning', models.BigIntegerField(blank=True, null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1000000000000)], verbose_name='warning from')),
                ('critical', models.BigIntegerField(blank=True, null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1000000000000)], verbose_name='critical from')),
                ('store', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='fleet.store', verbose_name='store')),
            ],
            options={
                'verbose_name': 'alert rule',
                'verbose_name_plural': 'alert rules',
            },
        ),
        migrations.CreateModel(
            name='MailNotice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('is_moot', models.BooleanField(db_default=False, default=False, help_text='It ended before it could be told.')),
                ('change', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='alerts.alertchange')),
                ('mail', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='notices', to='alerts.alertmail')),
                ('recipient', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='alerts.alertrecipient')),
            ],
        ),
        migrations.CreateModel(
            name='QuietHours',
            fields=[
                ('store', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='fleet.store', verbose_name='store')),
                ('begins_at', models.TimeField(verbose_name='from')),
                ('ends_at', models.TimeField(verbose_name='to')),
                ('critical_anyway', models.BooleanField(db_default=True, default=True, verbose_name='critical alerts are mailed all the same')),
            ],
            options={
                'verbose_name': 'quiet hours',
                'verbose_name_plural': 'quiet hours',
                'constraints': [models.CheckConstraint(condition=models.Q(('begins_at', models.F('ends_at')), _negated=True), name='quiet_hours_are_not_for_ever')],
            },
        ),
        migrations.CreateModel(
            name='DeliveryAttempt',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('began_at', models.DateTimeField()),
                ('took_ms', models.IntegerField(null=True)),
                ('status', models.IntegerField(null=True)),
                ('error', models.CharField(blank=True, max_length=300)),
                ('answer', models.CharField(blank=True, max_length=1000)),
                ('delivery', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tries', to='alerts.webhookdelivery')),
            ],
        ),
        migrations.CreateModel(
            name='WebhookEndpoint',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100, validators=[backoffice.fleet.models.check_printable], verbose_name='name')),
                ('url', models.CharField(max_length=1000, validators=[django.core.validators.URLValidator(schemes=['https', 'http']), backoffice.fleet.models.check_printable], verbose_name='address')),
                ('events', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=32), size=None, verbose_name='events')),
                ('is_active', models.BooleanField(default=True, verbose_name='on')),
                ('off_because', models.CharField(blank=True, max_length=300)),
                ('rests_until', models.DateTimeField(help_text='It was slow: others go first until then.', null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='owner')),
                ('store', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='fleet.store', verbose_name='store')),
            ],
            options={
                'verbose_name': 'webhook endpoint',
                'verbose_name_plural': 'webhook endpoints',
            },
        ),
        migrations.AddField(
            model_name='webhookdelivery',
            name='endpoint',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='alerts.webhookendpoint'),
        ),
        migrations.CreateModel(
            name='WebhookMessage',
            fields=[
                ('message_id', models.CharField(max_length=40, primary_key=True, serialize=False)),
                ('source', models.CharField(max_length=80, unique=True)),
                ('type', models.CharField(choices=[('alert.raised', 'An alert begins'), ('alert.worsened', 'An alert becomes critical'), ('alert.resolved', 'An alert ends'), ('shift.reconciled', 'A shift adds up'), ('order.held', 'An order is held'), ('test', 'A test message')], max_length=32)),
                ('happened_at', models.DateTimeField()),
                ('body', models.TextField()),
                ('store', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='fleet.store')),
            ],
        ),
        migrations.AddField(
            model_name='webhookdelivery',
            name='message',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='alerts.webhookmessage'),
        ),
        migrations.CreateModel(
            name='WebhookSecret',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sealed', models.BinaryField(help_text='Encrypted with a key that is derived from SECRET_KEY.')),
                ('created_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField(null=True)),
                ('endpoint', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='secrets', to='alerts.webhookendpoint')),
            ],
        ),
        migrations.AddIndex(
            model_name='alert',
            index=models.Index(fields=['place', 'id'], name='alerts_by_place'),
        ),
        migrations.AddIndex(
            model_name='alert',
            index=models.Index(fields=['store', 'raised_at'], name='alerts_by_store'),
        ),
        migrations.AddIndex(
            model_name='alert',
            index=models.Index(fields=['resolved_at'], name='alerts_by_end'),
        ),
        migrations.AddConstraint(
            model_name='alert',
            constraint=models.UniqueConstraint(condition=models.Q(('resolved_at__isnull', True)), fields=('kind', 'store', 'subject'), name='one_open_alert_per_matter', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='alert',
            constraint=models.CheckConstraint(condition=models.Q(('severity__in', [1, 2])), name='alert_severity_known'),
        ),
        migrations.AddConstraint(
            model_name='alert',
            constraint=models.CheckConstraint(condition=models.Q(('worst__gte', models.F('severity'))), name='alert_worst_is_worst'),
        ),
        migrations.AddConstraint(
            model_name='alertchange',
            constraint=models.UniqueConstraint(fields=('alert', 'number'), name='one_alert_change_per_number'),
        ),
        migrations.AddConstraint(
            model_name='alertchange',
            constraint=models.UniqueConstraint(condition=models.Q(('what', 'raised')), fields=('alert',), name='an_alert_is_raised_once'),
        ),
        migrations.AddConstraint(
            model_name='alertchange',
            constraint=models.UniqueConstraint(condition=models.Q(('what__in', ['resolved', 'grouped'])), fields=('alert',), name='an_alert_ends_once'),
        ),
        migrations.AddConstraint(
            model_name='alertchange',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('what', 'snoozed'), _negated=True), models.Q(('person__isnull', False), ('until__isnull', False)), _connector='OR'), name='a_snooze_has_person_and_end'),
        ),
        migrations.AddIndex(
            model_name='alertmail',
            index=models.Index(condition=models.Q(('failed_at__isnull', True), ('sent_at__isnull', True)), fields=['due_at'], name='alerts_mail_waiting'),
        ),
        migrations.AddIndex(
            model_name='alertmail',
            index=models.Index(fields=['person', 'made_at'], name='alerts_mail_by_person'),
        ),
        migrations.AddConstraint(
            model_name='alertrule',
            constraint=models.UniqueConstraint(fields=('kind', 'store'), name='one_alert_rule_per_store', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='alertrule',
            constraint=models.CheckConstraint(condition=models.Q(('warning__range', (1, 1000000000000))), name='alert_rule_warning_bounded'),
        ),
        migrations.AddConstraint(
            model_name='alertrule',
            constraint=models.CheckConstraint(condition=models.Q(('critical__range', (1, 1000000000000))), name='alert_rule_critical_bounded'),
        ),
        migrations.AddConstraint(
            model_name='alertrule',
            constraint=models.CheckConstraint(condition=models.Q(('warning__isnull', True), ('critical__isnull', True), ('critical__gte', models.F('warning')), _connector='OR'), name='alert_rule_critical_after_warning'),
        ),
        migrations.AddIndex(
            model_name='mailnotice',
            index=models.Index(condition=models.Q(('is_moot', False), ('mail__isnull', True)), fields=['recipient'], name='alerts_notice_waiting'),
        ),
        migrations.AddConstraint(
            model_name='mailnotice',
            constraint=models.UniqueConstraint(fields=('change', 'recipient'), name='told_once'),
        ),
        migrations.AddIndex(
            model_name='deliveryattempt',
            index=models.Index(fields=['delivery', 'id'], name='alerts_attempt_by_delivery'),
        ),
        migrations.AddIndex(
            model_name='webhookmessage',
            index=models.Index(fields=['happened_at'], name='alerts_message_by_time'),
        ),
        migrations.AddIndex(
            model_name='webhookdelivery',
            index=models.Index(condition=models.Q(('state', 'waiting')), fields=['endpoint', 'due_at'], name='alerts_delivery_waiting'),
        ),
        migrations.AddIndex(
            model_name='webhookdelivery',
            index=models.Index(fields=['state', 'ended_at'], name='alerts_delivery_by_state'),
        ),
        migrations.AddIndex(
            model_name='webhookdelivery',
            index=models.Index(fields=['endpoint', 'id'], name='alerts_delivery_by_endpoint'),
        ),
        migrations.AddConstraint(
            model_name='webhookdelivery',
            constraint=models.UniqueConstraint(fields=('message', 'endpoint'), name='one_delivery_per_endpoint'),
        ),
        migrations.AddConstraint(
            model_name='webhookdelivery',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['waiting', 'delivered', 'failed', 'dropped'])), name='delivery_state_known'),
        ),
        migrations.AddConstraint(
            model_name='webhooksecret',
            constraint=models.UniqueConstraint(condition=models.Q(('ends_at__isnull', True)), fields=('endpoint',), name='one_newest_webhook_secret'),
        ),
        watch_table(
            "alerts_alertrule",
            about="alert rule",
            title=["kind", "store_id"],
            store="store_id",
            leave_out=["id"],
            names={"store_id": STORE},
        ),
        watch_table(
            "alerts_quiethours",
            about="quiet hours",
            key="store_id",
            title=["store_id"],
            store="store_id",
            names={"store_id": STORE},
        ),
        watch_table(
            "alerts_alertrecipient",
            about="mail recipient",
            title=["person_id"],
            leave_out=["id"],
            names={"person_id": USER},
        ),
        watch_table(
            "alerts_alertrecipient_stores",
            about="mail recipient",
            key="alertrecipient_id",
            title=["store_id"],
            leave_out=["id", "alertrecipient_id"],
            names={"store_id": STORE},
            what=GIVEN,
        ),
        watch_table(
            "alerts_webhookendpoint",
            about="webhook endpoint",
            title=["name"],
            store="store_id",
            leave_out=["id", "rests_until", "created_at"],
            names={"store_id": STORE, "owner_id": USER},
        ),
        watch_table(
            "alerts_webhooksecret",
            about="webhook secret",
            key="endpoint_id",
            title=["endpoint_id"],
            leave_out=["id"],
            hide=["sealed"],
        ),
        migrations.RunPython(create_rules, migrations.RunPython.noop),
    ]
