"""What a body may hold: bytes that are no JSON refuse the batch, JSON that only one order cannot use holds that one.

Beside every order that is held, its neighbours post (protocol §5, "Outcomes").
"""

import gzip
import json
import zlib
from typing import Any
from uuid import UUID, uuid4

import pytest

from backoffice.domain.limits import MAX_MEMBER_BYTES
from backoffice.inbox.models import Batch
from backoffice.ingestion.sweep import process_waiting
from pos_api import bodies
from pos_api.budget import ByteBudget
from tests.till import Till, a_movement, a_sale, a_store, codes, entry_of, outcomes


def code(answer: Any) -> str:
    return str(answer.json()["type"]).rpartition("/")[2]


def text_of(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def batch_of(*members: str) -> bytes:
    """A batch whose orders are given as JSON texts."""
    return f'{{"orders": [{", ".join(members)}]}}'.encode()


def sell_raw(till: Till, raw: bytes) -> dict[str, Any]:
    """Sends these bytes, has them processed, and sees that they are kept as they are."""
    answer = till.upload(raw=raw)
    assert answer.status_code == 202, answer.content
    batch_id = answer.json()["batch_id"]
    process_waiting()
    assert zlib.decompress(Batch.objects.get(batch_id=batch_id).body) == raw
    return till.receipt(batch_id)


def among_neighbours(till: Till, *members: str) -> list[dict[str, Any]]:
    """The receipt's results of members that are each sent between good orders, which post whatever those are."""
    mixed = [text_of(a_sale(5001))]
    for place, member in enumerate(members):
        mixed += [member, text_of(a_sale(5002 + place))]
    results = sell_raw(till, batch_of(*mixed))["results"]
    for neighbour in results[::2]:
        assert (neighbour["outcome"], neighbour["reasons"]) == ("posted", [])
    return results[1::2]


def between_neighbours(till: Till, member: str) -> dict[str, Any]:
    """The receipt's result of one such member."""
    return among_neighbours(till, member)[0]


def pointers_of(results: list[dict[str, Any]]) -> list[str]:
    """Where the first reason of each result is."""
    return [result["reasons"][0]["pointer"] for result in results]


def replaced(order: dict[str, Any], name: str, spelling: str) -> str:
    """The order's text with another spelling of one field's value."""
    return text_of({**order, name: "\N{SNOWMAN}"}).replace('"\N{SNOWMAN}"', spelling)


def in_line(order: dict[str, Any], name: str, spelling: str) -> str:
    line = {**order["lines"][0], name: "\N{SNOWMAN}"}
    return text_of({**order, "lines": [line]}).replace('"\N{SNOWMAN}"', spelling)


def in_payment(order: dict[str, Any], name: str, spelling: str) -> str:
    payment = {**order["payments"][0], name: "\N{SNOWMAN}"}
    return text_of({**order, "payments": [payment]}).replace('"\N{SNOWMAN}"', spelling)


def in_tax(order: dict[str, Any], name: str, spelling: str) -> str:
    tax = {**order["lines"][0]["taxes"][0], name: "\N{SNOWMAN}"}
    return in_line(order, "taxes", f"[{text_of(tax)}]").replace('"\N{SNOWMAN}"', spelling)


# --- Bytes that are no JSON: 400, nothing stored ----------------------------------------------------------------------

GOOD = batch_of(text_of(a_sale(1001)))

NOT_JSON = {
    "nothing at all": b"",
    "blanks only": b" \n\t ",
    "bad UTF-8 in a text": GOOD.replace(b"Baguette", b"Baguett\xe9"),
    "bad UTF-8 in a name": GOOD.replace(b'"note"', b'"not\xff"'),
    "an overlong form": GOOD.replace(b"Baguette", b"\xc0\xaf"),
    "a surrogate in UTF-8": GOOD.replace(b"Baguette", b"\xed\xa0\x80"),
    "beyond Unicode": GOOD.replace(b"Baguette", b"\xf4\x90\x80\x80"),
    "a cut sequence": GOOD.replace(b"Baguette", b"\xe2\x82"),
    "UTF-16": GOOD.decode().encode("utf-16"),
    "UTF-16 without a mark": GOOD.decode().encode("utf-16-le"),
    "UTF-32": GOOD.decode().encode("utf-32"),
    "a byte order mark": b"\xef\xbb\xbf" + GOOD,
    "a trailing bracket": GOOD + b"}",
    "a second value": GOOD + b" {}",
    "a trailing zero byte": GOOD + b"\0",
    "a trailing comma": GOOD + b",",
    "a comma too many": b'{"orders": [],}',
    "a comma in a list": b'{"orders": [null,]}',
    "no comma": b'{"orders": [] "cash_movements": []}',
    "no colon": b'{"orders" []}',
    "cut off": GOOD[:-2],
    "half": GOOD[: len(GOOD) // 2],
    "NaN": b'{"orders": [{"total": NaN}]}',
    "Infinity": b'{"orders": [{"total": Infinity}]}',
    "minus Infinity": b'{"orders": [{"total": -Infinity}]}',
    "NaN outside the orders": b'{"orders": [], "skew": NaN}',
    "a leading zero": b'{"orders": [{"total": 01}]}',
    "a plus sign": b'{"orders": [{"total": +1}]}',
    "no digits before the point": b'{"orders": [{"total": .5}]}',
    "no digits after the point": b'{"orders": [{"total": 5.}]}',
    "hexadecimal": b'{"orders": [{"total": 0xF0}]}',
    "an underscore": b'{"orders": [{"total": 1_000}]}',
    "digits of another script": '{"orders": [{"total": \uff11\uff12}]}'.encode(),
    "single quotes": b"{'orders': []}",
    "a name without quotes": b"{orders: []}",
    "a comment": b'{"orders": []} // done',
    "a tab in a text": b'{"orders": [{"note": "a\tb"}]}',
    "a line break in a text": b'{"orders": [{"note": "a\nb"}]}',
    "a zero byte in a text": b'{"orders": [{"note": "a\0b"}]}',
    "an unknown escape": b'{"orders": [{"note": "\\x41"}]}',
    "a short escape": b'{"orders": [{"note": "\\u12"}]}',
    "True of Python": b'{"orders": [True]}',
    "another white space": b'{"orders":\x0c[]}',
    "a space that is none": '{"orders":\u00a0[]}'.encode(),
}


@pytest.mark.parametrize("name", NOT_JSON)
def test_bytes_that_are_no_json_in_utf8_are_400_and_nothing_is_stored(till: Till, name: str):
    batch_id = uuid4()
    answer = till.upload(raw=NOT_JSON[name], batch_id=batch_id)
    assert (answer.status_code, code(answer)) == (400, "body-malformed")
    assert not Batch.objects.filter(batch_id=batch_id).exists()
    assert till.upload(a_sale(1001), batch_id=batch_id).status_code == 202


def test_no_other_message_takes_them_either(till: Till):
    for path in (f"shifts/{uuid4()}", f"shifts/{till.shift_id}/close"):
        for name, raw in NOT_JSON.items():
            answer = till.send("PUT", path, raw=raw)
            assert (answer.status_code, code(answer)) == (400, "body-malformed"), name


def test_the_culprit_is_found_by_sending_each_order_alone(till: Till):
    members = [text_of(a_sale(1001)), '{"total": NaN}', text_of(a_sale(1002))]
    assert till.upload(raw=batch_of(*members)).status_code == 400
    assert [till.upload(raw=batch_of(member)).status_code for member in members] == [202, 400, 202]


def nested(levels: int, *, opening: str = "[", closing: str = "]") -> str:
    return opening * levels + closing * levels


# The body, its list and the order are three levels.
@pytest.mark.parametrize(("levels", "status"), [(29, 202), (30, 400), (31, 400), (1000, 400), (100_000, 400)])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_what_is_nested_deeper_than_32_is_400(till: Till, levels: int, status: int, opening: str, closing: str):
    inside = "" if opening == "[" else "0"
    depths = opening * levels + inside + closing * levels
    raw = batch_of(text_of(a_sale(1001))[:-1] + f', "new": {depths}}}')
    answer = till.upload(raw=raw)
    assert answer.status_code == status
    if status == 400:
        assert code(answer) == "body-malformed"
    else:
        process_waiting()
        assert outcomes(till.receipt(answer.json()["batch_id"])) == ["posted"]


@pytest.mark.parametrize("raw", [b"[" * 5000, b'{"a":' * 5000, b'{"orders": ' + b"[" * 5000], ids=["[", "{", "orders"])
def test_brackets_that_are_never_closed_are_400(till: Till, raw: bytes):
    assert code(till.upload(raw=raw)) == "body-malformed"


def test_brackets_in_a_text_are_no_nesting(till: Till):
    note = '[[{"' * 100 + '\\"]]}"' * 20 + '"'
    assert between_neighbours(till, text_of(a_sale(1001, note=note[:490])))["outcome"] == "posted"


# --- Members that are no orders ---------------------------------------------------------------------------------------


def test_a_member_that_is_no_order_is_held_alone(till: Till):
    members = ["null", "0", "17.5", '"order"', '""', "[]", '[{"total": 1}]', "true", "false", "{}"]
    for result in among_neighbours(till, *members):
        assert (result["outcome"], result["order_id"], result["number"]) == ("held", None, None)
        assert [reason["code"] for reason in result["reasons"]] == ["unreadable-order"]


def test_a_member_that_is_no_cash_movement_is_held_alone(till: Till):
    bad = ["null", "0", '"cash"', "[]", "{}", "1e400", '"\\ud800"']
    members = [text for member in bad for text in (text_of(a_movement()), member)]
    receipt = sell_raw(till, f'{{"cash_movements": [{", ".join(members)}]}}'.encode())
    results = receipt["movements"]["results"]
    assert [result["outcome"] for result in results] == ["posted", "held"] * len(bad)
    assert {reason["code"] for result in results for reason in result["reasons"]} == {"unreadable-movement"}


def test_the_same_rubbish_twice_is_one_and_a_duplicate(till: Till):
    assert outcomes(till.sell(None, 17, None)) == ["held", "held", "duplicate"]
    assert outcomes(till.sell(17.0)) == ["duplicate"]


def test_two_terminals_that_send_the_same_rubbish_send_two_things(till: Till):
    other = Till(till.store, name="Till 2")
    other.open()
    assert outcomes(till.sell(None)) == ["held"]
    assert outcomes(other.sell(None)) == ["held"]


REQUIRED = ["order_id", "number", "mode", "kind", "status", "opened_at", "closed_at", "lines", "total", "payments"]


def test_an_order_without_a_required_field_is_held_and_told_so(till: Till):
    orders = [{key: value for key, value in a_sale(1001).items() if key != name} for name in REQUIRED]
    results = among_neighbours(till, *map(text_of, orders))
    assert {result["outcome"] for result in results} == {"held"}
    assert pointers_of(results) == [f"/{name}" for name in REQUIRED]


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("lines", "quantity"),
        ("lines", "unit_price"),
        ("lines", "amount"),
        ("payments", "method"),
        ("payments", "amount"),
        ("taxes", "code"),
        ("taxes", "rate"),
        ("taxes", "amount"),
    ],
)
def test_a_part_without_a_required_field_is_held_and_told_so(till: Till, place: str, name: str):
    order = a_sale(1001)
    parts = order["lines"][0]["taxes"] if place == "taxes" else order[place]
    del parts[0][name]
    (reason,) = between_neighbours(till, text_of(order))["reasons"]
    pointer = f"/lines/0/taxes/0/{name}" if place == "taxes" else f"/{place}/0/{name}"
    assert (reason["code"], reason["pointer"]) == ("unreadable-order", pointer)


