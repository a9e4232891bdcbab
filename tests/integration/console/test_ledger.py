"""The ledger in the console: do the books balance?"""

import pytest
from django.test import Client
from django.urls import reverse

from backoffice.domain.decisions import Verb
from backoffice.ledger.models import Account, JournalEntry
from tests.integration.books.office import decided
from tests.integration.console.conftest import Open
from tests.integration.console.pages import Page
from tests.till import Till, a_sale, a_store

pytestmark = pytest.mark.django_db


def a_till(**store: object) -> Till:
    till = Till(a_store(**store))
    till.open()
    till.sell(a_sale(1001))
    return till


def test_the_journal_says_what_each_entry_is_for(page: Open) -> None:
    till = a_till()

    rows = page("ledger_journalentry_changelist", store=till.store.pk, day="2026-03-01").rows

    assert ["Order" in rows[0].text, "€2.40" in rows[0].text] == [True, True]
    assert ["Shift opened" in rows[1].text, "€200.00" in rows[1].text] == [True, True]


def test_an_entry_leads_to_its_order_and_shift(page: Open) -> None:
    till = a_till()
    entry = JournalEntry.objects.get(shift_id=till.shift_id, source_kind="order")

    read = page("ledger_journalentry_change", entry.pk)

    assert "Both sides are equal €2.40 €2.40" in read.text
    assert "/sales/order/" in read.link("Order 1001")
    assert str(till.shift_id) in read.link("Shift 311")


def test_the_trial_balance_of_a_store_balances(page: Open) -> None:
    till = a_till(currency="USD", timezone="America/New_York", name="New York Bleecker")

    text = page("ledger_trial_balance", store=till.store.pk, at="2026-03-31").text

    assert "New York Bleecker, at the end of 31 Mar 2026, USD Balances" in text
    assert "1000 Cash in drawer US$202.40 US$0.00 US$202.40 debit" in text
    assert "4000 Sales US$0.00 US$2.27 US$2.27 credit" in text
    assert "Sum US$202.40 US$202.40" in text


def test_all_stores_are_summed_by_currency_and_lead_to_each(page: Open) -> None:
    one, _ = a_till(name="Paris Bastille One"), a_till(name="Paris Bastille Two")

    read = page("ledger_trial_balance", since="2026-03-01", at="2026-03-31")

    assert "All stores, 1 Mar 2026 – 31 Mar 2026, EUR Balances" in read.text
    assert read.link("Paris Bastille One") == f"?since=2026-03-01&at=2026-03-31&store={one.store.pk}"


def test_a_day_before_all_entries_says_so(page: Open) -> None:
    assert "Nothing was posted until 31 Jul 2001" in page("ledger_trial_balance", at="2001-07-31").text


@pytest.mark.parametrize("day", ["nonsense", "2026-13-01", ""])
def test_a_day_that_is_none_shows_all_that_is_posted(page: Open, day: str) -> None:
    till = a_till()
    text = page("ledger_trial_balance", at=day, store=till.store.pk if not day else "").text
    assert "until now, EUR Balances" in text


def test_a_figure_leads_to_its_days_their_entries_the_order_and_its_original(head_office: Client) -> None:
    till = a_till()

    def follow(address: str, words: str) -> Page:
        return Page(head_office.get(address or read.link(words)).content.decode())

    read = follow(f"{reverse('admin:ledger_trial_balance')}?store={till.store.pk}&at=2026-03-31", "")
    read = follow("", "Tax payable")
    assert "2100 Tax payable, Paris Bastille, EUR" in read.text
    assert "1 Mar 2026 €0.00 €0.13 −€0.13" in read.text
    read = follow("", "1 Mar 2026")
    assert [row.text.count("Order") for row in read.rows] == [1], "one entry moved it, and the opening did not"
    read = Page(
        head_office.get(
            read.link(str(JournalEntry.objects.get(shift_id=till.shift_id, source_kind="order").pk))
        ).content.decode()
    )
    read = follow("", "Order 1001")
    assert "Baguette" in read.text
    assert "original" in read.text.lower()


def test_days_before_the_first_that_is_shown_are_in_the_balance(page: Open) -> None:
    till = a_till()
    till.close(a_sale(1001))
    till.open(number=312, opened_at="2026-03-02T08:00:00+01:00", first_number=2001)
    till.sell(a_sale(2001))

    text = page("ledger_account_days", account="4000", store=till.store.pk, since="2026-03-02").text

    assert "Before −€2.27 2 Mar 2026 €0.00 €2.27 −€4.54" in text


def test_an_account_can_be_renamed_and_keeps_its_code(head_office: Client) -> None:
    answer = head_office.post(
        reverse("admin:ledger_account_change", args=["1010"]), {"name": "Vault", "code": "9", "normal_side": "credit"}
    )

    assert answer.status_code == 302
    account = Account.objects.get(pk="1010")
    assert (account.name, account.normal_side) == ("Vault", "debit")


def test_both_dates_show_where_something_came_for_a_locked_month(page: Open) -> None:
    till = a_till(name="Paris Bastille Late")
    decided(Verb.LOCK, till.store.code, date="2026-03-31")
    till.sell(late := a_sale(1002))
    entry = JournalEntry.objects.get(source_id=late["order_id"])

    assert "Business day 1 Mar 2026, whose books were locked In the books on 1 Apr 2026" in (
        page("ledger_journalentry_change", entry.pk).text
    )
    order = page("sales_order_change", entry.pk).text
    assert "In the books on 1 Apr 2026, the first open day: those of 1 Mar 2026 were locked." in order
    shift = page("sales_shift_change", till.shift_id).text
    assert "1 order came when the books of this day were locked, and stands on a later one." in shift
    march, april = (
        page("ledger_trial_balance", store=till.store.pk, since=f"{month}-01", at=f"{month}-30").text
        for month in ("2026-03", "2026-04")
    )
    assert "4000 −€4.54 −€2.27 €0.00 −€2.27" in march
    assert "4000 €0.00 €0.00 −€2.27 −€2.27" in april
