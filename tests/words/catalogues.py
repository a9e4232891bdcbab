"""The files of the languages: `backoffice/locale/fr/LC_MESSAGES/django.po` is read and written by people, its `.mo` by Django.

The `.mo` is kept beside it, so that no machine needs gettext; `--write` makes it, and the check says when it is old.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from pathlib import Path

import django
from babel.messages import Catalog, Message
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po

from backoffice.languages.offered import LOCALE
from tests.words.texts import Text, borrowed_texts, by_key, own_texts

HEADER = """\
# The console in another language: see docs/languages.md. `python -m tests.words --write` keeps this file in order."""
# A date that means nothing, so that writing the file again changes nothing.
A_DAY = datetime(2026, 1, 1, tzinfo=UTC)
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")
OF_DJANGO = ("conf", "contrib/admin", "contrib/auth")


def languages() -> list[str]:
    """The folders of `backoffice/locale`: `fr`."""
    return sorted(path.parent.parent.name for path in LOCALE.glob("*/LC_MESSAGES/django.po"))


def file_of(language: str, kind: str = "po") -> Path:
    return LOCALE / language / "LC_MESSAGES" / f"django.{kind}"


def read(language: str) -> Catalog:
    """A language's texts. An empty or missing file is a language that nothing is translated to yet."""
    path = file_of(language)
    text = path.read_bytes() if path.exists() else b""
    return read_po(BytesIO(text), locale=language) if text else Catalog(locale=language)


@cache
def wanted(language: str) -> dict[tuple[str, str], list[Text]]:
    """What the file of a language has to have: all texts of the service, and those of Unfold that Django does not have."""
    found = by_key(own_texts())
    known = _texts_of_django(language)
    borrowed = by_key(borrowed_texts())
    return found | {key: texts for key, texts in borrowed.items() if key[1] not in known and key not in found}


def _texts_of_django(language: str) -> set[str]:
    known: set[str] = set()
    for part in OF_DJANGO:
        path = Path(django.__file__).parent / part / "locale" / language / "LC_MESSAGES" / "django.mo"
        if path.exists():
            with path.open("rb") as file:
                known |= {_single(message) for message in read_mo(file) if message.id}
    return known


def missing(language: str) -> list[Text]:
    """The texts that a language does not have yet, by file and line."""
    catalog = read(language)
    found = [
        texts[0]
        for (context, single), texts in wanted(language).items()
        if not _is_done(catalog.get(single, context or None))
    ]
    return sorted(found, key=lambda text: (text.file, text.line))


def complaints(language: str) -> Iterator[str]:
    """What is wrong with the file of a language, a line each."""
    catalog, needed = read(language), wanted(language)
    for text in missing(language):
        yield f"{text.file}:{text.line}: {text.single!r} has no text in {language}"
    for message in catalog:
        if not message.id:
            continue
        name = f"{file_of(language).name} of {language}: {_single(message)!r}"
        if message.fuzzy:
            yield f"{name} is marked as fuzzy"
        if (message.context or "", _single(message)) not in needed:
            yield f"{name} is not said any more"
        if _is_done(message) and (why := _unlike(message)):
            yield f"{name} has other placeholders: {why}"
    compiled = file_of(language, "mo")
    if not compiled.exists() or compiled.read_bytes() != as_mo(catalog):
        yield f"{compiled.name} of {language} is older than its {file_of(language).name}"


def _unlike(message: Message) -> str:
    said = [message.id] if isinstance(message.id, str) else list(message.id)
    allowed = [sorted(PLACEHOLDER.findall(text)) for text in said]
    for text in [message.string] if isinstance(message.string, str) else message.string:
        if sorted(PLACEHOLDER.findall(text)) not in allowed:
            return text
    return ""


def write(language: str, translated: dict[str, str | tuple[str, ...]] | None = None) -> None:
    """Writes a language's file anew: what is new is in it and empty, what is not said any more is gone; and its `.mo`."""
    before, translated = read(language), translated or {}
    catalog = Catalog(
        locale=language, project="Back Office", version="1", creation_date=A_DAY, revision_date=A_DAY, fuzzy=False
    )
    catalog.header_comment = HEADER
    for (context, single), texts in sorted(wanted(language).items(), key=lambda item: (item[0][1], item[0][0])):
        plural = next((text.plural for text in texts if text.plural), "")
        old = before.get(single, context or None)
        catalog.add(
            (single, plural) if plural else single,
            translated.get(single) or (old.string if _is_done(old) else None),
            locations=[(file, None) for file in sorted({text.file for text in texts})],
            context=context or None,
        )
    file_of(language).parent.mkdir(parents=True, exist_ok=True)
    with file_of(language).open("wb") as file:
        write_po(file, catalog, width=120, include_lineno=False)
    file_of(language, "mo").write_bytes(as_mo(read(language)))


def as_mo(catalog: Catalog) -> bytes:
    """A catalogue as Django reads it."""
    made = BytesIO()
    write_mo(made, catalog)
    return made.getvalue()


def _single(message: Message) -> str:
    return message.id if isinstance(message.id, str) else str(message.id[0])


def _is_done(message: Message | None) -> bool:
    if message is None or message.fuzzy:
        return False
    return bool(message.string) if isinstance(message.string, str) else bool(message.string) and all(message.string)