OPTIONAL = ["tip", "rounding", "cashier", "printed_to", "note"]


def test_an_optional_field_may_be_absent(till: Till):
    names = [*OPTIONAL, "type", "customer", "refund_of"]
    orders = [
        {key: value for key, value in a_sale(1001 + place).items() if key != name} for place, name in enumerate(names)
    ]
    results = among_neighbours(till, *map(text_of, orders))
    assert [result["outcome"] for result in results] == ["posted"] * len(names)


def test_an_optional_field_is_never_null_unless_said(till: Till):
    results = among_neighbours(till, *(text_of(a_sale(1001, **{name: None})) for name in OPTIONAL))
    assert {result["outcome"] for result in results} == {"held"}
    assert pointers_of(results) == [f"/{name}" for name in OPTIONAL]


@pytest.mark.parametrize("name", ["tendered", "change"])
def test_tendered_and_change_may_be_absent_but_not_null(till: Till, name: str):
    assert between_neighbours(till, in_payment(a_sale(1001), name, "null"))["outcome"] == "held"
    absent = [{"method": "cash", "amount": 240}]
    assert till.sell(a_sale(1002, payments=absent))["outcomes"]["posted"] == 1


# --- Money ------------------------------------------------------------------------------------------------------------

NO_MONEY = {
    "a float": "240.0",
    "an exponent": "2.4e2",
    "half a unit": "240.5",
    "true": "true",
    "a text": '"240"',
    "underscores": '"1_000"',
    "digits of another script": '"\uff11\uff12"',
    "a currency sign": '"2.40 \u20ac"',
    "null": "null",
    "a list": "[240]",
    "an object": '{"EUR": 240}',
    "beyond 10^12": "1000000000001",
    "below -10^12": "-1000000000001",
    "beyond 64 bits": "18446744073709551856",
    "5 000 digits": "9" * 5000,
    "1e400": "1e400",
    "-1e400": "-1e400",
    "minus zero as a float": "-0.0",
}


