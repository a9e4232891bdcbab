"""The protocol, and a page for each problem, for people to read: HTML made of docs/terminal-protocol.md.

The document is the only source, so a page cannot say anything else. Nothing of a request is in a page.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from django.conf import settings
from django.template.loader import render_to_string
from markdown_it import MarkdownIt
from markdown_it.token import Token

from pos_api.description.examples import problem
from pos_api.problems import PROBLEM_PAGES, TITLES

PROTOCOL = settings.BASE_DIR / "docs" / "terminal-protocol.md"
# Links to what the service has; other documents of the project stand in its repository.
SERVED = ("#", "/", "https:")
_ROW = re.compile(r"^\| \d{3} \| `([a-z-]+)` \| (.*) \| (.*) \|$", re.MULTILINE)
_PROBLEMS = re.compile(r"^## 9\. .*?(?=^## )", re.DOTALL | re.MULTILINE)


class Explanation(NamedTuple):
    """When a problem happens, and what a terminal does then: the cells of its row in protocol §9, as Markdown."""

    when: str
    does: str


@cache
def protocol_page() -> str:
    """The whole protocol as HTML."""
    return _page("The terminal protocol", PROTOCOL.read_text(encoding="utf-8"))


@cache
def problems_page() -> str:
    """Every problem with its page, as HTML."""
    rows = "".join(
        f"| {status} | [`{code}`]({PROBLEM_PAGES}{code}) | {title} |\n" for code, (status, title) in TITLES.items()
    )
    return _page("Problems", f"# Problems\n\n| status | code | |\n|---|---|---|\n{rows}")


@cache
def problem_page(code: str) -> str:
    """One problem as HTML. Raises KeyError for a code that is none of ours."""
    (status, title), explained = TITLES[code], _explanations()[code]
    example = json.dumps(problem(code), indent=2, ensure_ascii=False)
    return _page(
        code,
        f"# {status} `{code}`\n\n{title}\n\n"
        f"**When:** {explained.when}\n\n**The terminal** {explained.does}.\n\n"
        f"## An answer\n\n```json\n{example}\n```\n\n"
        "Decide by the last part of `type`; the words may change. "
        "§ are sections of [the protocol](/api/protocol/#9-problems-and-what-a-terminal-does).\n",
    )


@cache
def _explanations() -> Mapping[str, Explanation]:
    found = _PROBLEMS.search(PROTOCOL.read_text(encoding="utf-8"))
    return {code: Explanation(when, does) for code, when, does in _ROW.findall(found[0] if found else "")}


def _page(title: str, markdown: str) -> str:
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(markdown)
    _name_headings(tokens)
    for token in tokens:
        _drop_links(token.children or [])
    content = parser.renderer.render(tokens, parser.options, {})
    return render_to_string("pos_api/document.html", {"title": title, "content": content})


def _name_headings(tokens: list[Token]) -> None:
    # As GitHub names them, since that is how the document links to itself.
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            opening.attrSet("id", re.sub(r"[^\w\- ]", "", inline.content.lower()).replace(" ", "-"))


def _drop_links(tokens: list[Token]) -> None:
    # The words of a link to what is not served stay, as plain text.
    is_kept = True
    for token in tokens:
        if token.type == "link_open":
            is_kept = str(token.attrGet("href")).startswith(SERVED)
        if token.type in {"link_open", "link_close"} and not is_kept:
            token.type, token.tag, token.nesting, token.content = "text", "", 0, ""
