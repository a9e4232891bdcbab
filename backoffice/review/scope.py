"""The rows that a reader may see. Whatever shows rows outside of a list takes them from here."""

from typing import Any, TypeVar

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest

Row = TypeVar("Row", bound=Model)


def rows_of(request: HttpRequest, model: type[Row]) -> QuerySet[Row]:
    """The rows of a kind that have a page for this reader; none without the right to see such pages."""
    page = admin.site.get_model_admin(model)
    if not page.has_view_permission(request):
        return model._default_manager.none()  # noqa: SLF001 - Django's documented interface
    rows: QuerySet[Row] = page.get_queryset(request)
    return rows


def row_of(request: HttpRequest, model: type[Row], key: Any, *related: str) -> Row:
    """One of these rows, with the rows that it refers to. Raises Http404 where this reader may not see it."""
    try:
        row = rows_of(request, model).filter(pk=key).select_related(*related).first()
    except (TypeError, ValueError, ValidationError):
        row = None  # what no key can be
    if row is None:
        raise Http404
    return row
