"""Every text of the service that a person may read in their own language, with where it stands."""

import io
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import unfold
from babel.messages.extract import extract
from django.utils.translation.template import templatize

CHECKOUT = Path(__file__).resolve().parents[2]
UNFOLD = Path(unfold.__file__).parent / "templates"
# Commands and the workbench speak English, and so does whatever speaks to terminals.
LEFT_OUT = {"migrations", "management", "workbench", "locale", "__pycache__"}
KEYWORDS: Mapping[str, Any] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    # The rules know no framework, so that their sentences are marked by where they stand.
    "ReasonKind": (2,),
}
# What a migration put into the database in English, and is shown translated until somebody words it anew.
SEEDED = (
    ("backoffice.ledger.migrations.0003_default_chart", "CHART", 1),
    ("backoffice.ledger.migrations.0009_bank", "CHART", 1),
    ("backoffice.books.migrations.0001_decisions", "REASONS", 2),
    ("backoffice.books.migrations.0002_periods", "REASONS", 2),
    ("backoffice.books.migrations.0003_import_cache", "REASONS", 1),
    ("backoffice.books.migrations.0007_bank", "REASONS", 2),
)


class Text(NamedTuple):
    """A text in English: `plural` is empty where it has none, `context` where none tells it from another use."""

    single: str
    plural: str
    context: str
    file: str
    line: int


def own_texts() -> Iterator[Text]:
    """Those of the service itself: its Python, its templates, and what its migrations put into the database."""
    for path in sorted((CHECKOUT / "backoffice").rglob("*")):
        if path.suffix in {".py", ".html", ".txt"} and not LEFT_OUT & set(path.parts):
            yield from texts_of(path, called=str(path.relative_to(CHECKOUT)))
    for module, table, place in SEEDED:
        for row in getattr(import_module(module), table, ()):
            yield Text(row[place], "", "", module.replace(".", "/") + ".py", 0)


def borrowed_texts() -> Iterator[Text]:
    """Those of Unfold's pages, which has some languages, and not all."""
    for path in sorted(UNFOLD.rglob("*.html")):
        yield from texts_of(path, called=f"unfold/{path.relative_to(UNFOLD)}")


def texts_of(path: Path, *, called: str) -> Iterator[Text]:
    """The texts that one file marks."""
    source = path.read_text()
    if path.suffix != ".py":
        # As Python, with all that is no text made nonsense; its indentation would mean something in Python.
        source = "\n".join(line.strip() for line in templatize(source, origin=called).split("\n"))
    found = extract("python", io.BytesIO(source.encode()), keywords=KEYWORDS, options={"encoding": "utf-8"})
    for line, message, _comments, context in found:
        single, plural = message if isinstance(message, tuple) else (message, "")
        if single:
            yield Text(single, plural, context or "", called, line)


def by_key(texts: Iterable[Text]) -> dict[tuple[str, str], list[Text]]:
    """Texts by what a catalogue knows them by: context and words."""
    found: dict[tuple[str, str], list[Text]] = {}
    for text in texts:
        found.setdefault((text.context, text.single), []).append(text)
    return found