@pytest.mark.parametrize("spelling", NO_MONEY.values(), ids=NO_MONEY.keys())
def test_what_is_no_money_holds_that_order(till: Till, spelling: str):
    orders = [a_sale(1001 + place) for place in range(5)]
    results = among_neighbours(
        till,
        replaced(orders[0], "total", spelling),
        replaced(orders[1], "tip", spelling),
        in_line(orders[2], "amount", spelling),
        in_payment(orders[3], "amount", spelling),
        in_tax(orders[4], "amount", spelling),
    )
    for order, result in zip(orders, results, strict=True):
        assert result["outcome"] == "held"
        assert result["reasons"][0]["code"] == "unreadable-order"
        assert (result["order_id"], result["number"]) == (order["order_id"], order["number"])


@pytest.mark.parametrize("amount", [10**12, -(10**12)])
def test_money_up_to_a_million_million_is_taken(till: Till, amount: int):
    line = {"quantity": "1" if amount > 0 else "-1", "unit_price": abs(amount), "amount": amount}
    order = a_sale(1001, lines=[line], total=amount, payments=[{"method": "card", "amount": amount}])
    order["kind"] = "sale" if amount > 0 else "refund"
    assert between_neighbours(till, text_of(order))["outcome"] == "posted"


def test_half_a_yen_is_held():
    till = Till(a_store(currency="JPY", timezone="Asia/Tokyo"))
    till.open()
    line = {"quantity": "1", "unit_price": 1050, "amount": 1050}
    order = a_sale(1001, lines=[line], total=1050, payments=[{"method": "cash", "amount": 1050}])
    assert outcomes(till.sell(order)) == ["posted"]
    half = a_sale(1002, lines=[line], total=1050, payments=[{"method": "cash", "amount": 1050}])
    assert between_neighbours(till, replaced(half, "total", "1050.5"))["outcome"] == "held"


