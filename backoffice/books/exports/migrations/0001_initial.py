"""Profiles with their maps, what was sent by which revision, and jobs. All but jobs and kept files is only ever added."""

import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


GUARD = """
SELECT ledger_guard_append_only('exports_' || name)
FROM unnest(ARRAY['exportprofile', 'exportmap', 'exportrun', 'exportrevision', 'exportedsum', 'exportwritten', 'exportdownload']) AS name;
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('fleet', '0007_second_person'),
        ('ledger', '0007_entries_of_decisions'),
        ('evidence', '0002_entries_by_transaction'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ExportProfile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.SlugField(max_length=40, unique=True)),
                ('format', models.CharField(choices=[('gl-csv', 'gl-csv'), ('gl-csv-summary', 'gl-csv-summary'), ('beancount', 'beancount'), ('hledger', 'hledger'), ('fec', 'fec'), ('xero', 'xero'), ('jsonl', 'jsonl'), ('parquet', 'parquet')], max_length=16)),
                ('granularity', models.CharField(choices=[('entry', 'entry'), ('day', 'store, day and account')], max_length=5)),
                ('currency', models.CharField(blank=True, help_text="Empty, each store's own.", max_length=3)),
                ('siren', models.CharField(blank=True, help_text='Of the company, for the name of an FEC.', max_length=9)),
                ('created_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='ExportRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.IntegerField(help_text='Of its profile.')),
                ('first_day', models.DateField()),
                ('last_day', models.DateField()),
                ('upto', models.BigIntegerField(help_text="The newest seal number of the store's entries.")),
                ('currency', models.CharField(max_length=3)),
                ('names', models.JSONField(help_text='Names of the store, its terminals and the accounts, and where methods post.')),
                ('decided_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='ExportJob',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('first_day', models.DateField()),
                ('last_day', models.DateField()),
                ('address', models.GenericIPAddressField(null=True)),
                ('asked_at', models.DateTimeField()),
                ('keeps', models.BooleanField()),
                ('state', models.CharField(choices=[('waiting', 'waiting'), ('running', 'running'), ('done', 'done'), ('failed', 'failed')], default='waiting', max_length=7)),
                ('attempts', models.IntegerField(default=0)),
                ('entries_done', models.BigIntegerField(default=0)),
                ('ended_at', models.DateTimeField(null=True)),
                ('words', models.TextField(blank=True, help_text='Why it failed.')),
                ('person', models.ForeignKey(help_text='None for a command.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('store', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='fleet.store')),
                ('profile', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='exports.exportprofile')),
            ],
            options={
                'permissions': [('run_export', 'Can run exports and download them')],
            },
        ),
        migrations.CreateModel(
            name='ExportDownload',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200)),
                ('address', models.GenericIPAddressField(null=True)),
                ('taken_at', models.DateTimeField()),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('job', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='downloads', to='exports.exportjob')),
            ],
        ),
        migrations.CreateModel(
            name='ExportMap',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.IntegerField()),
                ('lines', models.JSONField(default=list)),
                ('created_at', models.DateTimeField()),
                ('profile', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='maps', to='exports.exportprofile')),
            ],
        ),
        migrations.CreateModel(
            name='ExportRevision',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('business_date', models.DateField()),
                ('number', models.IntegerField()),
                ('after', models.BigIntegerField()),
                ('upto', models.BigIntegerField()),
                ('entry_count', models.BigIntegerField()),
                ('reference', models.CharField(max_length=60)),
                ('profile', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='exports.exportprofile')),
                ('store', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='fleet.store')),
            ],
        ),
        migrations.CreateModel(
            name='ExportedSum',
            fields=[
                ('pk', models.CompositePrimaryKey('revision', 'account_id', 'tax_code', 'method', blank=True, editable=False, primary_key=True, serialize=False)),
                ('account_id', models.CharField(max_length=16)),
                ('tax_code', models.CharField(max_length=64)),
                ('method', models.CharField(max_length=16)),
                ('debit', models.BigIntegerField()),
                ('credit', models.BigIntegerField()),
                ('revision', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='sums', to='exports.exportrevision')),
            ],
        ),
        migrations.CreateModel(
            name='ExportWritten',
            fields=[
                ('run', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='written', serialize=False, to='exports.exportrun')),
                ('files', models.JSONField()),
                ('written_at', models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name='exportrun',
            name='map',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='exports.exportmap'),
        ),
        migrations.AddField(
            model_name='exportrun',
            name='profile',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='exports.exportprofile'),
        ),
        migrations.AddField(
            model_name='exportrun',
            name='store',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='fleet.store'),
        ),
        migrations.AddField(
            model_name='exportrevision',
            name='run',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='revisions', to='exports.exportrun'),
        ),
        migrations.AddField(
            model_name='exportjob',
            name='run',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='jobs', to='exports.exportrun'),
        ),
        migrations.CreateModel(
            name='KeptPiece',
            fields=[
                ('pk', models.CompositePrimaryKey('job', 'name', 'position', blank=True, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=200)),
                ('position', models.IntegerField()),
                ('data', models.BinaryField()),
                ('job', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='exports.exportjob')),
            ],
        ),
        migrations.AddConstraint(
            model_name='exportmap',
            constraint=models.UniqueConstraint(fields=('profile', 'version'), name='one_map_per_version'),
        ),
        migrations.AddConstraint(
            model_name='exportrun',
            constraint=models.UniqueConstraint(fields=('profile', 'number'), name='one_run_per_number'),
        ),
        migrations.AddConstraint(
            model_name='exportrevision',
            constraint=models.UniqueConstraint(fields=('profile', 'store', 'business_date', 'number'), name='one_revision_per_number'),
        ),
        migrations.AddConstraint(
            model_name='exportrevision',
            constraint=models.UniqueConstraint(fields=('profile', 'store', 'business_date', 'after'), name='nothing_sent_twice'),
        ),
        migrations.AddConstraint(
            model_name='exportrevision',
            constraint=models.CheckConstraint(condition=models.Q(('upto__gt', models.F('after'))), name='revision_has_a_range'),
        ),
        migrations.AddIndex(
            model_name='exportjob',
            index=models.Index(fields=['asked_at', 'id'], name='exports_job_by_time'),
        ),
        migrations.AddIndex(
            model_name='exportjob',
            index=models.Index(condition=models.Q(('state__in', ['done', 'failed']), _negated=True), fields=['state'], name='exports_job_unfinished'),
        ),
        migrations.RunSQL(GUARD, migrations.RunSQL.noop),
    ]
