"""Which digits in a text are a card number, and what is left of it."""

import re
import time
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from backoffice.domain.cards.search import SEPARATORS, has_number, mask_numbers

# Numbers that the issuers publish for tests, or made after their rules.
CARDS = {
    "Visa": "4111111111111111",
    "Visa of 13 digits": "4222222222222",
    "Visa of 19 digits": "4000000000000000006",
    "Mastercard": "5555555555554444",
    "Mastercard, new range": "2223003122003222",
    "American Express": "378282246310005",
    "American Express 34": "343434343434343",
    "Discover": "6011111111111117",
    "Discover 65": "6500000000000002",
    "JCB": "3530111333300000",
    "Diners Club": "30569309025904",
    "Diners Club 36": "36227206271667",
    "UnionPay": "6200000000000005",
    "UnionPay of 19 digits": "6205500000000000004",
    "Maestro": "6759649826438453",
    "Maestro 50": "5018000000000009",
    "Maestro of 18 digits": "675964982643845300",
    "Mir": "2200000000000004",
    "RuPay": "8100000000000002",
}
UUID = "01953a3e-0000-7000-8000-000000000001"


def luhn(digits: str) -> bool:
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def with_check_digit(digits: str) -> str:
    return next(number for last in range(10) if luhn(number := f"{digits}{last}"))


def ean_check(digits: str) -> bool:
    return sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits)) % 10 == 0


@pytest.mark.parametrize("number", CARDS.values(), ids=CARDS.keys())
def test_a_card_number_keeps_its_last_four_digits(number):
    assert luhn(number)
    assert mask_numbers(number) == "*" * (len(number) - 4) + number[-4:]
    assert (
        mask_numbers(f"paid with card{number}, thanks")
        == f"paid with card{'*' * (len(number) - 4)}{number[-4:]}, thanks"
    )


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("4111 1111 1111 1111", "**** **** **** 1111"),
        ("4111-1111-1111-1111", "****-****-****-1111"),
        ("4111 11111111-1111", "**** ********-1111"),
        ("41 11 11 11 11 11 11 11", "** ** ** ** ** ** 11 11"),
        ("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "* * * * * * * * * * * * 1 1 1 1"),
        ("4111\u00a01111\u20131111\u202f1111", "****\u00a0****\u2013****\u202f1111"),
        ("4111\t1111\u2011\u20111111\u22121111", "****\t****\u2011\u2011****\u22121111"),
        ("4111 - 1111 - 1111 - 1111", "**** - **** - **** - 1111"),
        ("4111\u200b1111\u00ad1111\ufeff1111", "****\u200b****\u00ad****\ufeff1111"),
        ("3782 822463 10005", "**** ****** *0005"),
        ("(4111111111111111)", "(************1111)"),
        ("4111111111111111=27121010000", "************1111="),
        (";4111 1111 1111 1111=2712101?;5555555555554444=2712101?", ";**** **** **** 1111="),
        ("%B4111111111111111^DOE/J^2712101?", "%B************1111^"),
        ("4111111111111111\uff1d2712101", "************1111\uff1d"),
        ("4111111111111111 = 2712101", "************1111 = 2712101"),
        ("4111111111111112=2712, 4111111111111111=2712", "4111111111111112=2712, ************1111="),
        ("41111111111111111227=101", "************11111227="),
        ("41111111111111111227", "************11111227"),
        ("41111111111111111227123", "************11111227123"),
        ("4111111111111111123", "************1111123"),
        ("4111 1111 1111 11111227", "**** **** **** 11111227"),
        ("1234 4111111111111111999", "1234 ************1111999"),
        ("40000000000000000061227", "***************00061227"),
        ("3782822463100051227", "***********00051227"),
        ("4111.1111.1111.1111", "****.****.****.1111"),
        ("4111/1111/1111/1111", "****/****/****/1111"),
        ("4111\\1111\\1111\\1111", "****\\****\\****\\1111"),
        ("4111_1111_1111_1111", "****_****_****_1111"),
        ("4111 1111\n1111 1111", "**** ****\n**** 1111"),
        ("4111\r\n \r\n1111\r\n11111111", "****\r\n \r\n****\r\n****1111"),
        ("4111\u30001111\u30fb1111\uff0d1111", "****\u3000****\u30fb****\uff0d1111"),
        ("4111" + "\u200e\u2060\u200b\0" * 5 + "111111111111", "****" + "\u200e\u2060\u200b\0" * 5 + "********1111"),
        ("\uff14\uff11\uff11\uff11 1111 1111 111\uff11", "**** **** **** 111\uff11"),
        ("\u0664\u0661\u0661\u0661 \U0001d7d9\U0001d7d9\U0001d7d9\U0001d7d9 11111111", "**** **** ****1111"),
        ("4111111111111111/5555555555554444", "************1111/************4444"),
        ("4111111111111111 5555555555554444", "************1111 ************4444"),
        ("4111 1111 1111 1111 123", "**** **** **** 1111 123"),
        ("12/27 4111 1111 1111 1111 12/27", "12/27 **** **** **** 1111 12/27"),
        ("№4111111111111111№", "№************1111№"),
        ("x4111111111111111é", "x************1111é"),
    ],
)
def test_groups_may_be_of_any_length_and_are_kept(text, masked):
    assert mask_numbers(text) == masked
    assert has_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no digits at all",
        "4111111111111112",
        "4111 1111 1111",
        "9" * 25,
        "4111111111111111" + "12345678",
        "0" + "4111111111111111",
        "4006381333931" + "1",
        "4006381333931 2",
        "12:34 4111:1111:1111:1111",
        "4111+1111+1111+1111",
        "01.03.2026 11.02.00 / 02.03.2026",
        "\u2074\xb9\xb9\xb9 1111 1111 1111",
        "00" + "4111111111111111",
        "4111111111111111" * 2,
        "4111, 1111, 1111, 1111",
        "4111    1111    1111    1111",
        "************1111",
        "tel. 06 12 34 56 78",
        "2026-03-01 11:02:00 2026-03-02",
        "RRN 606012104729 AUTH 031337",
        "7000000000000005",
        "1000000000000008",
        "9000000000000001",
        "5900000000000005",
        "3100000000000007",
        UUID,
        UUID.upper(),
        f"refund of {UUID}",
        "11111111-4111-1111-1111-111111111111",
    ],
)
def test_other_digits_stay(text):
    assert mask_numbers(text) == text
    assert not has_number(text)