@pytest.mark.parametrize(
    ("quantity", "unit_price", "amount"),
    [("2", '"120"', 240), ("0.350", "1999", 700), ("31.4159", '"145.9999"', 4587), ("2.0000", '"119.75"', 240)],
)
def test_quantities_and_prices_may_have_four_decimals(till: Till, quantity: str, unit_price: str, amount: int):
    line = {"quantity": quantity, "unit_price": json.loads(unit_price), "amount": amount}
    order = a_sale(1001, lines=[line], total=amount, payments=[{"method": "card", "amount": amount}])
    result = between_neighbours(till, text_of(order))
    assert (result["outcome"], result["reasons"]) == ("posted", [])


def test_a_quantity_price_or_discount_in_another_form_holds_that_order(till: Till):
    wrong = {
        "quantity": [
            "2",
            "2.5",
            '"2,5"',
            '"2.00001"',
            '"1e3"',
            '" 2"',
            '"+2"',
            '".5"',
            '"2."',
            '""',
            '"\uff12"',
            "null",
        ],
        "unit_price": ["120.0", '"119.99999"', "true", '"1000000000001"', "1000000000001", "null", '"x"'],
        "discount": ['"0"', "null", "0.0"],
    }
    cases = [(name, spelling) for name, spellings in wrong.items() for spelling in spellings]
    results = among_neighbours(till, *(in_line(a_sale(1001), name, spelling) for name, spelling in cases))
    assert {result["outcome"] for result in results} == {"held"}
    assert pointers_of(results) == [f"/lines/0/{name}" for name, _ in cases]


def test_a_rate_in_another_form_holds_that_order(till: Till):
    rates = ["0.055", '"5.5%"', '"0.0555555"', "null", '"x"']
    results = among_neighbours(till, *(in_tax(a_sale(1001), "rate", rate) for rate in rates))
    assert {result["outcome"] for result in results} == {"held"}
    assert set(pointers_of(results)) == {"/lines/0/taxes/0/rate"}


def test_a_number_in_another_form_holds_that_order(till: Till):
    numbers = ["0", "-1", "9007199254740992", "1001.0", '"1001"', "null", "true", "1e3"]
    results = among_neighbours(till, *(replaced(a_sale(1001), "number", number) for number in numbers))
    assert {(result["outcome"], result["number"]) for result in results} == {("held", None)}
    assert set(pointers_of(results)) == {"/number"}


def test_the_highest_number_is_taken(till: Till):
    assert between_neighbours(till, text_of(a_sale(2**53 - 1)))["outcome"] == "posted"


def test_a_value_that_the_protocol_does_not_know_holds_that_order(till: Till):
    wrong = {"mode": ["sideways", "Online"], "kind": ["loan"], "status": ["open"], "printed_to": ["fax"]}
    wrong |= {"customer": ["Léa", []], "lines": [{}, "[]"], "payments": [None], "refund_of": [""], "type": [7]}
    cases = [(name, value) for name, values in wrong.items() for value in values]
    results = among_neighbours(till, *(text_of(a_sale(1001, **{name: value})) for name, value in cases))
    assert {result["outcome"] for result in results} == {"held"}
    assert pointers_of(results) == [f"/{name}" for name, _ in cases]


