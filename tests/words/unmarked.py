"""Words of the console that no translator sees, because nothing marks them."""

import ast
import re
from collections.abc import Iterator

from tests.words.texts import CHECKOUT

CONSOLE = CHECKOUT / "backoffice" / "review"
# What is the same in every language: what is typed, keys, names of pictures; and what is no text of a page.
SAME_EVERYWHERE = re.compile(
    r"<(code|kbd|pre|style|script)\b.*?</\1>"
    r"|<span\b[^>]*\bmaterial-symbols-outlined\b.*?</span>"
    r"|{#.*?#}|{% comment %}.*?{% endcomment %}|{% block (?:width|title) %}.*?{% endblock %}",
    re.DOTALL,
)
MARKED = re.compile(r"{%\s*(blocktranslate|blocktrans)\b.*?{%\s*end\1\s*%}", re.DOTALL)
SPOKEN_ATTRIBUTE = re.compile(r'\b(?:aria-label|title|placeholder|alt)="([^"{]*)"')
# A literal that a tag hands on, or that a filter falls back to; `_("…")` is marked.
LITERAL = re.compile(
    r'{%\s*include\b[^%]*?\b\w+="([A-Z][a-z][^"]*)"|\|(?:default|default_if_none|yesno):"([A-Z][^"]*)"'
)
WORD = re.compile(r"[A-Za-z]*[a-z]{2,}")
NAMES = {"webhook-id", "ms"}
# Attributes of a list, and what its columns are called.
SPOKEN_NAMES = {"list_title", "list_intro", "list_legend", "empty_text", "search_help_text", "index_title"}


def in_template(source: str) -> Iterator[str]:
    """Each text between tags, in an attribute that is read out, or in a literal, that has a word in it."""
    source = MARKED.sub("", SAME_EVERYWHERE.sub("", source))
    yield from (found[1] or found[2] for found in LITERAL.finditer(source))
    yield from (text for text in SPOKEN_ATTRIBUTE.findall(source) if WORD.search(text))
    without_tags = re.sub(r"<[^>]*>", "\n", re.sub(r"{[%{].*?[%}]}", " ", source, flags=re.DOTALL))
    for line in without_tags.splitlines():
        text = line.strip()
        if WORD.search(text) and text not in NAMES:
            yield text


def in_python(source: str) -> Iterator[str]:
    """Each literal that names a column, or says what a list is."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.keyword) and node.arg == "description":
            value: ast.expr | None = node.value
        elif (
            isinstance(node, ast.Assign)
            and {getattr(each, "id", getattr(each, "attr", "")) for each in node.targets} & SPOKEN_NAMES
        ):
            value = node.value
        else:
            continue
        if isinstance(value, ast.Constant) and isinstance(value.value, str) and WORD.search(value.value):
            yield value.value


def unmarked_texts() -> Iterator[str]:
    """Those of the console, a line each."""
    for suffix, search in ((".html", in_template), (".py", in_python)):
        for path in sorted(CONSOLE.rglob(f"*{suffix}")):
            if "migrations" not in path.parts:
                for text in search(path.read_text()):
                    yield f"{path.relative_to(CHECKOUT)}: {text!r} is marked for no translator"
