"""The console speaks its reader's language; terminals are spoken to in English, whatever they ask for."""

import re
from html.parser import HTMLParser

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from backoffice.sales.models import HeldItem, Order
from tests.integration.console.pages import LISTS, OTHERS, VOID, Page, every_page
from tests.signing_in import sign_in
from tests.till import Till, a_movement, a_sale, a_store

pytestmark = pytest.mark.django_db

FRENCH = {"HTTP_ACCEPT_LANGUAGE": "fr-CA,fr;q=0.9,en;q=0.5"}
# Right-to-left override, markup, a quotation mark, and what a spreadsheet would run.
HOSTILE = "\u202egnp.exe</bdi><script>alert(1)</script>\"'"
FORMULA = "=HYPERLINK(0)"


def read(client: Client, name: str, *args: object, **headers: str) -> Page:
    answer = client.get(reverse(f"admin:{name}", args=args), **headers)
    assert answer.status_code == 200
    return Page(answer.content.decode())


def person(name: str = "claire") -> Client:
    client = Client()
    sign_in(client, User.objects.get_or_create(username=name, is_superuser=True, is_staff=True)[0])
    return client


def test_who_never_chose_reads_what_their_browser_asks_for() -> None:
    assert 'lang="fr"' in Client().get(reverse("admin:login"), **FRENCH).content.decode()
    assert "Grand livre" not in read(person(), "ledger_trial_balance").text
    assert "Passer le menu" in read(person(), "ledger_trial_balance", **FRENCH).text
    answer = person().get(reverse("admin:ledger_trial_balance"), **FRENCH)
    assert answer.headers["Content-Language"] == "fr"
    assert "Accept-Language" in answer.headers["Vary"]


def test_what_a_person_chose_is_kept_for_every_browser_of_theirs_and_for_nobody_else() -> None:
    claire = person()
    back = reverse("admin:report_sales")
    answer = claire.post(reverse("admin:language"), {"language": "fr", "next": back})
    assert (answer.status_code, answer.headers["Location"]) == (302, back)
    assert read(claire, "report_sales").text.count("Synthèse des ventes") >= 1
    assert "Synthèse des ventes" in read(person(), "report_sales").text, "a new session of the same person"
    assert "Sales summary" in read(person("otto"), "report_sales").text
    claire.post(reverse("admin:language"), {"language": "en-gb"})
    assert "Sales summary" in read(person(), "report_sales", **FRENCH).text


def test_a_choice_that_is_none_changes_nothing_and_leads_nowhere_else() -> None:
    claire = person()
    answer = claire.post(reverse("admin:language"), {"language": "xx", "next": "https://elsewhere.example/"})
    assert answer.headers["Location"] == reverse("admin:index")
    assert "Sales summary" in read(claire, "report_sales").text
    assert claire.get(reverse("admin:language")).status_code == 405
    assert (
        Client()
        .post(reverse("admin:language"), {"language": "fr"})
        .headers["Location"]
        .startswith(reverse("admin:login"))
    )


def test_a_terminal_is_answered_in_english() -> None:
    till = Till()
    till.open()
    plain = till.upload(raw=b"nonsense")
    french = till.upload(raw=b"nonsense", **{"Accept-Language": "fr"})
    assert plain.json()["title"] == french.json()["title"]
    held = till.sell(a_sale(1001, total=740))
    assert held["results"][0]["reasons"][0]["detail"] == "The total is 740, the lines come to 240"


def test_a_drawer_its_day_and_what_was_decided_are_told_in_french_alone() -> None:
    till = Till()
    till.open()
    till.sell(order := a_sale(1001))
    till.close(order, counted=20_000, order_count=2)
    claire = person()
    shift = read(claire, "sales_shift_change", till.shift_id, **FRENCH).text
    for words in ("D’où vient l’écart", "compté : 0,00", "La caisse", "Fond de caisse", "ouverte par Anna"):
        assert words in shift.replace("\N{NO-BREAK SPACE}", " "), words
    query = f"?store={till.store.pk}&day=2026-03-01"
    day = Page(claire.get(reverse("admin:sales_store_days") + query, **FRENCH).content.decode()).text
    for words in ("Attend : des personnes", "Écart, tous les tiroirs-caisses", "Le coffre n’a jamais été compté"):
        assert words in day, words
    for english in ("Waits for", "To know", "The drawer", "In the books", "Over or short", "Declared"):
        assert english not in shift + day, english