# --- Texts ------------------------------------------------------------------------------------------------------------

NOT_CARRIABLE = {
    "a zero": r'"a\u0000b"',
    "a lone high surrogate": r'"a\ud800b"',
    "a lone low surrogate": r'"\udc00"',
    "surrogates the wrong way round": r'"\udc00\ud800"',
    "half a pair at the end": r'"\ud83e"',
}


@pytest.mark.parametrize("spelling", NOT_CARRIABLE.values(), ids=NOT_CARRIABLE.keys())
def test_a_text_that_nothing_can_carry_holds_that_order_and_is_kept(till: Till, spelling: str):
    names = ["note", "cashier", "order_id", "mode", "unknown_field"]
    results = among_neighbours(
        till,
        *(replaced(a_sale(1001), name, spelling) for name in names),
        replaced(a_sale(1001), "customer", f'{{"name": {spelling}}}'),
        replaced(a_sale(1002), "customer", f"{{{spelling}: 1}}"),
        in_line(a_sale(1003), "name", spelling),
        in_payment(a_sale(1004), "reference", spelling),
        in_tax(a_sale(1005), "code", spelling),
    )
    for result in results:
        assert result["outcome"] == "held"
        assert result["reasons"][0]["code"] == "unreadable-order"


@pytest.mark.parametrize("spelling", NOT_CARRIABLE.values(), ids=NOT_CARRIABLE.keys())
def test_outside_the_orders_it_holds_nothing(till: Till, spelling: str):
    raw = f'{{"device": {spelling}, {spelling}: 1, "orders": [{text_of(a_sale(1001))}]}}'.encode()
    assert outcomes(sell_raw(till, raw)) == ["posted"]


@pytest.mark.parametrize(
    "note",
    ["\U0001f956 pain", "\u0001\u007f\u2028\ufeff", "<script>alert(1)</script>", "'; DROP TABLE sales_order; --"],
)
def test_every_other_text_posts_as_it_is(till: Till, note: str):
    for ascii_only in (True, False):
        member = json.dumps(a_sale(1001 + ascii_only, note=note), ensure_ascii=ascii_only)
        assert outcomes(sell_raw(till, batch_of(member))) == ["posted"]


# --- Identifiers and times --------------------------------------------------------------------------------------------

SAMPLE = "0195b1a0-0000-7000-8000-0000000000ab"
NO_UUID = {
    "a number": "17",
    "braces": f'"{{{SAMPLE}}}"',
    "urn": f'"urn:uuid:{SAMPLE}"',
    "no dashes": f'"{SAMPLE.replace("-", "")}"',
    "dashes elsewhere": '"0195-b1a000007000-8000-00000000-00ab"',
    "one digit short": f'"{SAMPLE[:-1]}"',
    "one digit more": f'"{SAMPLE}0"',
    "blanks": f'" {SAMPLE}"',
    "no hexadecimal": f'"{SAMPLE[:-1]}g"',
    "other digits": f'"{SAMPLE[:-1]}\uff11"',
    "empty": '""',
    "null": "null",
    "a list": f'["{SAMPLE}"]',
}


@pytest.mark.parametrize("spelling", NO_UUID.values(), ids=NO_UUID.keys())
def test_an_identifier_in_another_form_holds_that_order(till: Till, spelling: str):
    result = between_neighbours(till, replaced(a_sale(1001), "order_id", spelling))
    assert (result["outcome"], result["order_id"], result["number"]) == ("held", None, 1001)
    assert result["reasons"][0]["pointer"] == "/order_id"


def test_a_reference_to_an_order_in_another_form_holds_that_order(till: Till):
    spellings = [NO_UUID[name] for name in ("a number", "braces", "urn", "no dashes", "empty")]
    results = among_neighbours(till, *(replaced(a_sale(1001), "refund_of", spelling) for spelling in spellings))
    assert {result["outcome"] for result in results} == {"held"}
    assert set(pointers_of(results)) == {"/refund_of"}


def test_a_movements_identifier_in_another_form_holds_that_movement(till: Till):
    members = ", ".join(replaced(a_movement(), "movement_id", spelling) for spelling in NO_UUID.values())
    receipt = sell_raw(till, f'{{"cash_movements": [{members}]}}'.encode())
    assert receipt["movements"]["outcomes"] == {"posted": 0, "duplicate": 0, "conflict": 0, "held": len(NO_UUID)}


def test_upper_case_is_the_same_identifier(till: Till):
    order = a_sale(1001, order_id=str(uuid4()).upper())
    receipt = till.sell(order)
    assert receipt["results"][0]["order_id"] == order["order_id"].lower()
    assert outcomes(receipt) == ["posted"]
    assert outcomes(till.sell(order | {"order_id": order["order_id"].lower()})) == ["duplicate"]


