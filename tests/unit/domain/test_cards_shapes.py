"""What tills really send: each name that holds card data, each place and each spelling, and what is kept of it."""

import json
from typing import Any

import pytest

from backoffice.domain.cards.masking import mask_cards
from tests.unit.domain.builders import ORDER_ID, OTHER_ID, raw, wire_line, wire_movement, wire_order

PAN, SHOWN = "4111111111111111", "************1111"
SECRET = "secret-601"

# Of each name the spellings that programs give it.
NAMES = {
    "cvv": ("cvv", "CVV", "Cvv", "cvv2", "CVV2", "cvv_2"),
    "cvc": ("cvc", "CVC", "cvc2", "Cvc-2"),
    "cid": ("cid", "CID"),
    "csc": ("csc", "CSC"),
    "cvv code": ("cvv_code", "cvvCode", "CvvCode", "cvv-code", "CVVCODE"),
    "security code": ("security_code", "securityCode", "Security-Code", "SECURITYCODE", "security code"),
    "card security code": ("card_security_code", "cardSecurityCode", "card-security-code"),
    "track": ("track", "Track", "track1", "track2", "track_1", "Track_2", "track-2", "TRACK 1"),
    "track data": ("track_data", "trackData", "track2_data", "track1Data", "Track2Data"),
    "pin": ("pin", "PIN", "_pin"),
    "pin block": ("pin_block", "pinBlock", "PINBlock", "pin-block"),
    "pan": ("pan", "PAN", "Pan", "pan_"),
    "card number": ("card_number", "cardNumber", "CardNumber", "card-number", "CARD_NUMBER", "cardno", "card_no", "cardNo"),
    "primary account number": ("primary_account_number", "primaryAccountNumber", "PrimaryAccountNumber"),
}  # fmt: skip

# Where a field can be: in the order and around it.
PLACES: dict[str, Any] = {
    "an order": lambda field: {"orders": [wire_order(**field)]},
    "a payment": lambda field: {"orders": [wire_order(payments=[{"method": "card", "amount": 240, **field}])]},
    "a card of a payment": lambda field: {
        "orders": [wire_order(payments=[{"method": "card", "card": {"x": [field]}}])]
    },
    "a customer": lambda field: {"orders": [wire_order(customer={"name": "Léa", **field})]},
    "a line": lambda field: {"orders": [wire_order(lines=[wire_line(**field)])]},
    "a cash movement": lambda field: {"orders": [], "cash_movements": [wire_movement(**field)]},
    "the batch": lambda field: {"orders": [], **field},
    "a message": lambda field: {"number": 1, "device": field},
}


@pytest.mark.parametrize("name", [spelled for spellings in NAMES.values() for spelled in spellings])
def test_a_field_of_that_name_goes_wherever_it_is_and_whatever_it_holds(name: str):
    for place, put in PLACES.items():
        for value in (SECRET, 123, None, [SECRET], {"deep": [SECRET]}):
            left = mask_cards(raw(put({name: value, "kept": 1}))).body
            assert json.loads(left) == json.loads(raw(put({"kept": 1}))), (place, value)


