"""Lists as CSV (RFC 4180, UTF-8): what a list shows, for spreadsheets and programs (ADR 56).

Words are in the reader's language. Amounts have their currency beside them, days and moments are ISO 8601.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from django.contrib.admin.utils import label_for_field, lookup_field
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext

from backoffice.books.exports.formats.texts import no_formula, one_line
from backoffice.domain.cards.masking import mask_cards
from backoffice.languages.formats import sendable, whole
from backoffice.languages.texts import Words
from backoffice.review.cells import Exact, parts_of
from backoffice.review.list_columns import titles_of
from backoffice.review.middleware import actor_of
from backoffice.review.paging import RowsInParts
from backoffice.trail.events import DOWNLOADED, record_event

MOST_ROWS = 10_000
MOST_NOTED = 2_000  # characters of what was asked for
MOST_IN_FILE = 4_000_000  # characters, which are four bytes each at most
MOST_CHARACTERS = 2_000
BYTE_ORDER_MARK = "\ufeff"  # without it, Excel takes UTF-8 for something else
# What turns the direction of the text around it: in a page it ends with its <bdi>, in a file it is shown.
_TURNS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# What spreadsheets of some languages take for = + - @.
_WIDE_FORMULA = ("＝", "＋", "－", "＠")


class ListRow(NamedTuple):
    """One row of a file, and what gives the query of the rows behind it; "" where there is none."""

    texts: Sequence[str]
    rest: Callable[[], str] = str


def plain_text(text: str) -> str:
    """A text that a spreadsheet shows and does not run, on one line."""
    if isinstance(text, Exact):
        return text
    shown = _TURNS.sub(lambda found: f"<U+{ord(found[0]):04X}>", one_line(sendable(text, limit=MOST_CHARACTERS)))
    return f"'{shown}" if shown.startswith(_WIDE_FORMULA) else no_formula(shown)


def rows_of_list(page: Any, rows: RowsInParts) -> Iterator[ListRow]:
    """The columns' titles, and then the rows as a list shows them. `page` is the list's `ConsoleAdmin`."""
    kind, columns = page.opts.model_name, page.list_display
    titles = [titles_of(kind, name, str(label_for_field(name, page.model, page))) for name in columns]
    yield ListRow([str(title) for several in titles for title in several])
    for part in rows.parts(page.rows_at_once):
        for row in part:
            texts: list[str] = []
            for name, several in zip(columns, titles, strict=True):
                texts += _in_columns(parts_of(lookup_field(name, row, page)[2]), len(several))
            yield ListRow(texts, partial(rows.address_after, row))


def _in_columns(parts: Sequence[str], columns: int) -> list[str]:
    """One text for each column. What is more than there are columns for is joined in the last one."""
    first, others = list(parts[: columns - 1]), parts[columns - 1 :]
    last = others[0] if len(others) == 1 else "; ".join(filter(None, others))
    return [*first, *[""] * (columns - 1 - len(first)), last]


def csv_answer(
    request: HttpRequest,
    rows: Iterable[ListRow],
    *,
    kind: str,
    title: Words,
    store_id: int | None,
    most_rows: int | None = None,
) -> HttpResponse:
    """The file. Who took it is noted in the audit trail. Where there are more rows than a file may have, its last line says so."""
    content, count = _written(request, rows, most_rows=most_rows or MOST_ROWS)
    asked = "; ".join(f"{name}: {value}" for name, value in request.GET.items() if value)
    filters = sendable(asked, limit=MOST_NOTED)
    said = {"rows": count, "filters": json.loads(mask_cards(json.dumps([filters]).encode()).body)[0]}
    by = actor_of(request)
    record_event(DOWNLOADED, about="list", object_id=kind, object_name=kind, store_id=store_id, said=said, actor=by)
    name = f"{slugify(str(title)) or kind}-{timezone.now():%Y-%m-%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return HttpResponse(content, content_type="text/csv; charset=utf-8", headers=headers)


def _written(request: HttpRequest, rows: Iterable[ListRow], *, most_rows: int) -> tuple[bytes, int]:
    """The bytes, and how many rows are in them besides the titles."""
    file = io.StringIO(newline="")
    file.write(BYTE_ORDER_MARK)
    writer, count, before = csv.writer(file), -1, ListRow([])
    for row in rows:
        if count == most_rows or file.tell() > MOST_IN_FILE:
            writer.writerow([_goes_on(request, count, before), *[""] * (len(before.texts) - 1)])
            break
        writer.writerow([plain_text(text) for text in row.texts])
        count, before = count + 1, row
    return file.getvalue().encode(errors="replace"), count


def _goes_on(request: HttpRequest, count: int, last: ListRow) -> str:
    words = gettext("The list goes on: this file has {count} rows of it.").format(count=whole(count))
    query = last.rest()
    if not query:
        return words
    address = request.build_absolute_uri(f"{request.path}{query}")
    return f"{words} {gettext('What follows is at {address}').format(address=address)}"