@pytest.mark.parametrize(
    "spelling",
    [
        '"2026-03-01T10:00:00"',
        '"2026-03-01T10:00:60+01:00"',
        '"9999-12-31T23:59:59Z"',
        '"0001-01-01T00:00:00Z"',
        '"1999-12-31T23:59:59Z"',
        '"2100-01-01T00:00:00Z"',
        '"2026-02-30T10:00:00Z"',
        '"2026-03-01T24:00:00Z"',
        '"2026-03-01T10:00:00+25:00"',
        '"2026-03-01"',
        '"10:00"',
        '"now"',
        '""',
        "1772348400",
        "1772348400.5",
        "null",
    ],
)
def test_a_time_in_another_form_holds_that_order(till: Till, spelling: str):
    names = ["opened_at", "closed_at"]
    results = among_neighbours(till, *(replaced(a_sale(1001), name, spelling) for name in names))
    assert {result["outcome"] for result in results} == {"held"}
    assert pointers_of(results) == ["/opened_at", "/closed_at"]


@pytest.mark.parametrize(
    "time",
    [
        "2026-03-01T10:00:00Z",
        "2026-03-01T10:00:00.123456789Z",
        "2026-03-01T10:00:00-00:00",
        "2026-03-01T10:00:59+14:00",
    ],
)
def test_every_spelling_of_rfc_3339_is_read(till: Till, time: str):
    assert between_neighbours(till, text_of(a_sale(1001, closed_at=time)))["outcome"] == "posted"


# --- Arithmetic, limits and what cannot be placed ---------------------------------------------------------------------


def test_sums_that_do_not_add_up_hold_one_order_and_its_99_neighbours_post(till: Till):
    orders = [a_sale(1001 + index) for index in range(100)]
    orders[41]["total"] = 250
    receipt = till.sell(*orders)
    assert receipt["outcomes"] == {"posted": 99, "duplicate": 0, "conflict": 0, "held": 1}
    assert codes(receipt, 41) == ["sums-do-not-add-up", "payments-do-not-add-up"]
    assert entry_of(orders[41]["order_id"]) == set()
    assert till.shift()["computed"]["sales"] == 99 * 240


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"total": 239, "payments": [{"method": "card", "amount": 239}]}, "sums-do-not-add-up"),
        ({"rounding": 1}, "sums-do-not-add-up"),
        ({"payments": [{"method": "card", "amount": 239}]}, "payments-do-not-add-up"),
        ({"payments": []}, "payments-do-not-add-up"),
        ({"tip": 1}, "payments-do-not-add-up"),
        ({"payments": [{"method": "seashells", "amount": 240}]}, "unmapped-method"),
        ({"payments": [{"method": "", "amount": 240}]}, "unmapped-method"),
        ({"payments": [{"method": "Cash", "amount": 240}]}, "unmapped-method"),
    ],
)
def test_an_order_whose_sums_fail_or_that_no_rule_places_is_held(till: Till, change: dict[str, Any], reason: str):
    result = between_neighbours(till, text_of(a_sale(1001, **change)))
    assert (result["outcome"], [place["code"] for place in result["reasons"]]) == ("held", [reason])


def test_a_line_of_an_unknown_kind_is_held(till: Till):
    result = between_neighbours(till, in_line(a_sale(1001), "kind", '"loan"'))
    assert (result["outcome"], result["reasons"][0]["pointer"]) == ("held", "/lines/0/kind")
    assert result["reasons"][0]["code"] == "unknown-line-kind"


@pytest.mark.parametrize("status", ["voided", "training"])
def test_the_arithmetic_of_what_was_not_sold_is_not_checked(till: Till, status: str):
    order = a_sale(1001, status=status, total=1, payments=[{"method": "seashells", "amount": 7}])
    assert between_neighbours(till, text_of(order))["outcome"] == "posted"
    assert entry_of(order["order_id"]) == set()


def lines_of(count: int, **changes: Any) -> dict[str, Any]:
    line = {"quantity": "1", "unit_price": 1, "amount": 1}
    return {"lines": [line | changes] * count, "total": count, "payments": [{"method": "card", "amount": count}]}


def taxes_of(count: int) -> dict[str, Any]:
    return lines_of(1, taxes=[{"code": "T", "rate": "0", "amount": 0}] * count)


def payments_of(count: int) -> dict[str, Any]:
    return {"payments": [{"method": "cash", "amount": 0}] * (count - 1) + [{"method": "cash", "amount": 240}]}


