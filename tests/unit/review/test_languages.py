"""The console in other languages: every text has its translation, and figures are written as its readers write them."""

import ast
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.utils.translation import gettext, override

from backoffice.books.people import check_right
from backoffice.books.refusals import NotDecided
from backoffice.domain.decisions import Verb
from backoffice.domain.reasons import REASONS
from backoffice.languages import formats, moments
from backoffice.review.details import recognised, translated_detail
from backoffice.review.words import SHORT_REASONS, remark
from tests.words import catalogues, unmarked
from tests.words.texts import CHECKOUT, texts_of

RULES = ("rules", "limits", "returns", "openings", "identity", "wire/members")
# What the rules put between the words of a sentence, where it is a word itself.
WORDS = {"direction": "ahead of"}


@pytest.mark.parametrize("language", catalogues.languages())
def test_every_text_has_its_translation_and_the_compiled_file_is_new(language: str) -> None:
    assert list(catalogues.complaints(language)) == []


def test_every_text_of_the_console_is_marked_for_translators() -> None:
    assert list(unmarked.unmarked_texts()) == []


def test_a_text_that_nothing_marks_is_found() -> None:
    page = """<h2>Held</h2> <p>{% translate "Marked" %}</p> <code>manage.py up</code> <b title="Late">{{ day }}, {{ span }} ago</b>
    {% blocktranslate %}Marked{% endblocktranslate %} {{ name|default:"Item" }} {% include "a.html" with heading="Remarks" %}
    {% include "a.html" with heading=_("Marked") %} <span class="material-symbols-outlined" aria-hidden="true">search</span>"""
    assert list(unmarked.in_template(page)) == ["Item", "Remarks", "Late", "Held", ",   ago"]
    code = 'list_title = "Held"\nempty_text = _("Marked")\n@admin.display(description="Where")\ndef where(): ...\n'
    assert sorted(unmarked.in_python(code)) == ["Held", "Where"]


def test_french_is_offered_because_its_file_is_there() -> None:
    assert dict(settings.LANGUAGES) == {"en-gb": "English", "fr": "Français"}


def test_a_template_and_python_are_searched_for_texts_alike(tmp_path: Path) -> None:
    template, code = tmp_path / "a.html", tmp_path / "a.py"
    template.write_text(
        '<p>{% translate "One" %} "it\'s" {% if a == _("Two") %}\n'
        "    {% blocktranslate trimmed count n=n %}{{ n }} cat{% plural %}{{ n }}\n cats{% endblocktranslate %}</p>"
    )
    code.write_text('A = _("One" " more")\nKIND = ReasonKind("flag", "Why.")\nB = pgettext("a right", "Given")\n')
    found = [
        (text.single, text.plural, text.context) for path in (template, code) for text in texts_of(path, called="a")
    ]
    assert found == [
        ("One", "", ""),
        ("Two", "", ""),
        ("%(n)s cat", "%(n)s cats", ""),
        ("One more", "", ""),
        ("Why.", "", ""),
        ("Given", "", "a right"),
    ]


