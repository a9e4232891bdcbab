"""Where card data may be (protocol §7): numbers in what people type, and whether a message can hold any at all.

A card number has the leading digits, the length and the check digit of an issuer, and is masked to its last four.
A number begins and ends where a group of digits does, and its digits may be grouped in any way, with at most three
separators in a gap: "4111 1111 1111 1111", "4111-1111 11111111". So nothing is cut out of a longer group: of 25 digits
in a row none are masked, whatever they contain, and of 20 neither (a number with its expiry date written to it).

Separators are `SEPARATORS`: blanks and dashes as keyboards, phones and word processors make them, and what is not seen
at all, such as a zero-width space. A line break, a comma, a full stop and a slash are none: they part numbers. Digits
are ASCII. A letter beside a number does not hide it.

What is left alone although issuer, length and Luhn's check would fit: UUIDs in the 36-character form, which are our
identifiers (protocol §2.5), and 13 digits that pass the check of an EAN-13. 13-digit Visa numbers have not been issued
for decades, and one in ten of the German and Japanese EANs that begin with 4 passes Luhn's check as well.
"""

import re
from collections.abc import Iterator
from itertools import accumulate

REMOVED = frozenset({"cvv", "cvc", "cvv2", "track1", "track2", "pin", "pin_block"})
"""Names of fields that are removed wherever they are."""

REMOVED_FROM_PAYMENTS = frozenset({"pan", "card_number"})
"""Names of fields that are removed anywhere inside a field named `payments`."""

UNTOUCHED = frozenset({"sku", "order_id", "movement_id", "refund_of"})
"""Names of fields whose values are EANs and identifiers of ours: left alone, in a customer too."""

SEPARATORS = "\t \xa0\u2000-\u200d\u202f\u205f\u2060\ufeff\\-\xad\u2010-\u2015\u2212\ufe58\ufe63\uff0d"
"""The inside of a character class. ASCII, or in UTF-8 behind one of the bytes C2, E2 and EF."""

MIN_DIGITS, MAX_DIGITS, SHOWN = 13, 19, 4

# First and last of a range of leading digits, and how long its numbers are. No issuer but Visa has 13 digits. All of 6
# is taken as Maestro, which has no ranges of its own in it: Discover 6011, 644–649 and 65, UnionPay 62, RuPay 60.
_ISSUERS = (
    ("4", "4", (13, 16, 19)),  # Visa
    ("51", "55", (16,)),  # Mastercard
    ("2221", "2720", (16,)),  # Mastercard
    ("34", "34", (15,)),  # American Express
    ("37", "37", (15,)),  # American Express
    ("6", "6", (14, 15, 16, 17, 18, 19)),
    ("50", "50", (14, 15, 16, 17, 18, 19)),  # Maestro
    ("56", "58", (14, 15, 16, 17, 18, 19)),  # Maestro
    ("3528", "3589", (16, 17, 18, 19)),  # JCB
    ("300", "305", (14, 16, 17, 18, 19)),  # Diners Club
    ("36", "36", (14, 15, 16, 17, 18, 19)),  # Diners Club
    ("38", "39", (14, 16, 17, 18, 19)),  # Diners Club
    ("2200", "2204", (16, 17, 18, 19)),  # Mir
    ("81", "82", (16,)),  # RuPay
)
_LENGTHS = {
    b"%04d" % leading: lengths
    for first, last, lengths in _ISSUERS
    for leading in range(int(first.ljust(4, "0")), int(last.ljust(4, "9")) + 1)
}

_GROUPS = re.compile(rf"[0-9](?:[{SEPARATORS}]{{0,3}}+[0-9]){{{MIN_DIGITS - 1},}}+")
_UUID = re.compile(r"(?<![0-9A-Za-z])[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?![0-9A-Za-z])")
_NOT_DIGITS = re.compile("[^0-9]+")
_DOUBLED = bytes.maketrans(bytes(range(10)), bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))
_VALUES = bytes.maketrans(b"0123456789", bytes(range(10)))