LIMITS: dict[str, tuple[int, Any]] = {
    "lines": (500, lines_of),
    "payments": (20, payments_of),
    "taxes": (10, taxes_of),
    "type": (64, lambda length: {"type": "t" * length}),
    "tax code": (64, lambda length: lines_of(1, taxes=[{"code": "T" * length, "rate": "0", "amount": 0}])),
}


DESCRIBING: dict[str, tuple[int, Any]] = {
    "sku": (64, lambda length: lines_of(1, sku="s" * length)),
    "name": (200, lambda length: lines_of(1, name="\U0001f956" * length)),
    "note": (500, lambda length: {"note": "é" * length}),
    "cashier": (64, lambda length: {"cashier": "c" * length}),
    "reference": (64, lambda length: {"payments": [{"method": "card", "amount": 240, "reference": "r" * length}]}),
}


@pytest.mark.parametrize("name", LIMITS)
def test_an_order_at_a_limit_posts_and_beyond_it_is_held(till: Till, name: str):
    limit, of_size = LIMITS[name]
    receipt = till.sell(a_sale(1001, **of_size(limit)), a_sale(1002, **of_size(limit + 1)), a_sale(1003))
    assert outcomes(receipt) == ["posted", "held", "posted"]
    assert codes(receipt, 1) == ["limit-exceeded"]


@pytest.mark.parametrize("name", DESCRIBING)
def test_a_text_that_only_describes_is_shortened_beyond_its_limit(till: Till, name: str):
    limit, of_size = DESCRIBING[name]
    receipt = till.sell(a_sale(1001, **of_size(limit)), a_sale(1002, **of_size(limit + 1)), a_sale(1003))
    assert outcomes(receipt) == ["posted", "posted", "posted"]
    assert [codes(receipt, index) for index in range(3)] == [[], ["text-shortened"], []]


@pytest.mark.parametrize("name", ["method", "line kind"])
def test_a_code_beyond_64_characters_is_held(till: Till, name: str):
    order = a_sale(1001)
    long = "x" * 5000
    member = in_payment(order, "method", f'"{long}"') if name == "method" else in_line(order, "kind", f'"{long}"')
    assert between_neighbours(till, member)["outcome"] == "held"


@pytest.mark.parametrize("status", ["voided", "training"])
@pytest.mark.parametrize("name", ["method", "line kind"])
def test_what_was_not_sold_may_name_what_nobody_knows(till: Till, status: str, name: str):
    order = a_sale(1001, status=status)
    code = "k" * 64
    member = in_payment(order, "method", f'"{code}"') if name == "method" else in_line(order, "kind", f'"{code}"')
    assert between_neighbours(till, member)["outcome"] == "posted"


def test_an_order_at_every_limit_at_once_posts(till: Till):
    taxes = [{"code": "T" * 64, "rate": "0.000001", "amount": 0}] * 10
    line = {"sku": "s" * 64, "name": "n" * 200, "quantity": "1", "unit_price": 1, "amount": 1, "taxes": taxes}
    # All lines at every limit would be more than the 256 KiB of a member.
    lines = [line] * 100 + [{"quantity": "1", "unit_price": 1, "amount": 1}] * 400
    order = a_sale(1001, lines=lines, total=500, note="o" * 500, payments=[{"method": "card", "amount": 25}] * 20)
    assert between_neighbours(till, text_of(order))["outcome"] == "posted"


def test_a_member_above_256_kib_is_held_unread_and_its_neighbours_post(till: Till):
    most = MAX_MEMBER_BYTES
    fits, large = a_sale(1001), a_sale(1002)
    fits["x"], large["x"] = "y" * (most - len(json.dumps(fits | {"x": ""}))), "y" * most
    assert len(json.dumps(fits)) == most
    movement = a_movement(x="y" * most)
    receipt = till.sell(fits, large, a_sale(1003), movements=[movement, a_movement()])
    assert outcomes(receipt) == ["posted", "held", "posted"]
    for result, name in ((receipt["results"][1], "order_id"), (receipt["movements"]["results"][0], "movement_id")):
        assert (result["outcome"], result[name], result.get("number")) == ("held", None, None)
        (reason,) = result["reasons"]
        assert (reason["code"], reason["pointer"]) == ("limit-exceeded", "")
    again = till.sell(large, {**large, "x": "z" * most})
    assert outcomes(again) == ["duplicate", "held"], "it is known by the hash of its bytes"
    assert outcomes(till.sell(a_sale(1002))) == ["posted"], "it took no number"


