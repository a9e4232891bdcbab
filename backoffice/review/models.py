"""What people keep of the console for themselves."""

from django.conf import settings
from django.db import models

MAX_NAME = 60
MAX_QUERY = 1_000


class SavedView(models.Model):
    """The filters and the search of a list under a name. `store` is the one that they narrow it to, where they do."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=60, help_text="The list: the name of its model.")
    name = models.CharField(max_length=MAX_NAME)
    query = models.CharField(max_length=MAX_QUERY, blank=True, help_text="As in the address; sorted by name.")
    store = models.ForeignKey("fleet.Store", null=True, on_delete=models.CASCADE, related_name="+")
    is_shared = models.BooleanField(default=False)
    made_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        permissions = [("share_savedview", "Can share saved views of lists with everybody")]
        constraints = [models.UniqueConstraint(fields=["person", "kind", "name"], name="one_view_of_a_name")]
        indexes = [models.Index(fields=["kind"], condition=models.Q(is_shared=True), name="review_shared_views")]

    def __str__(self) -> str:
        return self.name