def sentences() -> Iterator[str]:
    """Every detail that a rule can write, with a 7 for what is put into it."""
    for name in RULES:
        tree = ast.parse((CHECKOUT / f"backoffice/domain/{name}.py").read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Reason" and len(node.args) > 2:
                yield from _text(node.args[2])
            elif (isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "detail") or (
                isinstance(node, ast.Return) and isinstance(node.value, ast.JoinedStr)
            ):
                yield from _text(node.value)


def _text(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(
            str(part.value) if isinstance(part, ast.Constant) else WORDS.get(ast.unparse(part.value), "7")  # type: ignore[attr-defined]
            for part in node.values
        )


def test_every_detail_that_a_rule_writes_is_recognised() -> None:
    # What is said of an amount below zero is for whoever builds the till, and not shown.
    found = set(sentences()) - {"", "`kind` says which way the money went"}
    assert len(found) > 35
    assert [text for text in sorted(found) if not list(recognised(text))] == []


def refusals() -> Iterator[str]:
    """Every sentence by which a file of a till, or an export that the console asks for, is refused."""
    of_files = ("domain/cache_files", "books/caches")
    of_exports = [f"books/exports/{name}" for name in ("jobs", "planning", "writing", "downloads", "formats/xero")]
    of_exports += [f"books/exports/formats/{name}" for name in ("plain_text", "fec")]
    for name in (*of_files, *of_exports):
        for node in ast.walk(ast.parse((CHECKOUT / f"backoffice/{name}.py").read_text())):
            called = getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""
            if called in {"CacheFileRefused", "NotExported", "_AtWork", "TooLarge"}:
                yield from _text(node.args[-1])  # type: ignore[attr-defined]


def test_every_refusal_that_knows_no_reader_is_recognised() -> None:
    found = set(refusals())
    assert len(found) > 25
    # What only a command can ask for.
    assert [text for text in sorted(found) if not list(recognised(text))] == ["7 has no run 7."]


def test_what_the_books_refuse_is_said_in_the_readers_language() -> None:
    person = User(username="ruth")
    person.is_active = False
    said = {}
    for language in ("en-gb", "fr"):
        with override(language), pytest.raises(NotDecided) as refusal:
            check_right(person, Verb.VOID)
        said[language] = refusal.value.detail
    assert said == {
        "en-gb": "ruth may not decide this (void).",
        "fr": "ruth n’a pas le droit d’en décider (void).",
    }
    with pytest.raises(NotDecided, match="may not decide this"):  # as a command says it: nobody's language is active
        check_right(person, Verb.VOID)


def test_a_reason_is_told_in_french_with_its_amounts() -> None:
    reason = {
        "code": "sums-do-not-add-up",
        "pointer": "/total",
        "detail": "The total is 123450, the lines come to -240",
    }
    with override("fr"):
        told = remark(reason, "EUR")
    assert told.short == "Le total n’est pas la somme des lignes"
    assert told.sentence.startswith("Le total n’est pas la somme des lignes, des taxes")
    assert told.detail == "Le total est de 1\u202f234,50\xa0€, les lignes font −2,40\xa0€"
    assert remark(reason, "EUR").detail == "The total is €1,234.50, the lines come to −€2.40"


def test_what_a_till_put_into_a_detail_is_no_part_of_the_sentence() -> None:
    with override("fr"):
        assert (
            translated_detail("No rule posts '{kind} %(x)s {0}'") == "Aucune règle ne comptabilise '{kind} %(x)s {0}'"
        )
        assert translated_detail("Expected `int`, got `str`") == "Expected `int`, got `str`"


def test_every_reason_has_a_sentence_in_french() -> None:
    with override("fr"):
        for code, kind in REASONS.items():
            assert gettext(kind.title) != kind.title
            assert str(SHORT_REASONS[code]) != SHORT_REASONS[code]._args[0]  # type: ignore[attr-defined] # django-stubs' proxy


def test_figures_and_times_are_written_as_the_reader_writes_them() -> None:
    at = datetime(2026, 11, 22, 8, 40, tzinfo=UTC)
    written = {}
    for language in ("en-gb", "fr"):
        with override(language):
            written[language] = [
                formats.money(-123450, "EUR"),
                formats.money(1050, "JPY"),
                formats.whole_money(-123450, "EUR"),
                formats.signed_money(20, "EUR"),
                formats.price(Decimal("158.9"), "EUR"),
                formats.quantity(Decimal("-0.3500")),
                formats.whole(-1234567),
                formats.percent(Decimal("0.055"), places=4),
                moments.written_day(date(2026, 8, 1)),
                moments.written_moment(at, "Europe/Paris"),
                formats.duration(timedelta(days=2, hours=4)),
                formats.counted(1, "order") + ", " + formats.counted(1200, "cash movement"),
                formats.some_of(["a", "b"], limit=1),
            ]
    assert written["en-gb"] == [
        *("−€1,234.50", "JP¥1,050", "−€1,234", "+€0.20", "€1.589", "−0.35", "−1,234,567", "5.5\xa0%"),
        *("1 Aug 2026", "22 Nov 2026, 09:40 CET", "2\xa0d 4\xa0h", "1 order, 1,200 cash movements", "a and 1 more"),
    ]
    assert written["fr"] == [
        *(
            "−1\u202f234,50\xa0€",
            "1\u202f050\xa0JPY",
            "−1\u202f234\xa0€",
            "+0,20\xa0€",
            "1,589\xa0€",
            "−0,35",
            "−1\u202f234\u202f567",
            "5,5\xa0%",
        ),
        *("1 août 2026", "22 nov. 2026, 09:40 CET", "2\xa0j 4\xa0h"),
        *("1 commande, 1\u202f200 mouvements d’espèces", "a et 1 de plus"),
    ]