def test_what_came_before_there_were_limits_is_processed_by_those_of_today(
    till: Till, settings: Any, monkeypatch: pytest.MonkeyPatch
):
    settings.MAX_DECODED_BYTES = 32 * 1024**2
    monkeypatch.setattr(bodies, "decoded_bytes", ByteBudget(settings.MAX_DECODED_BYTES))
    large = b'{"x":[%b0]}' % (b'{"":0},' * 2_000_000)
    body = b'{"orders":[%b,%b],"x":["\\ud800"]}' % (large, json.dumps(a_sale(1001)).encode())
    answer = till.upload(raw=gzip.compress(body), **{"Content-Encoding": "gzip"})
    assert answer.status_code == 202
    settings.MAX_DECODED_BYTES = 8 * 1024**2
    process_waiting()
    assert outcomes(till.receipt(answer.json()["batch_id"])) == ["held", "posted"]


def test_totals_that_overflow_no_column_though_many_lines_are_huge(till: Till):
    line = {"quantity": "1", "unit_price": 10**12, "amount": 10**12}
    order = a_sale(1001, lines=[line] * 500, total=10**12, payments=[{"method": "card", "amount": 10**12}])
    assert between_neighbours(till, text_of(order))["outcome"] == "held"


# --- Nothing to post --------------------------------------------------------------------------------------------------


def a_free_item(number: int) -> dict[str, Any]:
    return a_sale(number, lines=[{"quantity": "1", "unit_price": 0, "amount": 0}], total=0, payments=[])


@pytest.mark.parametrize(
    "order",
    [
        a_free_item(1001),
        a_sale(1001, status="voided"),
        a_sale(1001, status="training"),
        a_sale(1001, lines=[], total=0, payments=[]),
        a_sale(1001, lines=[], total=0, payments=[{"method": "card", "amount": 0}]),
    ],
    ids=["free item", "voided", "training", "no lines", "paid nothing"],
)
def test_an_order_with_nothing_to_post_is_posted_without_an_entry_and_counted(till: Till, order: dict[str, Any]):
    assert outcomes(till.sell(order)) == ["posted"]
    assert entry_of(order["order_id"]) == set()
    assert till.shift()["computed"]["order_count"] == 1
    shift = till.close(order).json()
    assert (shift["state"], shift["missing_numbers"]) == ("reconciled", [])


# --- Unknown fields and duplicate names -------------------------------------------------------------------------------


def test_unknown_fields_are_accepted_everywhere_and_kept(till: Till):
    order = a_sale(1001, loyalty={"card": [1, {"deep": None}]}, version=2.5)
    order["lines"][0]["weight"] = "0.250"
    order["lines"][0]["taxes"][0]["country"] = "FR"
    order["payments"][0]["terminal"] = 7
    movement = a_movement(bag="B-12")
    raw = json.dumps({"orders": [order], "cash_movements": [movement], "protocol": [1, 2]}).encode()
    receipt = sell_raw(till, raw)
    assert outcomes(receipt) == ["posted"]
    assert codes(receipt) == []
    assert receipt["movements"]["outcomes"]["posted"] == 1


@pytest.mark.parametrize("value", ["9" * 30, "1.5e300", "-" + "8" * 308, "0.1e-300", "[]", '{"": {"": ""}}'])
def test_a_customer_may_hold_any_value_that_json_can_carry(till: Till, value: str):
    member = replaced(a_sale(1001, mode="online"), "customer", f'{{"points": {value}}}')
    result = between_neighbours(till, member)
    assert (result["outcome"], result["reasons"]) == ("posted", [])


def test_of_duplicate_names_the_last_counts(till: Till):
    order = a_sale(1001)
    twice = '{"total": 7, "lines": 3, "order_id": null, ' + text_of(order)[1:]
    result = between_neighbours(till, twice)
    assert (result["outcome"], UUID(result["order_id"])) == ("posted", UUID(order["order_id"]))
    last = text_of(a_sale(1002))[:-1] + ', "total": 7}'
    assert outcomes(sell_raw(till, batch_of(last))) == ["held"]


def test_of_duplicate_lists_the_last_counts(till: Till):
    first, last = text_of(a_sale(1001)), text_of(a_sale(1002))
    raw = f'{{"orders": [{first}, null], "orders": 5, "orders": [{last}]}}'.encode()
    receipt = sell_raw(till, raw)
    assert [result["number"] for result in receipt["results"]] == [1002]


def test_a_last_list_that_is_none_is_422(till: Till):
    answer = till.upload(raw=f'{{"orders": [{text_of(a_sale(1001))}], "orders": null}}'.encode())
    assert (answer.status_code, code(answer)) == (422, "envelope-invalid")


def test_escaped_names_are_the_same_names(till: Till):
    raw = batch_of(text_of(a_sale(1001))).replace(b'"orders"', b'"\\u006frders"').replace(b'"total"', b'"t\\u006ftal"')
    assert outcomes(sell_raw(till, raw)) == ["posted"]