def test_an_issuer_has_numbers_of_certain_lengths_only():
    for length in range(12, 21):
        for prefix, lengths in {"4": (16, 19), "51": (16,), "37": (15,), "6": range(14, 20), "2720": (16,)}.items():
            number = with_check_digit(prefix.ljust(length - 1, "0"))
            is_ean = length == 13 and ean_check(number)
            expected = length in lengths or (length == 13 and prefix == "4" and not is_ean)
            expected = expected or any(is_card(number[:head]) for head in range(13, length))
            assert has_number(number) == expected, number


@pytest.mark.parametrize("prefix", ["20", "30", "301", "322", "347", "36", "37", "38", "50", "57", "62", "69"])
def test_an_ean_of_13_digits_is_none_of_an_issuer_who_has_longer_numbers(prefix):
    for serial in range(200):
        assert not has_number(with_check_digit(f"{prefix}{serial:010}"[:12].ljust(12, "0")))


def test_an_ean_that_begins_as_visa_does_is_an_ean():
    eans = [number for serial in range(3000) if ean_check(number := with_check_digit(f"4006381{serial:05}"))]
    assert len(eans) > 100
    assert not any(map(has_number, eans))
    assert not has_number(f"{eans[0][:1]} {eans[0][1:7]} {eans[0][7:]}")


def test_a_uuid_with_something_written_to_it_is_none():
    assert mask_numbers("x41111111-1111-1111-0000-000000000000") == "x********-****-1111-0000-000000000000"
    assert mask_numbers("41111111-1111-1111-0000-000000000000") == "41111111-1111-1111-0000-000000000000"


def test_where_two_readings_overlap_a_digit_is_shown_only_if_neither_hides_it():
    first = with_check_digit("400041230000000")
    second = with_check_digit(f"{first[4:]}777")
    text = " ".join([first[:4], second[:4], second[4:8], second[8:12], second[12:]])
    assert mask_numbers(text) == f"**** **** **** **** {second[-4:]}"


