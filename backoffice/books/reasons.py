"""The reasons that a person may give, as the console offers them. They are rows: head office adds its own."""

from django.contrib.auth.models import User

from backoffice.books.models import ReasonCode
from backoffice.domain.decisions import Verb


def reasons_open_to(person: User, verb: Verb) -> list[ReasonCode]:
    """The reasons for a verb that are in use, without those of groups that the person is not in. Two statements at most."""
    reasons = list(ReasonCode.objects.filter(verb=verb.value, is_active=True).order_by("pk"))
    if person.is_superuser or all(reason.group_id is None for reason in reasons):
        return reasons
    groups = {None, *person.groups.values_list("pk", flat=True)}
    return [reason for reason in reasons if reason.group_id in groups]