def mask_numbers(text: str) -> str:
    """`text` with every card number's digits but the last four as `*`, each character in its place.

    Where readings of one row of groups overlap, a digit is shown only if no reading hides it.
    """
    pieces: list[str] = []
    done = 0
    for row in _rows(text):
        if masked := _mask_row(row[0]):
            pieces += (text[done : row.start()], masked)
            done = row.end()
    return "".join((*pieces, text[done:])) if pieces else text


def has_number(text: str) -> bool:
    """Whether `mask_numbers` would find one."""
    return any(next(_numbers(_digits_of(row[0]), row[0]), None) for row in _rows(text))


def _rows(text: str) -> Iterator[re.Match[str]]:
    """Digits and separators in which a card number may be; of text that has the same length."""
    readable = _UUID.sub(lambda found: "x" * len(found[0]), text) if "-" in text else text
    return (row for row in _GROUPS.finditer(readable) if row.end() - row.start() <= MAX_DIGITS or not row[0].isdigit())


def _digits_of(row: str) -> bytes:
    return _NOT_DIGITS.sub("", row).encode()


def _mask_row(row: str) -> str | None:
    """None where there is no card number."""
    digits = _digits_of(row)
    hidden = bytearray(len(digits))
    for begin, end in _numbers(digits, row):
        hidden[begin : end - SHOWN] = b"\1" * (end - SHOWN - begin)
    if not any(hidden):
        return None
    place = iter(hidden)
    return "".join("*" if "0" <= character <= "9" and next(place) else character for character in row)


def _numbers(digits: bytes, row: str) -> Iterator[tuple[int, int]]:
    """Where among the `digits` of `row` card numbers begin and end. Takes time in proportion to their count."""
    count = len(digits)
    begins, ends = _edges(row, count)
    even, odd = _check_sums(digits)
    begin = 0
    while begin >= 0:
        for length in _LENGTHS.get(digits[begin : begin + 4], ()):
            end = begin + length
            if end > count or not ends[end]:
                continue
            sums = odd if end & 1 else even
            if (sums[end] - sums[begin]) % 10 == 0 and not _is_ean(digits[begin:end]):
                yield begin, end
                # What is shown stands by itself from now on: another look must find nothing new in it.
                begins[end - SHOWN] = 1
        begin = begins.find(1, begin + 1)


def _edges(row: str, count: int) -> tuple[bytearray, bytearray]:
    """Before which digits a group begins, and after how many digits one ends."""
    begins, ends = bytearray(count + 1), bytearray(count + 1)
    begins[0] = 1
    for edge in accumulate(map(len, _NOT_DIGITS.split(row))):
        begins[edge] = ends[edge] = 1
    return begins, ends


def _check_sums(digits: bytes) -> tuple[list[int], list[int]]:
    """Luhn's sums over the first n digits for every n: for numbers that end at an even n, and at an odd one."""
    values = digits.translate(_VALUES)
    doubled = values.translate(_DOUBLED)
    even, odd = bytearray(values), bytearray(values)
    even[0::2], odd[1::2] = doubled[0::2], doubled[1::2]
    return list(accumulate(even, initial=0)), list(accumulate(odd, initial=0))


def _is_ean(digits: bytes) -> bool:
    values = digits.translate(_VALUES)
    return len(values) == MIN_DIGITS and (sum(values[0::2]) + 3 * sum(values[1::2])) % 10 == 0


# What a body without card data costs: one translation to three classes, two searches in them, and one for a "T".
# "q": digits, what separates them, quotes, "_" and the letters t, k and d · "c": c v p i a n r · "x": all else.
# Every name has three of "c" between two of "q": `"pin"`, `"pan"`, `"cvv2`, `"pin_`, `"car` d, t `rac` k; all but Track.
# T itself stands in every time, and would make long rows of "q" with the digits around it.
_CLASSES = bytearray(b"x" * 256)
for _class, _members in (
    (b"q", b'0123456789\t -"_tkKdD' + bytes((0xC2, 0xE2, 0xEF)) + bytes(range(0x80, 0xC0))),
    (b"c", b"cvpianrCVPIANR"),
):
    for _byte in _members:
        _CLASSES[_byte] = _class[0]