def test_what_is_shown_does_not_begin_another_number():
    after = next(
        tail for serial in range(100) if luhn(f"4242{(tail := f'{serial:09}')}") and not ean_check(f"4242{tail}")
    )
    text = f"4242424242424242 {after}"
    assert mask_numbers(text) == f"{'*' * 16} {'*' * 5}{after[-4:]}"


@pytest.mark.parametrize(
    "text",
    ["4" * (4 << 20), "4 " * (2 << 20), "4111111111111111 " * 50_000, "4" * 20 + " " * (4 << 20), "-" * (4 << 20)],
)
def test_time_grows_with_the_length_only(text):
    began = time.monotonic()
    assert len(mask_numbers(text)) == len(text)
    assert time.monotonic() - began < 60


ISSUERS = re.compile(
    r"4(?=(?:.{12}|.{15}|.{18})$)|5[1-5](?=.{14}$)|(?:222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)(?=.{12}$)|3[47](?=.{13}$)"
    r"|6|5[0678]|35(?:2[89]|[3-8]\d)(?=.{12,15}$)|36(?=.{12,17}$)"
    r"|(?:30[0-5]|38.|39.)(?=(?:.{11}|.{13,16})$)|220[0-4](?=.{12,15}$)|8[12](?=.{14}$)"
)


def is_card(number: str) -> bool:
    return (
        13 <= len(number) <= 19
        and ISSUERS.match(number) is not None
        and not (number[0] in "56" and len(number) < 14)
        and luhn(number)
        and not (len(number) == 13 and ean_check(number))
    )


def find_naively(text: str) -> list[list[int]]:
    """The places of the digits of every card number, by trying them all."""
    places = [place for place, character in enumerate(text) if character.isdecimal()]
    found = []
    for first in range(len(places)):
        for last in range(first + 12, min(first + 19, len(places))):
            number = places[first : last + 1]
            begins = number[0] == 0 or not text[number[0] - 1].isdecimal()
            following = re.match(r"\d*", text[number[-1] + 1 :])
            fits = following is not None and len(number) + len(following[0]) <= (23 if following[0] else 19)
            gaps = [text[before + 1 : after] for before, after in pairwise(number)]
            joined = all(re.fullmatch(f"[{SEPARATORS}]{{0,3}}", gap) for gap in gaps)
            if begins and fits and joined and is_card("".join(str(int(text[place])) for place in number)):
                found.append(number)
    return found


digits = st.text("0123456789", min_size=1, max_size=20)
card = st.builds(
    lambda prefix, rest, length: with_check_digit((prefix + rest)[: length - 1]),
    st.sampled_from(["4", "51", "34", "37", "6011", "3530", "300", "36", "62", "50", "2300", "2200", "81"]),
    st.text("0123456789", min_size=19, max_size=19),
    st.integers(13, 19),
)
gap = st.sampled_from(
    ["", " ", "-", "\u00a0", "\u2013", " - ", "    ", ".", "/", "_", "\u200e", "\ufe0f", ",", ":", "\n", "x", "é", "*"]
)


FULL_WIDTH = {ord(str(digit)): chr(0xFF10 + digit) for digit in range(10)}


@st.composite
def typed(draw):
    """Text with numbers in it, their digits parted anyhow."""
    number = draw(st.one_of(card, card, digits)) + draw(st.sampled_from(["", "", "", "123", "1227", "12271234"]))
    number = number.translate(draw(st.sampled_from([{}, {}, FULL_WIDTH, {ord("4"): "\u0664", ord("1"): "\U0001d7d9"}])))
    cuts = sorted(draw(st.sets(st.integers(1, 22), max_size=5)))
    pieces = [number[start:end] for start, end in pairwise([0, *cuts, len(number)]) if start < end <= len(number)]
    return draw(gap).join(pieces or [number])


texts = st.lists(st.one_of(typed(), st.text(max_size=5), gap), max_size=6).map("".join)


@given(texts)
@example("4242424242424242 000000034")
def test_no_number_is_left_and_nothing_else_is_touched(text):
    masked = mask_numbers(text)
    found = find_naively(text)
    assert len(masked) == len(text)
    assert not find_naively(masked)
    assert mask_numbers(masked) == masked
    assert has_number(text) == bool(found)
    for number in found:
        assert all(masked[place] == "*" for place in number[:-4])
    if not found:
        assert masked == text
    for before, after in zip(text, masked, strict=True):
        assert after == before or (after == "*" and before.isdecimal())
