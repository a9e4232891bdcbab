"""The forms by which roles and stores are given: of one person, and of several at once."""

from typing import Any

from django import forms
from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from backoffice.books.access import AccessChange, roles_to_give
from backoffice.books.models import Membership
from backoffice.books.people import OWN_STORES_ONLY
from backoffice.books.roles import ADMINISTRATORS, AUDITORS, FLEET_MANAGERS, REVIEWERS, STORE_MANAGERS
from backoffice.fleet.models import Store, check_printable
from backoffice.review.reach import my_stores
from backoffice.trail.acting import MAX_REASON

EVERYWHERE, NAMED = "everywhere", "named"
GIVEN_AND_TAKEN = ("give_roles", "take_roles", "give_stores", "take_stores")

ROLE_WORDS = {
    AUDITORS: _("see everything, decide nothing"),
    REVIEWERS: _("decide about orders, shifts and periods; run exports"),
    FLEET_MANAGERS: _("stores, terminals, activation codes"),
    STORE_MANAGERS: _("their own stores, and nothing else"),
    ADMINISTRATORS: _("everything, and who may what"),
}


class Boxes(forms.ModelMultipleChoiceField):  # type: ignore[type-arg] # as in `ReasonedForm`
    """Several of what there is, each with a box. What was ticked when the form was shown comes back with it."""

    def __init__(self, queryset: Any, **how: Any) -> None:
        widget = forms.CheckboxSelectMultiple()
        super().__init__(queryset, required=False, widget=widget, show_hidden_initial=True, **how)

    def label_from_instance(self, obj: Any) -> str:
        """A role with what it is for."""
        words = ROLE_WORDS.get(str(obj)) if isinstance(obj, Group) else None
        return str(obj) if words is None else f"{obj}: {words}"


class WhyForm(forms.Form):
    """Asks why; the answer is for the audit trail."""

    def __init__(self, data: Any, *, prefix: str = "access") -> None:
        super().__init__(data, prefix=prefix, label_suffix="")

    why = forms.CharField(label=_("Why"), required=False, max_length=MAX_REASON, validators=[check_printable])


class PersonAccessForm(WhyForm):
    """What one person may."""

    may_log_in = forms.BooleanField(label=_("May log in"), required=False, show_hidden_initial=True)
    roles = Boxes(Group.objects.none(), label=_("Roles"))
    works = forms.ChoiceField(
        label=_("Works in"),
        choices=[
            (EVERYWHERE, _("every store, also those to come")),
            (NAMED, _("the stores named below, and no others")),
        ],
        widget=forms.RadioSelect(),
        show_hidden_initial=True,
    )
    stores = Boxes(Store.objects.none(), label=_("Stores"))
    field_order = ("may_log_in", "roles", "works", "stores", "why")

    def __init__(self, request: HttpRequest, person: User) -> None:
        super().__init__(request.POST if request.method == "POST" else None)
        _offer(self, request, roles=("roles",), stores=("stores",))
        membership = Membership.objects.filter(person=person).first()
        is_own_only = person.has_perm(OWN_STORES_ONLY) and not person.is_superuser
        self.initial = {
            "may_log_in": person.is_active,
            "roles": list(person.groups.values_list("pk", flat=True)),
            "works": NAMED if membership is not None or is_own_only else EVERYWHERE,
            "stores": [] if membership is None else list(membership.stores.values_list("pk", flat=True)),
        }

    def change(self) -> AccessChange:
        """What is different from what the form showed: what others have changed since stays."""
        roles, stores = self._moved("roles"), self._moved("stores")
        wanted = self.cleaned_data
        everywhere = wanted["works"] == EVERYWHERE if "works" in self.changed_data else None
        may_log_in = wanted["may_log_in"] if "may_log_in" in self.changed_data else None
        nowhere: frozenset[int] = frozenset()
        given, taken = (nowhere, nowhere) if wanted["works"] == EVERYWHERE else stores
        return AccessChange(*roles, given, taken, everywhere, may_log_in)

    def _moved(self, name: str) -> tuple[frozenset[int], frozenset[int]]:
        """The keys that were ticked, and those that were unticked."""
        field: Any = self.fields[name]
        shown = field.hidden_widget().value_from_datadict(self.data, self.files, self.add_initial_prefix(name))
        before = {int(key) for key in shown if key.isdecimal()}
        after = {row.pk for row in self.cleaned_data[name]}
        offered = {row.pk for row in field.queryset}
        return frozenset(after - before), frozenset((before - after) & offered)


class SeveralAccessForm(WhyForm):
    """What several people are given, and what is taken from them; all else stays as each has it."""

    give_roles = Boxes(Group.objects.none(), label=_("Give these roles"))
    take_roles = Boxes(Group.objects.none(), label=_("Take these roles"))
    give_stores = Boxes(Store.objects.none(), label=_("Give these stores"))
    take_stores = Boxes(Store.objects.none(), label=_("Take these stores"))
    field_order = (*GIVEN_AND_TAKEN, "why")

    def __init__(self, request: HttpRequest, *, is_sent: bool) -> None:
        super().__init__(request.POST if is_sent else None)
        _offer(self, request, roles=("give_roles", "take_roles"), stores=("give_stores", "take_stores"))

    def change(self) -> AccessChange:
        """What is given and taken."""
        keys: dict[str, Any] = {name: frozenset(row.pk for row in self.cleaned_data[name]) for name in GIVEN_AND_TAKEN}
        return AccessChange(**keys)


def _offer(form: forms.Form, request: HttpRequest, *, roles: tuple[str, ...], stores: tuple[str, ...]) -> None:
    """Only what the reader may give themselves."""
    assert isinstance(request.user, User)  # noqa: S101 - whoever is not logged in came no further
    own = [group.pk for group in roles_to_give(request.user)]
    for name in roles:
        form.fields[name].queryset = Group.objects.filter(pk__in=own).order_by("name")  # type: ignore[attr-defined]
    for name in stores:
        form.fields[name].queryset = my_stores(request)  # type: ignore[attr-defined]
