"""Saved views: the filters and the search of a list under a name, above that list (docs/console.md, "Lists")."""

from typing import Any, NamedTuple
from urllib.parse import unquote_plus, urlencode

from django import forms
from django.contrib.admin.views.main import SEARCH_VAR
from django.db.models import Q
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from backoffice.books.cards import without_cards
from backoffice.books.people import EVERYWHERE
from backoffice.books.refusals import NotDecided
from backoffice.fleet.models import Store, check_printable
from backoffice.languages.texts import Words
from backoffice.review.models import MAX_NAME, MAX_QUERY, SavedView
from backoffice.review.reach import my_reach, own_choices

RIGHT = "review.share_savedview"
MOST_OF_A_PERSON, MOST_SHARED = 30, 50


class ViewForm(forms.Form):
    """A name for the filters of a list, which come as in its address."""

    name = forms.CharField(label=_("Name"), max_length=MAX_NAME, validators=[check_printable])
    query = forms.CharField(widget=forms.HiddenInput, required=False, max_length=MAX_QUERY)
    is_shared = forms.BooleanField(label=_("Show it to everybody"), required=False)

    def __init__(self, data: Any = None, *, may_share: bool) -> None:
        super().__init__(data, auto_id="view-%s", label_suffix="")
        if not may_share:
            del self.fields["is_shared"]


class ShownView(NamedTuple):
    """A tab above a list; `person` is who shares it, where that is another."""

    pk: int
    name: str
    query: str
    person: str
    is_current: bool


def view_tools(request: HttpRequest, page: Any) -> dict[str, Any]:
    """The saved views of a list that the reader may open, and the form that saves another. One statement."""
    current = own_query(page, request.GET)
    views = [
        ShownView(one.pk, one.name, one.query, _shared_by(one, request), one.query == current)
        for one in _views_of(request, kind=str(page.opts.model_name))
    ]
    chosen = next((one for one in views if one.is_current and not one.person), None)
    form = ViewForm(may_share=request.user.has_perm(RIGHT))
    return {"saved_views": views, "chosen_view": chosen, "view_form": form, "view_query": current}


def _views_of(request: HttpRequest, *, kind: str) -> list[SavedView]:
    """One's own, and those that are shared. Whoever is bound to stores sees of these only what is of their stores."""
    reach = my_reach(request)
    shared = SavedView.objects.filter(kind=kind, is_shared=True).exclude(person=request.user.pk)
    shared = shared if reach == EVERYWHERE else reach.of(shared, "store")
    own = SavedView.objects.filter(kind=kind, person=request.user.pk)
    listed = SavedView.objects.filter(Q(pk__in=own.values("pk")) | Q(pk__in=shared.values("pk")))
    return list(listed.select_related("person").order_by("name", "pk")[: MOST_OF_A_PERSON + MOST_SHARED])


def _shared_by(view: SavedView, request: HttpRequest) -> str:
    return "" if view.person_id == request.user.pk else view.person.get_username()


def own_query(page: Any, sent: QueryDict) -> str:
    """The parameters of a list's own filters and its search that say something, in one order."""
    own = {SEARCH_VAR, *page.own_parameters}
    return urlencode(sorted((name, sent[name]) for name in own if sent.get(name)))


def save_view(request: HttpRequest, page: Any, form: ViewForm) -> Words | None:
    """Keeps a view, in place of one's own of that name. What is wrong with it, or None."""
    if not form.is_valid():
        return _("It was not saved: give it a short name.")
    name, query = form.cleaned_data["name"], own_query(page, QueryDict(form.cleaned_data["query"]))
    if len(query) > MAX_QUERY or not _may_be_kept(f"{name} {unquote_plus(query)}"):
        return _("It was not saved: there is something in it that cannot be kept.")
    kind = str(page.opts.model_name)
    others = SavedView.objects.filter(person=request.user.pk, kind=kind).exclude(name=name)
    if others.count() >= MOST_OF_A_PERSON:
        return _("It was not saved: you have as many views of this list as there can be. Remove one.")
    facts: dict[str, Any] = {"query": query, "store": _store_of(request, page, query), "made_at": timezone.now()}
    facts["is_shared"] = bool(form.cleaned_data.get("is_shared"))
    SavedView.objects.update_or_create(person_id=request.user.pk, kind=kind, name=name, defaults=facts)
    return None


def _may_be_kept(text: str) -> bool:
    try:
        return without_cards(text, {}).note == text
    except NotDecided:
        return False


def _store_of(request: HttpRequest, page: Any, query: str) -> Store | None:
    filters = own_choices(request, page.filter_form(QueryDict(query)))
    chosen = filters.cleaned_data if filters.is_valid() else {}
    terminal = chosen.get("terminal")
    return chosen.get("store") or (None if terminal is None else terminal.store)


def remove_view(request: HttpRequest, page: Any, key: str) -> None:
    """Removes one of one's own; of others, nothing."""
    if key.isdecimal():
        own = SavedView.objects.filter(person=request.user.pk, kind=str(page.opts.model_name))
        own.filter(pk=int(key)).delete()
