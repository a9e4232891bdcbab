"""A page of the console as a person reads it."""

import re
from html import unescape
from html.parser import HTMLParser

from django.test import Client
from django.urls import reverse

SILENT = {"script", "style", "select", "nav"}
VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "wbr"}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.silent += tag in SILENT

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in SILENT

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.words.append(data)


class Page:
    """One page: `html` as sent, `text` as read (spaces made one, without the menu and what is chosen from)."""

    def __init__(self, html: str) -> None:
        self.html = html
        reader = _Reader()
        # Isolation changes no word, nor the space between two.
        reader.feed(html.replace("<bdi>", "").replace("</bdi>", ""))
        self.text = " ".join(" ".join(reader.words).split())

    @property
    def rows(self) -> list["Page"]:
        """The rows of a list."""
        return [Page(html) for html in re.findall(r"<tbody.*?</tbody>", self.html, re.DOTALL)]

    def row(self, text: str) -> "Page":
        """The one row that contains a text."""
        found = [row for row in self.rows if text in row.text]
        assert len(found) == 1, f"{len(found)} rows contain {text!r}: {self.text}"
        return found[0]

    def link(self, words: str) -> str:
        """Where the first link with these words leads."""
        for address, inside in re.findall(r'<a [^>]*href="([^"]*)"[^>]*>(.*?)</a>', self.html, re.DOTALL):
            if words in Page(inside).text:
                return unescape(address)
        raise AssertionError(f"No link says {words!r}")


LISTS = [
    "fleet_terminal_changelist",
    "fleet_store_changelist",
    "inbox_batch_changelist",
    "sales_order_changelist",
    "sales_shift_changelist",
    "sales_helditem_changelist",
    "books_decision_changelist",
    "ledger_journalentry_changelist",
    "ledger_account_changelist",
    "trail_trailentry_changelist",
    "auth_user_changelist",
    "exports_exportjob_changelist",
    "alerts_alert_changelist",
    "alerts_alertrule_changelist",
    "alerts_quiethours_changelist",
    "alerts_alertrecipient_changelist",
    "alerts_webhookendpoint_changelist",
    "alerts_webhookdelivery_changelist",
]

REPORTS = [
    "report_sales",
    "report_weekdays",
    "report_tax",
    "report_over_short",
    "report_over_short_weekdays",
    "report_no_receipt",
    "report_risk",
    "report_cash",
    "report_offline",
]
# Pages that are of no list.
OTHERS = ["report_cashier", "ledger_trial_balance", "ledger_account_days", "sales_store_days", *REPORTS]


def every_page(client: Client) -> dict[str, Page]:
    """The dashboard, every list, and the first page that each list leads to."""
    found = {}
    for name in ["index", *LISTS, *OTHERS]:
        answer = client.get(reverse(f"admin:{name}"))
        assert answer.status_code == 200, name
        found[name] = Page(answer.content.decode())
        links = re.findall(r'href="(/console/[^"?]*/change/)[^"]*"', answer.content.decode())
        if links:
            address = unescape(links[0])
            answer = client.get(address)
            assert answer.status_code == 200, address
            found[f"page of {name}"] = Page(answer.content.decode())
    return found
