"""What a reader's stores are, and rows narrowed to them: every view of the console gets its rows from here.

Whoever is bound to stores finds nothing of any other: not in a list, a choice, a sum or by its address. The page of each
kind of row declares the way to its store (`ConsoleAdmin.store_path`); a check fails for one that declares none.
"""

from typing import Any, TypeVar

from django import forms
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from backoffice.books.people import Reach, reach_of
from backoffice.fleet.models import Store

Row = TypeVar("Row", bound=Model)
AnyForm = TypeVar("AnyForm", bound=forms.BaseForm)

OF_THE_COMPANY = ""
"""The way to the store of what is of none: the chart of accounts. It is shown to whoever may see its kind."""
OF_HEAD_OFFICE = "-"
"""The way of what concerns every store at once, such as a webhook. Whoever is bound to stores sees none of it."""


def my_reach(request: HttpRequest) -> Reach:
    """The reader's stores, read once for each request: what was taken from somebody is gone with their next."""
    reach: Reach | None = getattr(request, "reach", None)
    if reach is None:
        reach = reach_of(request.user)
        request.reach = reach  # type: ignore[attr-defined]
    return reach


def mine(request: HttpRequest, queryset: QuerySet[Row], path: str | None = None) -> QuerySet[Row]:
    """The rows of the reader's stores, by `path` or, of what has a page in the console, by the way that this declares."""
    reach = my_reach(request)
    if path is not None:
        return reach.of(queryset, path)
    page: Any = admin.site._registry[queryset.model]  # noqa: SLF001 - Django has no public way to find a model's page
    narrowed: QuerySet[Row] = page.of_reach(queryset, reach)
    return narrowed


def my_stores(request: HttpRequest) -> QuerySet[Store]:
    """The reader's stores, in the order of their codes."""
    return mine(request, Store.objects.all())


def choices(request: HttpRequest, queryset: QuerySet[Row]) -> QuerySet[Row]:
    """What the reader may choose from: of what has a page in the console, their own; all of anything else."""
    return mine(request, queryset) if admin.site.is_registered(queryset.model) else queryset


def own_choices(request: HttpRequest, form: AnyForm) -> AnyForm:
    """The form, its choices of rows narrowed to the reader's stores: another is no valid choice."""
    for field in form.fields.values():
        if isinstance(field, forms.ModelChoiceField) and field.queryset is not None:
            field.queryset = choices(request, field.queryset)
    return form
