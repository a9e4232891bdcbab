"""`PUT /shifts/{shift_id}`: a shift starts online, once (protocol §4)."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest

from backoffice.sales.models import Shift
from tests.till import Till, a_sale, a_store, at_once, balance, codes, entry_of, outcomes

OPENING: dict[str, Any] = {
    "number": 311,
    "opened_at": "2026-03-01T08:00:00+01:00",
    "cashier": "Anna",
    "opening_float": 20000,
    "first_number": 1001,
}


def put(till: Till, message: Any, shift_id: Any = None) -> Any:
    return till.send("PUT", f"shifts/{shift_id or uuid4()}", message)


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in OPENING.items() if key != name}


def pointers(answer: Any) -> list[str]:
    return [place["pointer"] for place in answer.json()["errors"]]


def test_a_new_shift_is_201_and_stands_open():
    till, shift_id = Till(), uuid4()
    answer = put(till, OPENING, shift_id)
    assert answer.status_code == 201
    assert answer.json() == {
        "shift_id": str(shift_id),
        "number": 311,
        "state": "open",
        "business_date": "2026-03-01",
        "opened_at": "2026-03-01T07:00:00Z",
        "cashier": "Anna",
        "opening_float": 20000,
        "first_number": 1001,
        "flags": [],
        "missing_batches": [],
        "missing_numbers": [],
        "declared": None,
        "computed": {
            "order_count": 0,
            "sales": 0,
            "refunds": 0,
            "tax": 0,
            "tips": 0,
            "rounding": 0,
            "payments": {},
        },
        "differences": [],
        "cash": {"expected": 20000, "counted": None, "over_short": None},
        "held": 0,
        "late": 0,
        "explained_numbers": [],
        "z_number": None,
    }


def test_repeated_it_is_200_with_the_same_answer_and_no_effect():
    till, shift_id = Till(), uuid4()
    first = put(till, OPENING, shift_id)
    second = put(till, OPENING, shift_id)
    assert (second.status_code, second.json()) == (200, first.json())
    assert Shift.objects.filter(terminal=till.terminal).count() == 1
    assert balance(till) == 20000


def test_another_spelling_of_the_same_opening_is_a_repeat():
    till, shift_id = Till(), uuid4()
    put(till, OPENING, shift_id)
    spelled = dict(reversed(OPENING.items())) | {"opened_at": "2026-03-01T07:00:00.000Z", "colour": "unknown field"}
    raw = json.dumps(spelled, indent=2).encode()
    assert till.send("PUT", f"shifts/{str(shift_id).upper()}", raw=raw).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"number": 312},
        {"opened_at": "2026-03-01T08:00:01+01:00"},
        {"cashier": "Bert"},
        {"opening_float": 20001},
        {"first_number": 1002},
        {"prices_include_tax": False},
        {"number": 312, "closed_at": "2026-03-01T18:00:00+01:00"},
    ],
)
def test_the_same_identifier_with_other_content_is_422_and_changes_nothing(change: dict[str, Any]):
    till, shift_id = Till(), uuid4()
    before = put(till, OPENING, shift_id).json()
    answer = put(till, OPENING | change, shift_id)
    assert answer.status_code == 422
    assert answer.json()["type"].endswith("/identifier-reused")
    assert till.send("GET", f"shifts/{shift_id}").json() == before


def test_repeated_with_its_end_it_is_the_same_opening():
    """So a terminal opens its shifts again after a restore (protocol §10)."""
    till, shift_id = Till(), uuid4()
    before = put(till, OPENING, shift_id).json()
    answer = put(till, OPENING | {"closed_at": "2026-03-01T18:00:00+01:00"}, shift_id)
    assert (answer.status_code, answer.json()) == (200, before)
    till.shift_id = shift_id
    till.close()
    assert put(till, OPENING | {"closed_at": "2026-03-01T18:00:00+01:00"}, shift_id).status_code == 200


def test_an_open_shift_that_is_said_to_have_ended_makes_room_for_the_next():
    """A restore took its close away: the terminal opens both again, and closes the first when its batches are there."""
    till, ended = Till(), uuid4()
    put(till, OPENING, ended)
    assert put(till, OPENING | {"number": 312, "first_number": 1002}).status_code == 409
    assert put(till, OPENING | {"closed_at": "2026-03-01T18:00:00+01:00"}, ended).status_code == 200
    assert till.open(number=312, first_number=1002, opened_at="2026-03-01T19:00:00+01:00").status_code == 201
    assert till.send("GET", "terminal").json()["open_shift"]["shift_id"] == str(till.shift_id)
    order = a_sale(1001)
    assert outcomes(till.sell(order, shift_id=ended)) == ["posted"]
    till.shift_id = ended
    assert till.close(order).json()["state"] == "reconciled"


def test_a_shift_recorded_with_its_end_has_that_end(till: Till):
    till.close()
    recorded = uuid4()
    put(till, OPENING | {"closed_at": "2026-03-01T18:00:00+01:00"}, recorded)
    assert put(till, OPENING | {"closed_at": "2026-03-01T18:00:01+01:00"}, recorded).status_code == 422


def test_while_another_shift_is_open_it_is_409_naming_that_one(till: Till):
    answer = put(till, OPENING | {"number": 312})
    assert answer.status_code == 409
    assert answer.json()["type"].endswith("/shift-already-open")
    assert UUID(answer.json()["shift_id"]) == till.shift_id
    assert Shift.objects.filter(terminal=till.terminal).count() == 1


def test_after_a_close_the_next_may_open(till: Till):
    till.close()
    assert put(till, OPENING | {"number": 312}).status_code == 201


def test_it_may_open_while_the_last_one_is_still_closing(till: Till):
    assert till.close(a_sale(1001)).json()["state"] == "closing"
    assert put(till, OPENING | {"number": 312}).status_code == 201


def test_two_terminals_of_a_store_have_each_their_own_open_shift(till: Till):
    assert Till(till.store, name="Till 2").open().status_code == 201


def test_another_terminals_shift_cannot_be_opened_again(till: Till):
    other = Till(till.store, name="Till 2")
    answer = put(other, OPENING, till.shift_id)
    assert answer.status_code == 422
    assert answer.json()["type"].endswith("/identifier-reused")
    assert other.send("GET", f"shifts/{till.shift_id}").status_code == 404
    assert Shift.objects.get(shift_id=till.shift_id).terminal == till.terminal


# --- What an opening says ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["number", "opened_at", "opening_float", "first_number"])
def test_a_required_field_that_is_missing_is_named(name: str):
    answer = put(Till(), without(name))
    assert (answer.status_code, pointers(answer)) == (422, [f"/{name}"])
    assert answer.json()["type"].endswith("/envelope-invalid")


def test_every_fault_is_named_in_the_words_of_the_protocol():
    message = {"number": "1", "opened_at": "2026-03-01T08:00:00", "opening_float": 1.5, "cashier": 5}
    answer = put(Till(), message)
    assert answer.json()["detail"] == "Expected an integer, got a string"
    assert [tuple(place.values()) for place in answer.json()["errors"]] == [
        ("/number", "invalid", "Expected an integer, got a string"),
        ("/opened_at", "invalid", "Expected a time of RFC 3339 with an offset"),
        ("/cashier", "invalid", "Expected a string, got an integer"),
        ("/opening_float", "invalid", "Expected an integer, got a number that is no integer"),
        ("/first_number", "missing", "first_number is missing"),
    ]


def test_the_cashier_may_be_left_out():
    assert put(Till(), without("cashier")).status_code == 201


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("number", 0),
        ("number", 2**53),
        ("number", "311"),
        ("number", None),
        ("first_number", 0),
        ("first_number", 1.5),
        ("opening_float", -1),
        ("opening_float", 10**12 + 1),
        ("opening_float", 200.0),
        ("opening_float", True),
        ("opened_at", "2026-03-01T08:00:00"),
        ("opened_at", "1999-12-31T23:59:59Z"),
        ("opened_at", "2100-01-01T00:00:00Z"),
        ("opened_at", "2026-03-01T08:00:60Z"),
        ("opened_at", 1772348400),
        ("cashier", None),
        ("cashier", "An\0na"),
        ("closed_at", "soon"),
        ("prices_include_tax", "yes"),
    ],
)
def test_a_field_that_is_not_one_is_named_and_opens_nothing(name: str, value: Any):
    till = Till()
    answer = put(till, OPENING | {name: value})
    assert (answer.status_code, pointers(answer)) == (422, [f"/{name}"])
    assert not Shift.objects.filter(terminal=till.terminal).exists()


@pytest.mark.parametrize("message", [[], "shift", 311, None, True])
def test_a_body_that_is_no_object_is_no_opening(message: Any):
    answer = Till().send("PUT", f"shifts/{uuid4()}", raw=json.dumps(message).encode())
    assert (answer.status_code, pointers(answer)) == (422, [""])


@pytest.mark.parametrize("currency", ["USD", "XXX", "ZZZ", "EURO", "eur", "", 978])
def test_a_currency_that_is_not_the_stores_is_refused_where_the_shift_opens(currency: Any):
    till = Till()
    answer = put(till, OPENING | {"currency": currency})
    assert (answer.status_code, pointers(answer)) == (422, ["/currency"])
    assert answer.json()["type"].endswith("/envelope-invalid")
    assert not Shift.objects.filter(terminal=till.terminal).exists()


def test_the_stores_own_currency_may_be_named():
    assert put(Till(), OPENING | {"currency": "EUR"}).status_code == 201


@pytest.mark.parametrize("text", ["shift", "0195", "{0}", "urn:uuid:{0}", "{0:x}", "%7B{0}%7D"])
def test_an_identifier_that_is_no_canonical_uuid_names_nothing(text: str):
    identifier = uuid4()
    spelled = text.replace("{0:x}", identifier.hex).replace("{0}", str(identifier))
    expected = 201 if spelled == str(identifier) else 404
    assert put(Till(), OPENING, spelled).status_code == expected


# --- Defaults, and what is frozen -------------------------------------------------------------------------------------


def taxed_on_top(number: int) -> dict[str, Any]:
    """2 × 1.20 with 13 of tax on top."""
    return a_sale(
        number,
        lines=[
            {
                "quantity": "2",
                "unit_price": 120,
                "amount": 240,
                "taxes": [{"code": "X", "rate": "0.055", "amount": 13}],
            }
        ],
        total=253,
        payments=[{"method": "card", "amount": 253}],
    )


def test_the_price_mode_is_the_stores_unless_the_shift_says_otherwise():
    excluding = Till(a_store(prices_include_tax=False))
    excluding.open()
    assert outcomes(excluding.sell(taxed_on_top(1001), a_sale(1002))) == ["posted", "held"]
    including = Till(excluding.store, name="Till 2")
    including.open(prices_include_tax=True)
    assert outcomes(including.sell(taxed_on_top(1001), a_sale(1002))) == ["held", "posted"]


def test_price_mode_and_currency_are_frozen_when_it_opens(till: Till):
    store = till.store
    store.prices_include_tax, store.currency = False, "CHF"
    store.save()
    assert outcomes(till.sell(a_sale(1001))) == ["posted"]
    assert Shift.objects.get(shift_id=till.shift_id).currency == "EUR"


def test_a_repeat_is_a_repeat_also_after_the_store_changed_its_currency():
    till, shift_id = Till(), uuid4()
    put(till, OPENING | {"currency": "EUR"}, shift_id)
    till.store.currency = "CHF"
    till.store.save()
    assert put(till, OPENING | {"currency": "EUR"}, shift_id).status_code == 200


# --- A shift recorded as already ended --------------------------------------------------------------------------------

ENDED = {"number": 300, "opened_at": "2026-02-27T08:00:00+01:00", "closed_at": "2026-02-27T18:00:00+01:00"}


def test_a_shift_that_has_ended_may_be_opened_beside_an_open_one(till: Till):
    assert put(till, OPENING | ENDED).status_code == 201
    assert till.send("GET", "terminal").json()["open_shift"]["shift_id"] == str(till.shift_id)


def test_any_number_of_ended_shifts_may_be_recorded_before_one_is_opened():
    till = Till()
    for number in (300, 301):
        assert put(till, OPENING | ENDED | {"number": number}).status_code == 201
    assert till.open().status_code == 201


def test_an_ended_shift_takes_its_batches_and_its_close(till: Till):
    recorded = uuid4()
    put(till, OPENING | ENDED | {"first_number": 901}, recorded)
    order = a_sale(901, opened_at="2026-02-27T10:00:00+01:00", closed_at="2026-02-27T10:01:00+01:00")
    assert outcomes(till.sell(order, shift_id=recorded)) == ["posted"]
    till.shift_id = recorded
    answer = till.close(order, closed_at="2026-02-27T18:00:00+01:00")
    assert (answer.status_code, answer.json()["state"]) == (202, "reconciled")
    assert answer.json()["business_date"] == "2026-02-27"


def test_an_order_after_the_recorded_end_is_flagged(till: Till):
    recorded = uuid4()
    put(till, OPENING | ENDED | {"first_number": 901}, recorded)
    receipt = till.sell(a_sale(901), shift_id=recorded)
    assert outcomes(receipt) == ["posted"]
    assert codes(receipt) == ["outside-shift-hours"]


# --- Business date ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "opened_at", "business_date"),
    [
        ("Europe/Paris", "2026-03-01T08:00:00+01:00", "2026-03-01"),
        ("Europe/Paris", "2026-02-28T22:59:59Z", "2026-02-28"),
        ("Europe/Paris", "2026-02-28T23:00:00Z", "2026-03-01"),
        ("Europe/Paris", "2026-03-01T00:30:00+14:00", "2026-02-28"),  # the device's own offset does not matter
        ("Europe/Paris", "2026-03-28T23:30:00Z", "2026-03-29"),  # winter: 00:30
        ("Europe/Paris", "2026-03-29T22:30:00Z", "2026-03-30"),  # summer: 00:30, in winter it would be 23:30
        ("America/New_York", "2026-03-09T03:59:00Z", "2026-03-08"),
        ("America/New_York", "2026-03-09T04:30:00Z", "2026-03-09"),  # summer: 00:30
        ("America/New_York", "2026-11-02T04:30:00Z", "2026-11-01"),  # winter again: 23:30
        ("Asia/Tokyo", "2026-03-01T15:00:00Z", "2026-03-02"),
        ("Pacific/Kiritimati", "2026-03-01T10:00:00Z", "2026-03-02"),
        ("Pacific/Pago_Pago", "2026-03-01T10:59:00Z", "2026-02-28"),
        ("Asia/Kathmandu", "2026-03-01T18:15:00Z", "2026-03-02"),
    ],
)
def test_the_business_date_is_the_store_local_date_of_the_opening(zone: str, opened_at: str, business_date: str):
    till = Till(a_store(timezone=zone))
    assert put(till, OPENING | {"opened_at": opened_at}).json()["business_date"] == business_date


def test_orders_after_midnight_belong_to_the_day_their_shift_opened(till: Till):
    order = a_sale(1001, opened_at="2026-03-02T00:40:00+01:00", closed_at="2026-03-02T00:41:00+01:00")
    till.sell(order)
    assert till.shift()["business_date"] == "2026-03-01"
    assert till.shift()["computed"]["order_count"] == 1


@pytest.mark.parametrize("opened_at", ["2000-01-01T12:00:00Z", "2099-12-31T12:00:00Z"])
def test_the_first_and_last_years_of_the_protocol_can_be_booked(opened_at: str):
    till = Till()
    till.open(opened_at=opened_at)
    order = a_sale(1001, opened_at=opened_at, closed_at=opened_at)
    assert outcomes(till.sell(order)) == ["posted"]
    assert entry_of(order["order_id"]) == {("1000", 240, 0), ("4000", 0, 227), ("2100", 0, 13)}


# --- At the same moment -----------------------------------------------------------------------------------------------


def test_of_twenty_equal_openings_at_once_one_is_201_and_the_others_200(committed_db: None):
    till, shift_id = Till(), uuid4()
    answers = at_once([lambda: put(till, OPENING, shift_id)] * 20)
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({answer.content for answer in answers}) == 1
    assert balance(till) == 20000


def test_of_ten_different_openings_at_once_one_wins(committed_db: None):
    till = Till()
    answers = at_once([lambda: put(till, OPENING)] * 10)
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 9
