"""The file of a till that died, in the console: handed in, looked at, asked for, agreed to; whatever is wrong is said."""

import zlib
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from backoffice.books.importing import import_cache
from backoffice.books.models import CacheFile, Decision
from backoffice.gate.sessions import is_signed_in, session_key
from backoffice.ingestion.sweep import process_waiting
from backoffice.review.admin.deciding import files
from backoffice.review.cache_content import known_items
from backoffice.sales.models import Order
from tests.caches import cached_batch, cached_shift, saved_cache
from tests.integration.console.deciding import Desk
from tests.integration.console.pages import Page
from tests.integration.console.two_stores import bind
from tests.till import Till, a_sale, a_store

pytestmark = pytest.mark.django_db

PAN = "4111111111111111"


def hand_in(desk: Desk, file: bytes, **how: Any) -> Any:
    sent = {"file": SimpleUploadedFile("till.cache", file)}
    return desk.client.post(reverse("admin:fleet_terminal_cache"), sent, **how)


def dead(till: Till, *orders: dict[str, Any]) -> bytes:
    """The file of a till with these orders in its cache."""
    return saved_cache(till, cached_shift(till.shift_id, cached_batch(*orders)))


def test_it_shows_what_it_holds_before_anybody_acts_and_is_taken_in_by_two(till: Till) -> None:
    till.sell(sent := a_sale(1001), held := a_sale(1002, total=999))
    ruth, otto = Desk("Ruth"), Desk("Otto")
    assert "File of a till that died" in ruth.open("fleet_terminal_change", till.terminal.pk).text
    assert "At most 4 MiB." in ruth.open("fleet_terminal_cache").text
    file = dead(till, sent, held, a_sale(1003), a_sale(1004, note=PAN), {"number": 1005})
    shown = Page(hand_in(ruth, file, follow=True).content.decode())
    assert "Till 1 , Paris Bastille" in shown.text
    assert "Orders 5 Not known yet 2 Held already 1 In the books already 1 Cannot be read 1" in shown.text
    assert "1003 * 311 1 Mar 2026, 10:01 CET Not known yet €2.40" in shown.text
    assert not Decision.objects.exists(), "to look decides nothing"
    assert Order.objects.filter(terminal=till.terminal).count() == 1

    (kept,) = CacheFile.objects.all()
    place = reverse("admin:fleet_terminal_cache_file", args=[kept.pk])
    refused = Page(ruth.client.post(place, {"reason": "other"}).content.decode())
    assert "The reason other needs a note." in refused.text
    said = Page(ruth.client.post(place, {"reason": "till-dead"}, follow=True).content.decode())
    assert "Take in what a till could not send, Till 1: it waits for a second person." in said.text
    assert "Waits for a second person" in ruth.open("fleet_terminal_cache_file", kept.pk).text
    assert "Already asked" in Page(ruth.client.post(place, {"reason": "till-dead"}).content.decode()).text

    (asked,) = Decision.objects.all()
    assert otto.open("books_decision_waiting").link("See what the file holds") == place
    assert "agreed, and done." in otto.answer(asked.pk, "agree").text
    assert "1 upload waits" in ruth.open("fleet_terminal_change", till.terminal.pk).text
    process_waiting()
    became = ruth.open("fleet_terminal_change", till.terminal.pk).text
    assert "2 in the books, 2 sent before, 1 held" in became


def spoiled(file: bytes) -> dict[str, bytes]:
    return {
        "It is no cache file of a terminal.": b"\x89PNG" + file,
        "Its signature is wrong: it was changed or cut off after it was saved.": file[:-1],
        "The file is larger than 4 MiB.": file + bytes(settings.MAX_CONSOLE_FILE_BYTES),
    }


def test_a_file_that_is_wrong_is_refused_in_words_and_nothing_of_it_is_kept(till: Till) -> None:
    desk = Desk()
    for words, file in spoiled(dead(till, a_sale(1001))).items():
        answer = hand_in(desk, file)
        assert (answer.status_code, words in Page(answer.content.decode()).text) == (422, True), words
    empty = desk.client.post(reverse("admin:fleet_terminal_cache"), {})
    assert "This field is required." in Page(empty.content.decode()).text
    assert not CacheFile.objects.exists()


