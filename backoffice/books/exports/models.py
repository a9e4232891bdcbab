"""Profiles and their maps, runs, revisions and their sums: only ever added. Jobs and kept files come and go."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

FORMATS = ["gl-csv", "gl-csv-summary", "beancount", "hledger", "fec", "xero", "jsonl", "parquet"]
JOB_STATES = ["waiting", "running", "done", "failed"]


class ExportProfile(models.Model):
    """A target: what another program is sent, and in which form. A new map is a new row of `ExportMap`."""

    name = models.SlugField(max_length=40, unique=True)
    format = models.CharField(max_length=16, choices=[(name, name) for name in FORMATS])
    granularity = models.CharField(max_length=5, choices=[("entry", "entry"), ("day", "store, day and account")])
    currency = models.CharField(max_length=3, blank=True, help_text="Empty, each store's own.")
    siren = models.CharField(max_length=9, blank=True, help_text="Of the company, for the name of an FEC.")
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class ExportMap(models.Model):
    """Which external code a profile has for account, tax code and payment method; empty lines, each account's own code.

    `lines` are `[[account, tax_code, method, code, name, tax_rate]]`, where an empty tax code or method is any.
    """

    profile = models.ForeignKey(ExportProfile, on_delete=models.PROTECT, related_name="maps")
    version = models.IntegerField()
    lines = models.JSONField(default=list)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["profile", "version"], name="one_map_per_version")]

    def __str__(self) -> str:
        return f"{self.profile_id}, version {self.version}"


class ExportRun(models.Model):
    """What was decided to be sent: up to a seal number, with everything that the files depend on as it was then."""

    profile = models.ForeignKey(ExportProfile, on_delete=models.PROTECT, related_name="+")
    number = models.IntegerField(help_text="Of its profile.")
    map = models.ForeignKey(ExportMap, on_delete=models.PROTECT, related_name="+")
    store = models.ForeignKey("fleet.Store", on_delete=models.PROTECT, related_name="+")
    first_day = models.DateField()
    last_day = models.DateField()
    upto = models.BigIntegerField(help_text="The newest seal number of the store's entries.")
    currency = models.CharField(max_length=3)
    names = models.JSONField(help_text="Names of the store, its terminals and the accounts, and where methods post.")
    decided_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["profile", "number"], name="one_run_per_number")]

    def __str__(self) -> str:
        return f"run {self.number} of {self.profile_id}"


class ExportRevision(models.Model):
    """What a run sends of one store and day: entries of this business date with seal numbers above `after`, up to `upto`."""

    run = models.ForeignKey(ExportRun, on_delete=models.PROTECT, related_name="revisions")
    profile = models.ForeignKey(ExportProfile, on_delete=models.PROTECT, related_name="+")
    store = models.ForeignKey("fleet.Store", on_delete=models.PROTECT, related_name="+")
    business_date = models.DateField()
    number = models.IntegerField()
    after = models.BigIntegerField()
    upto = models.BigIntegerField()
    entry_count = models.BigIntegerField()
    reference = models.CharField(max_length=60)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["profile", "store", "business_date", "number"], name="one_revision_per_number"
            ),
            # Two runs that begin at the same place would send the same entries twice.
            models.UniqueConstraint(fields=["profile", "store", "business_date", "after"], name="nothing_sent_twice"),
            models.CheckConstraint(condition=Q(upto__gt=models.F("after")), name="revision_has_a_range"),
        ]

    def __str__(self) -> str:
        return self.reference


class ExportedSum(models.Model):
    """What a revision moves, in minor units of its run's currency, by account, tax code and payment method."""

    pk = models.CompositePrimaryKey("revision", "account_id", "tax_code", "method")
    revision = models.ForeignKey(ExportRevision, on_delete=models.PROTECT, related_name="sums")
    account_id = models.CharField(max_length=16)
    tax_code = models.CharField(max_length=64)
    method = models.CharField(max_length=16)
    debit = models.BigIntegerField()
    credit = models.BigIntegerField()


class ExportWritten(models.Model):
    """The files of a run as they were first written: `[{"name", "bytes", "sha256"}]`. A repeat must equal them."""

    run = models.OneToOneField(ExportRun, primary_key=True, on_delete=models.PROTECT, related_name="written")
    files = models.JSONField()
    written_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"files of run {self.run_id}"


class ExportJob(models.Model):
    """Somebody asked for an export. `keeps` says that its files stay here for a while, to be downloaded."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    profile = models.ForeignKey(ExportProfile, on_delete=models.PROTECT, related_name="+")
    store = models.ForeignKey("fleet.Store", on_delete=models.PROTECT, related_name="+")
    first_day = models.DateField()
    last_day = models.DateField()
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", help_text="None for a command."
    )
    address = models.GenericIPAddressField(null=True)
    asked_at = models.DateTimeField()
    keeps = models.BooleanField()
    state = models.CharField(max_length=7, choices=[(state, state) for state in JOB_STATES], default="waiting")
    attempts = models.IntegerField(default=0)
    run = models.ForeignKey(ExportRun, null=True, on_delete=models.PROTECT, related_name="jobs")
    entries_done = models.BigIntegerField(default=0)
    ended_at = models.DateTimeField(null=True)
    words = models.TextField(blank=True, help_text="Why it failed.")

    class Meta:
        permissions = [("run_export", "Can run exports and download them")]
        indexes = [
            models.Index(fields=["asked_at", "id"], name="exports_job_by_time"),
            models.Index(fields=["state"], condition=~Q(state__in=["done", "failed"]), name="exports_job_unfinished"),
        ]

    def __str__(self) -> str:
        return f"export of {self.first_day} to {self.last_day}"


class KeptPiece(models.Model):
    """A piece of a file that can be downloaded. It can be made again, and is deleted after a while."""

    pk = models.CompositePrimaryKey("job", "name", "position")
    job = models.ForeignKey(ExportJob, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=200)
    position = models.IntegerField()
    data = models.BinaryField()


class ExportDownload(models.Model):
    """Somebody took a file of an export with them."""

    job = models.ForeignKey(ExportJob, on_delete=models.PROTECT, related_name="downloads")
    name = models.CharField(max_length=200)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    address = models.GenericIPAddressField(null=True)
    taken_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}, taken at {self.taken_at}"
