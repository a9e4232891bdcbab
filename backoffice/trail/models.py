"""The audit trail: one row for each change that somebody made, and for each thing somebody did. See migration 0001."""

from django.db import models


class TrailEntry(models.Model):
    """A change of a watched row, written by its trigger, or an event, written by `events.record_event`.

    `before` and `after` have the columns that changed; of what was added or removed, all that are watched; of an event,
    `after` has what there is to say. Secrets are in neither. `object_id` and the names stay when their rows are gone.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    what = models.CharField(max_length=24)
    about = models.CharField(max_length=40, help_text="The kind of thing, such as `store`.")
    object_id = models.CharField(max_length=64)
    object_name = models.CharField(max_length=300)
    store_id = models.IntegerField(null=True, help_text="The store that it is of, where it is of one.")
    person_id = models.IntegerField(null=True)
    person = models.CharField(max_length=150, help_text="A login. Empty where the service itself did it.")
    address = models.CharField(max_length=50, help_text="Where the request came from; empty for a command.")
    via = models.CharField(max_length=120, help_text="`console`, the command, or the program and role that wrote it.")
    reason = models.CharField(max_length=500)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    xid = models.BigIntegerField(help_text="pg_current_xact_id(), xid8 in the table.")

    class Meta:
        managed = False
        db_table = "trail_entry"
        verbose_name_plural = "trail entries"

    def __str__(self) -> str:
        return f"{self.what} {self.about} {self.object_name}"
