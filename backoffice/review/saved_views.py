"""Saved views: the filters and the search of a list under a name, above that list (docs/console.md, "Lists")."""

from typing import Any, NamedTuple
from urllib.parse import unquote_plus, urlencode

from django import forms
from django.contrib.admin.views.main import SEARCH_VAR
from django.db.models import QuerySet
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
    """The saved views of a list that the reader may open, and the form that saves another. Two statements."""
    current = own_query(page, request.GET)
    views = [
        ShownView(one.pk, one.name, one.query, _shared_by(one, request), one.query == current)
        for one in _views_of(request, kind=str(page.opts.model_name))
    ]
    may_share = request.user.has_perm(RIGHT)
    removable = [one for one in views if one.is_current and (may_share or not one.person)]
    chosen = min(removable, key=lambda one: bool(one.person), default=None)  # one's own before another's
    form = ViewForm(may_share=may_share)
    return {"saved_views": views, "chosen_view": chosen, "view_form": form, "view_query": current}


def _views_of(request: HttpRequest, *, kind: str) -> list[SavedView]:
    """All of one's own, and those of others that are shared."""
    own = SavedView.objects.filter(kind=kind, person=request.user.pk)
    shared = _shared(kind).exclude(person=request.user.pk)
    listed = _within_reach(request, shared).select_related("person").order_by("name", "pk")[:MOST_SHARED]
    return sorted([*own, *listed], key=lambda one: (one.name, one.pk))


def _shared(kind: str) -> QuerySet[SavedView]:
    """What is shared of a list. Of somebody who left, nothing is."""
    return SavedView.objects.filter(kind=kind, is_shared=True, person__is_active=True)


def _within_reach(request: HttpRequest, shared: QuerySet[SavedView]) -> QuerySet[SavedView]:
    """Whoever is bound to stores sees only what is of their stores."""
    reach = my_reach(request)
    return shared if reach == EVERYWHERE else reach.of(shared, "store")


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
    is_shared = bool(form.cleaned_data.get("is_shared"))
    if is_shared and _shared(kind).exclude(person=request.user.pk, name=name).count() >= MOST_SHARED:
        return _("It was not saved: as many views of this list are shared as there can be. Remove one of them.")
    facts: dict[str, Any] = {"query": query, "store": _store_of(request, page, query), "made_at": timezone.now()}
    facts["is_shared"] = is_shared
    SavedView.objects.update_or_create(person_id=request.user.pk, kind=kind, name=name, defaults=facts)
    return None


def _may_be_kept(text: str) -> bool:
    try:
        return without_cards(text, {}).note == text
    except NotDecided:
        return False


def _store_of(request: HttpRequest, page: Any, query: str) -> Store | None:
    chosen = own_choices(request, page.filter_form(QueryDict(query))).chosen
    terminal = chosen.get("terminal")
    return chosen.get("store") or (None if terminal is None else terminal.store)


def remove_view(request: HttpRequest, page: Any, key: str) -> None:
    """Removes one of one's own; of others, what is shared with whoever may share as well."""
    if not key.isdecimal():
        return
    kind = str(page.opts.model_name)
    removable = SavedView.objects.filter(person=request.user.pk, kind=kind)
    if request.user.has_perm(RIGHT):
        removable |= _within_reach(request, _shared(kind))
    removable.filter(pk=int(key)).delete()