def test_what_is_held_and_what_was_sold_are_told_in_french_alone() -> None:
    till = Till()
    till.open()
    till.sell(order := a_sale(1001))
    till.sell(order | {"cashier": "Théo"})
    claire = person()
    held = HeldItem.objects.get(terminal=till.terminal)
    queue = read(claire, "sales_helditem_changelist", **FRENCH).text
    item = read(claire, "sales_helditem_change", held.pk, **FRENCH).text
    sold = read(claire, "sales_order_change", Order.objects.get(order_id=order["order_id"]).pk, **FRENCH).text
    settings = read(claire, "fleet_store_change", till.store.pk, **FRENCH).text
    for words, page in (
        ("Commandes retenues", queue),
        ("La commande 1001* est retenue", item),
        ("D’où elle vient", item),
        ("Commande 1001*", sold),
        ("dont taxe", sold),
        ("Ce qui demande deux personnes", settings),
    ):
        assert words in page.replace("\N{NO-BREAK SPACE}", " "), words
    for english in (
        "Where",
        "What",
        "The first",
        "Order",
        "Received",
        "Waiting",
        "Given",
        "Came first",
    ):
        assert english not in queue + item.partition("{")[0] + sold.partition("{")[0] + settings, english


def test_amounts_and_days_of_the_books_are_written_in_french_and_programs_read_what_they_read_before() -> None:
    till = Till(a_store(name="Paris Bastille"))
    till.open()
    till.sell(a_sale(1001))
    till.close()
    claire = person()
    claire.post(reverse("admin:language"), {"language": "fr"})
    balance = read(claire, "ledger_trial_balance").text
    assert "2,40 €" in balance
    assert "Espèces en caisse" in balance, "accounts as they were delivered"
    assert "1 mars 2026" in read(claire, "ledger_journalentry_changelist").text
    entry = read(claire, "sales_shift_report", till.shift_id).text
    assert "Total perpétuel du terminal" in entry
    assert till.shift()["totals"]["sales"] == 240 if "totals" in till.shift() else True


def test_what_a_till_called_something_is_isolated_text_on_every_page() -> None:
    till = Till(a_store(name=f"Store {HOSTILE}"), name=f"Till {HOSTILE}")
    till.open(cashier=HOSTILE)
    sale = a_sale(1001, cashier=HOSTILE, note=FORMULA)
    till.sell(sale, a_sale(1002, total=1, cashier=HOSTILE), movements=[a_movement(cashier=HOSTILE, reason=FORMULA)])
    till.sell(sale | {"note": HOSTILE})
    till.close(sale)
    pages = every_page(person())
    assert len(pages) > len(LISTS) + len(OTHERS)
    for name, page in pages.items():
        assert "<script>alert" not in page.html, name
    found = [(name, text) for name, page in pages.items() if name not in TO_COME for text in loose(page.html)]
    assert found == [], "\n".join(f"{name}: {text}" for name, text in found)


# Pages that are being made anew, and still write a name between words of ours.
TO_COME = {
    "page of fleet_terminal_changelist",
    "page of sales_order_changelist",
    "page of sales_shift_changelist",
    "page of sales_helditem_changelist",
    "sales_store_days",
}


class _Around(HTMLParser):
    """Texts with an override in them that are neither isolated nor alone in a block of their own."""

    ALONE = frozenset({"a", "td", "th", "dd", "h2", "h3", "option", "title", "pre", "p", "li"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loose: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        inside = self.open[-1] if self.open else ""
        is_name = re.fullmatch(r"(Store |Till |“)?" + re.escape(HOSTILE) + "”?", data.strip()) is not None
        if (
            "\u202e" in data
            and inside not in {"bdi", "option", "title", "pre"}
            and not (inside in self.ALONE and is_name)
        ):
            self.loose.append(f"{inside}: {data.strip()}")


def loose(html: str) -> list[str]:
    around = _Around()
    around.feed(html)
    return around.loose
