"""Keyset paging: a page is the rows after the last one seen, so nothing is counted or skipped over."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import CharField, F, Q, QuerySet, Value
from django.db.models.expressions import OrderBy
from django.http import HttpRequest
from unfold.views import ChangeList

from backoffice.review.reach import my_reach
from backoffice.review.rights import may_see

AFTER, BEFORE = "after", "before"
SEPARATOR = "~"


class Cursor(NamedTuple):
    """The key of the row after which a page begins, and the direction of reading."""

    values: list[Any]
    forward: bool


class KeysetChangeList(ChangeList):  # type: ignore[misc]
    """A change list that reads one page by `model_admin.page_key`.

    `page_key` names one or two fields that order the list and identify every row; the first has an index. A list takes
    its own filters and the search, and no look-up of Django's: those reach any field, with any comparison.
    """

    params: dict[str, Any]
    filter_params: dict[str, Any]

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self.title = self.model_admin.list_title

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        """Nothing: the console's own filters have narrowed the rows by now."""
        return {}

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        """The rows that match filters and search, in the list's order."""
        self.cursor = self._read_cursor(request)
        own = {SEARCH_VAR, *self.model_admin.own_parameters}
        self.params = {name: value for name, value in self.params.items() if name in own}
        self.filter_params = {name: values for name, values in self.filter_params.items() if name in own}
        self._sorts = self.model_admin.chooses_few(request)
        queryset: QuerySet[Any] = super().get_queryset(request, exclude_parameters)
        return queryset.order_by(*self._order(forward=True))

    def get_results(self, request: HttpRequest) -> None:
        """Reads one page, and one more row to see whether another page follows."""
        size, cursor = self.list_per_page, self.cursor
        rows = self._read(cursor, size + 1)
        more = len(rows) > size
        rows = rows[:size]
        backward = cursor is not None and not cursor.forward
        if backward:
            rows.reverse()
        self._complete(request, rows)
        self.result_list = rows
        self.newer = self._link(BEFORE, rows[0]) if rows and (more if backward else cursor is not None) else None
        self.older = self._link(AFTER, rows[-1]) if rows and (True if backward else more) else None
        self.result_count = self.full_result_count = len(rows)
        self.show_full_result_count = self.can_show_all = self.multi_page = False
        self.paginator = self.model_admin.get_paginator(request, rows, max(size, 1))

    def _read(self, cursor: Cursor | None, most: int) -> list[Any]:
        """The first rows, or those behind a key in the direction of reading."""
        queryset = self.queryset
        if cursor is not None:
            queryset = queryset.filter(self._beyond(cursor)).order_by(*self._order(forward=cursor.forward))
        return list(queryset[:most])

    def _complete(self, request: HttpRequest, rows: list[Any]) -> None:
        may, reach = may_see(request), my_reach(request)
        for row in rows:
            row.may, row.reach = may, reach
        self.model_admin.complete(rows)

    def _order(self, *, forward: bool) -> list[OrderBy]:
        # PostgreSQL would walk the index of the key through everybody's rows until a page is full. `id + 0` is in no index:
        # it finds the few rows first, and sorts them.
        keys = [F(name) + Value(0) if self._sorts else F(name) for name in self.model_admin.page_key]
        falls = self.model_admin.newest_first == forward
        return [key.desc() if falls else key.asc() for key in keys]

    def _beyond(self, cursor: Cursor) -> Q:
        lookup = "lt" if self.model_admin.newest_first == cursor.forward else "gt"
        key = self.model_admin.page_key
        if len(key) == 1:
            return Q(**{f"{key[0]}__{lookup}": cursor.values[0]})
        # The first condition is for the index; the second separates rows with the same first key.
        return Q(**{f"{key[0]}__{lookup}e": cursor.values[0]}) & (
            Q(**{f"{key[0]}__{lookup}": cursor.values[0]}) | Q(**{f"{key[1]}__{lookup}": cursor.values[1]})
        )

    def _read_cursor(self, request: HttpRequest) -> Cursor | None:
        """None on the first page, and if the parameter is not one of ours."""
        for parameter, forward in ((AFTER, True), (BEFORE, False)):
            if parameter not in request.GET:
                continue
            texts = request.GET[parameter].split(SEPARATOR)
            fields = [self._field(name) for name in self.model_admin.page_key]
            if len(texts) != len(fields) or "\0" in request.GET[parameter]:
                continue
            try:
                values = [field.to_python(text) for field, text in zip(fields, texts, strict=True)]
            except ValidationError:
                continue
            if all(value is not None for value in values):
                return Cursor(values, forward)
        return None

    def _field(self, name: str) -> Any:
        try:
            return self.opts.get_field(name)
        except FieldDoesNotExist:
            return CharField()  # an annotation made to sort by

    def _link(self, parameter: str, row: Any) -> str:
        values = [getattr(row, name) for name in self.model_admin.page_key]
        texts = [value.isoformat() if hasattr(value, "isoformat") else str(value) for value in values]
        return str(self.get_query_string({parameter: SEPARATOR.join(texts)}))


class RowsInParts(KeysetChangeList):
    """All rows of a list, for a file: a part at a time, so that no more of them are in memory."""

    def get_results(self, request: HttpRequest) -> None:
        """Reads nothing yet."""
        self.request = request

    def parts(self, size: int) -> Iterator[list[Any]]:
        """The rows in the list's order, from the key in the address or from the first; `size` rows a part."""
        cursor = self.cursor if self.cursor is not None and self.cursor.forward else None
        while rows := self._read(cursor, size):
            self._complete(self.request, rows)
            yield rows
            if len(rows) < size:
                return
            cursor = Cursor([getattr(rows[-1], name) for name in self.model_admin.page_key], forward=True)

    def address_after(self, row: Any) -> str:
        """The query of what follows a row."""
        return self._link(AFTER, row)