_TO_CLASSES = bytes(_CLASSES)
_NAME_SHAPE = b"qcccq"
_NAME = re.compile(
    rb'"(?:%b)"[ \t\n\r]*:' % b"|".join(name.encode() for name in sorted(REMOVED | REMOVED_FROM_PAYMENTS)),
    re.IGNORECASE,
)
_TRACK = re.compile(rb'T[rR][aA][cC][kK][12]"')
_ROW = b"q" * MIN_DIGITS
_WHOLE_ROW = re.compile(rb"q*+")
_OTHER_BYTES = bytes(set(range(256)) - set(b"0123456789"))
# Escapes of what names, numbers and separators are made of; those that a digit follows, for theirs are none of the
# number; and an escaped backslash, which begins no other.
_ESCAPE = re.compile(
    rb"\\(?:(?P<ascii>u00(?:2[0dD]|3[0-9]|[46][1-9a-fA-F]|[57][0-9aA]|5[fF]))|(?P<backslash>\\)"
    rb"|(?P<separator>t|u(?:00(?:09|[aA][0dD])|20(?:0[0-9a-dA-D]|1[0-5]|2[fF]|5[fF]|60)|2212"
    rb"|[fF][eE](?:58|63|[fF][fF])|[fF]{2}0[dD]))|u[0-9a-fA-F]{4}(?=[0-9]|\\u003[0-9]))"
)
# What most long rows are. A quote before the name is part of it where neither of these stands before: `"x\\"sku":`.
_UNTOUCHED = tuple(before + b'"%b":' % name for name in (b"sku", b"order_id") for before in (b",", b"{", b" "))
_UUID_LENGTH = 36
_SMALL_T = ord("t")
_QUOTED_UUID = re.compile(rb'"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"')


def may_hold_cards(text: bytes) -> bool:
    """Whether `text`, JSON or a part of it, has to be looked at closely; False only where there is no card data."""
    if b"\\" in text:
        text = _ESCAPE.sub(_unescape, text)
    classes = text.translate(_TO_CLASSES)
    return _has_name(text, classes) or _has_number(text, classes)


def _unescape(escape: re.Match[bytes]) -> bytes:
    """What it stands for, as far as that matters here: other characters become any that is none of these."""
    if escape["ascii"]:
        return bytes((int(escape["ascii"][1:], 16),))
    return b" " if escape["separator"] else rb"\\"


def _has_name(text: bytes, classes: bytes) -> bool:
    position = classes.find(_NAME_SHAPE)
    while position >= 0:
        if _NAME.match(text, position - (text[position] == _SMALL_T and position > 0)):
            return True
        position = classes.find(_NAME_SHAPE, position + 1)
    return _TRACK.search(text) is not None


def _has_number(text: bytes, classes: bytes) -> bool:
    position = classes.find(_ROW)
    while position >= 0:
        if text.endswith(_UNTOUCHED, 0, position) and b'"' in text[position : position + 2]:
            end = text.find(b'"', position + 2)
        elif identifier := _uuid_around(text, position):
            end = identifier.end() - 1
        else:
            row = _WHOLE_ROW.match(classes, position)
            end = row.end() if row else position
            # With what stands beside it: a letter there decides what is a UUID.
            if _is_number(text[max(position - 1, 0) : end + 1]):
                return True
        position = classes.find(_ROW, end)
    return False


def _uuid_around(text: bytes, position: int) -> re.Match[bytes] | None:
    quote = text.rfind(b'"', max(position - _UUID_LENGTH, 0), position + 2)
    return _QUOTED_UUID.match(text, quote) if quote >= 0 else None


def _is_number(row: bytes) -> bool:
    return len(row.translate(None, _OTHER_BYTES)) >= MIN_DIGITS and has_number(row.decode(errors="replace"))