def test_card_data_of_a_file_touch_no_disk_and_no_table(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    def touched(*_: Any, **__: Any) -> None:
        raise AssertionError("a file was written to the disk")

    monkeypatch.setattr(TemporaryUploadedFile, "__init__", touched)
    assert hand_in(Desk(), dead(till, a_sale(1001, note=PAN))).status_code == 302
    assert hand_in(Desk(), bytes(settings.FILE_UPLOAD_MAX_MEMORY_SIZE + 1)).status_code == 422
    assert PAN.encode() not in zlib.decompress(CacheFile.objects.get().content)


def test_a_till_of_another_store_is_not_theirs_and_nobody_else_opens_a_file(till: Till) -> None:
    bound = Desk("Bound")
    bind(bound.person, a_store())
    answer = hand_in(bound, dead(till, a_sale(1001)))
    assert "may not decide about this store" in Page(answer.content.decode()).text
    assert not CacheFile.objects.exists()
    hand_in(Desk(), dead(till, a_sale(1001)))
    place = reverse("admin:fleet_terminal_cache_file", args=[CacheFile.objects.get().pk])
    assert bound.client.get(place).status_code == 404
    assert Desk("Anna", rights=("decide_held",)).client.get(place).status_code == 403
    assert Desk().client.get(reverse("admin:fleet_terminal_cache_file", args=[uuid4()])).status_code == 404


def test_what_it_holds_costs_as_many_statements_however_much_it_is(till: Till) -> None:
    desk = Desk()

    def statements(*orders: dict[str, Any]) -> int:
        place = hand_in(desk, dead(till, *orders)).headers["Location"]
        with CaptureQueriesContext(connection) as asked:
            assert desk.client.get(place).status_code == 200
        return len(asked)

    assert statements(a_sale(1001)) == statements(*(a_sale(number) for number in range(1002, 1022)))


def test_what_the_command_took_in_is_not_opened_where_it_is_too_large(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk()
    file = dead(till, a_sale(1001), a_sale(1002), a_sale(1003, note="x" * 5_000))
    import_cache(file, person=desk.person, reason="till-dead", now=timezone.now())
    (kept,) = CacheFile.objects.all()
    size = len(zlib.decompress(kept.content))
    monkeypatch.setattr(files, "MOST_UNPACKED", size)
    assert "1003" in desk.open("fleet_terminal_cache_file", kept.pk).text
    monkeypatch.setattr(files, "MOST_UNPACKED", size - 1)
    shown = desk.open("fleet_terminal_cache_file", kept.pk).text
    assert "Uploads 1 Orders 3 Cash movements 0 Total of its paid orders €7.20" in shown
    assert "It is too large to be opened here." in shown
    assert "Its orders" not in shown

    place = reverse("admin:fleet_terminal_cache_file", args=[kept.pk])
    assert desk.client.post(place, {"reason": "till-dead"}).status_code == 422
    assert Decision.objects.count() == 1


def test_a_file_may_have_more_orders_than_a_statement_has_parameters(till: Till) -> None:
    till.sell(sent := a_sale(1001), held := a_sale(1002, total=999))
    ours = [UUID(sent["order_id"]), UUID(held["order_id"])]
    known, undecided = known_items([*ours, *(uuid4() for _ in range(70_000))])
    assert known == set(ours)
    assert undecided == {UUID(held["order_id"])}


def test_the_gate_reads_a_file_of_whoever_is_signed_in() -> None:
    desk, stranger = Desk(), Client()
    stranger.session.save()
    cookies = [f"csrftoken=x; sessionid={each.session.session_key}" for each in (desk.client, stranger)]
    keys = [session_key({"HTTP_COOKIE": cookie}) for cookie in cookies]
    assert [key is not None and is_signed_in(key) for key in keys] == [True, False]
    assert not is_signed_in("abcdefghijklmnopqrstuvwxyz012345")
    assert session_key({}) is session_key({"HTTP_COOKIE": r'sessionid="\000\000"'}) is None