# Texts of an order, of a movement and of the messages, known fields and unknown ones, and names.
TEXTS: dict[str, Any] = {
    "note": lambda text: {"orders": [wire_order(note=text)]},
    "cashier": lambda text: {"orders": [wire_order(cashier=text)]},
    "type": lambda text: {"orders": [wire_order(type=text)]},
    "kind": lambda text: {"orders": [wire_order(kind=text)]},
    "mode": lambda text: {"orders": [wire_order(mode=text)]},
    "line kind": lambda text: {"orders": [wire_order(lines=[wire_line(kind=text)])]},
    "line name": lambda text: {"orders": [wire_order(lines=[wire_line(name=text)])]},
    "quantity": lambda text: {"orders": [wire_order(lines=[wire_line(quantity=text)])]},
    "tax code": lambda text: {"orders": [wire_order(lines=[wire_line(taxes=[{"code": text}])])]},
    "method": lambda text: {"orders": [wire_order(payments=[{"method": text}])]},
    "reference": lambda text: {"orders": [wire_order(payments=[{"reference": text}])]},
    "card": lambda text: {"orders": [wire_order(payments=[{"card": {"number": text}}])]},
    "customer": lambda text: {"orders": [wire_order(customer={"loyalty": [text]})]},
    "customer's field": lambda text: {"orders": [wire_order(customer={text: 1})]},
    "unknown field": lambda text: {"orders": [wire_order(terminal_slip=text)]},
    "unknown fields": lambda text: {"orders": [wire_order(emv={"5A": text, "57": [[text]]})]},
    "name of a field": lambda text: {"orders": [wire_order(**{text: {text: text}})]},
    "member": lambda text: {"orders": [text]},
    "movement reason": lambda text: {"cash_movements": [wire_movement(reason=text)]},
    "movement cashier": lambda text: {"cash_movements": [wire_movement(cashier=text)]},
    "batch": lambda text: {"orders": [], "x": text},
    "batch's field": lambda text: {"orders": [], text: 0},
    "shift cashier": lambda text: {"number": 311, "cashier": text},
    "device": lambda text: {"device": {"name": text, "model": text, "serial": text, "app_version": text}},
    "heartbeat": lambda text: {"app_version": text},
    "totals": lambda text: {"totals": {"payments": {text: 77690}}},
    "sku with more in it": lambda text: {"orders": [wire_order(lines=[wire_line(sku={"code": text})])]},
    "identifier spelled as a list of objects": lambda text: {"orders": [wire_order(order_id=[{"x": text}])]},
}
# What is written, and what is kept of it.
SPELLINGS = {
    "plain": (PAN, SHOWN),
    "spaces": ("4111 1111 1111 1111", "**** **** **** 1111"),
    "dashes": ("4111-1111-1111-1111", "****-****-****-1111"),
    "dots": ("4111.1111.1111.1111", "****.****.****.1111"),
    "slashes": ("4111/1111/1111/1111", "****/****/****/1111"),
    "underscores": ("4111_1111_1111_1111", "****_****_****_1111"),
    "line breaks": ("4111\r\n1111\n1111\n1111", "****\r\n****\n****\n1111"),
    "left-to-right marks": ("4111\u200e1111\u200e1111\u200e1111", "****\u200e****\u200e****\u200e1111"),
    "zero-width": ("4111\u200b\u2060\ufeff11111111\u00ad1111", "****\u200b\u2060\ufeff********\u00ad1111"),
    "full-width digits": ("４１１１１１１１１１１１１１１１", "************１１１１"),
    "ideographic spaces": (
        "４１１１\u3000１１１１\u3000１１１１\u3000１１１１",
        "****\u3000****\u3000****\u3000１１１１",
    ),
    "Arabic digits": (PAN.translate({ord(str(n)): chr(0x660 + n) for n in range(10)}), "*" * 12 + "\u0661" * 4),
    "with expiry date": (PAN + "1227", SHOWN + "1227"),
    "with CVV": (PAN + "123", SHOWN + "123"),
    "expiry date apart": (PAN + " 12/27", SHOWN + " 12/27"),
    "American Express with expiry date": ("3782822463100051227", "***********00051227"),
    "track 2": (f";{PAN}=27121010000012345678?", f";{SHOWN}="),
    "track 1": (f"%B{PAN}^DOE/JOHN^27121010000012345678?", f"%B{SHOWN}^"),
    "both tracks": (f"%B{PAN}^DOE/J^2712?;{PAN}=2712?", f"%B{SHOWN}^"),
    "in words": (f"paid with {PAN}, thanks", f"paid with {SHOWN}, thanks"),
    "two": (f"{PAN}/5555555555554444", f"{SHOWN}/************4444"),
}


@pytest.mark.parametrize("put", TEXTS.values(), ids=TEXTS.keys())
def test_a_card_number_in_that_text_is_masked_to_the_last_four_however_it_is_written(put: Any):
    for spelling, (text, shown) in SPELLINGS.items():
        for is_ascii in (True, False):
            result = mask_cards(json.dumps(put(text), ensure_ascii=is_ascii).encode())
            assert json.loads(result.body) == json.loads(json.dumps(put(shown))), spelling
            assert {finding.code for finding in result.findings} == {"card-number-masked"}


# Digits that are no card number, and numbers where they are none.
KEPT = {
    "a sku": {"lines": [{"sku": PAN}, {"sku": "4006381333931"}]},
    "an EAN": {"ean": PAN, "lines": [{"ean": [PAN], "EAN": PAN}]},
    "a GTIN": {"lines": [{"gtin": PAN}]},
    "a UPC": {"lines": [{"upc": PAN, "barcode": PAN, "bar_code": PAN}]},
    "identifiers": {"order_id": ORDER_ID, "refund_of": OTHER_ID, "x": [ORDER_ID, "41111111-1111-1111-0000-000000000000"]},
    "identifiers of digits": {"order_id": PAN, "refund_of": PAN, "adjusts": PAN, "movement_id": PAN, "shiftId": PAN},
    "JSON numbers": {"number": int(PAN), "amount": -int(PAN), "x": {"y": [int(PAN)]}},
    "times": {"opened_at": "2026-03-01T11:02:00.123456+01:00", "x": "4.01.2026 11:02:00", "y": "20260301110200"},
    "an EAN in a name": {"lines": [{"name": "Bread 4006381333931"}]},
    "phone numbers": {"customer": {"phone": "+49 30 901820-12", "fax": "06 12 34 56 78"}},
    "an IBAN": {"customer": {"iban": "DE89 3704 0044 0532 0130 00"}},
    "a number that fails its check": {"note": "4111111111111112"},
    "a long row": {"note": "4111111111111111" * 2},
    "codes": {"payments": [{"reference": "AUTH 031337 RRN 606012104729"}], "x": "192.168.100.200/24"},
    "words": {"note": "pan, pin and track", "type": "pin", "lines": [{"name": "Pan de molde"}]},
}  # fmt: skip


@pytest.mark.parametrize("order", KEPT.values(), ids=KEPT.keys())
def test_what_only_looks_like_card_data_stays(order: dict[str, Any]):
    body = raw({"orders": [order]})
    assert mask_cards(body) == (body, ())
    with_secret = raw({"orders": [{**order, "cvv": 1}]})
    assert mask_cards(with_secret).body == body
