"""Card numbers in texts (protocol §7), and whether a message can hold card data at all.

A card number has the leading digits, the length and the check digit of an issuer, and is masked to its last four.
It begins where a group of digits does. It ends where one does or, with what is written to it (expiry date, CVV), in a
group that ends at most 23 digits from its beginning. Its digits may be grouped in any way: "4111 1111 1111 1111",
"4111-1111 11111111". So nothing is cut out of a longer group: of 25 digits in a row none are masked. A letter beside a
number does not hide it.

Groups are parted by at most three `_VISIBLE` separators, and any number of `_INVISIBLE` ones: a comma or a colon ends a
number. Digits are those of every script.

What is left alone although issuer, length and Luhn's check would fit: UUIDs in the 36-character form, which are our
identifiers (protocol §2.5), and 13 digits that pass the check of an EAN-13. 13-digit Visa numbers have not been issued
for decades, and one in ten of the German and Japanese EANs that begin with 4 passes Luhn's check as well.
"""

import re
from array import array
from collections.abc import Iterator
from itertools import accumulate
from typing import NamedTuple

from backoffice.domain.cards.names import JOINTS, LONG_NAMES, SHORT_NAMES, UNTOUCHED

# The insides of character classes.
_BLANKS = "\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_DASHES = (
    "\\-\u058a\u05be\u1806\u2010-\u2015\u2043\u207b\u2212\u2e3a\u2e3b\u301c\u3030\u30a0\ufe31\ufe32\ufe58\ufe63\uff0d"
)
_DOTS = ".\xb7\u2022\u2024\u2027\u2219\u22c5\u3002\u30fb\ufe52\uff0e\uff61\uff65"
_SLASHES = "/\\\\\u2044\u2215\uff0f\uff3c_\u203f\uff3f"
_VISIBLE = _BLANKS + _DASHES + _DOTS + _SLASHES
_INVISIBLE = (
    "\0-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)

SEPARATORS = _VISIBLE + _INVISIBLE
"""The inside of a character class: all that may stand between the digits of a number."""

MIN_DIGITS, MAX_DIGITS, SHOWN = 13, 19, 4

MAX_RUN = 23
"""Digits of a number and what is written to it: 19 and an expiry date, 16 and an expiry date and a CVV."""

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


def _rows_parted_by(visible: str, invisible: str) -> re.Pattern[str]:
    gap = rf"[{invisible}]*+(?:(?:\r\n|[{visible}])[{invisible}]*+){{0,3}}+"
    return re.compile(rf"[0-9]++(?:{gap}[0-9]++)*+")


_ROWS = _rows_parted_by(_VISIBLE, _INVISIBLE)
_ROWS_OF_ASCII = _rows_parted_by(r"\t-\r \-./\\_", r"\0-\x08\x0e-\x1f\x7f")
_OTHER_DIGITS = re.compile(r"[^\D0-9]")
_UUID = re.compile(r"(?<![0-9A-Za-z])[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?![0-9A-Za-z])")
_BEFORE_TRACK = frozenset("=^\uff1d\uff3e")
_DIGITS = re.compile("[0-9]+")
_OTHER_BYTES = bytes(set(range(256)) - set(b"0123456789"))
_DOUBLED = bytes.maketrans(bytes(range(10)), bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))
_VALUES = bytes.maketrans(b"0123456789", bytes(range(10)))


def mask_numbers(text: str) -> str:
    """`text` with every card number's digits but the last four as `*`, each character in its place.

    Where readings of one row of groups overlap, a digit is shown only if no reading hides it. What follows the `=` or
    `^` behind a number is track data: the text ends there.
    """
    pieces: list[str] = []
    done = 0
    for row in _rows(text):
        masked, is_last = _mask_row(row[0], shown=text[row.start() : row.end()])
        if masked is None:
            continue
        pieces += (text[done : row.start()], masked)
        done = row.end()
        if is_last and text[done : done + 1] in _BEFORE_TRACK:
            return "".join((*pieces, text[done]))
    return "".join((*pieces, text[done:])) if pieces else text


def has_number(text: str) -> bool:
    """Whether `mask_numbers` would find one."""
    return any(next(_numbers(row[0]), None) for row in _rows(text))


def _rows(text: str) -> Iterator[re.Match[str]]:
    """Digits and separators in which a card number may be; of text that has the same length."""
    readable = text if text.isascii() else _with_plain_digits(text)
    if "-" in readable:
        readable = _UUID.sub(lambda found: "x" * len(found[0]), readable)
    rows = _ROWS_OF_ASCII if readable.isascii() else _ROWS
    return (row for row in rows.finditer(readable) if row.end() - row.start() >= MIN_DIGITS)


def _with_plain_digits(text: str) -> str:
    return _OTHER_DIGITS.sub(lambda digit: str(int(digit[0])), text)


def _mask_row(row: str, *, shown: str) -> tuple[str | None, bool]:
    """`shown`, the row as it is written, without its numbers, or None where it has none; whether one is the last in it."""
    hidden = bytearray(len(row))
    is_last = False
    for number in _numbers(row):
        hidden[number.begin : number.end - SHOWN] = b"\1" * (number.end - SHOWN - number.begin)
        is_last = is_last or number.is_last
    if not any(hidden):
        return None, False
    place = iter(hidden)
    digits = zip(shown, row, strict=True)
    return "".join("*" if "0" <= digit <= "9" and next(place) else character for character, digit in digits), is_last


class _Number(NamedTuple):
    """Where among the digits of a row a number begins and ends; whether its last group is the row's."""

    begin: int
    end: int
    is_last: bool


def _numbers(row: str) -> Iterator[_Number]:
    """The card numbers in a row. Takes time in proportion to its length."""
    digits = row.encode().translate(None, _OTHER_BYTES)
    count = len(digits)
    if count < MIN_DIGITS or (count > MAX_RUN and count == len(row)):
        return
    begins, ends = _edges(row, count)
    even, odd = _check_sums(digits)
    begin = 0
    while begin >= 0:
        for length in _LENGTHS.get(digits[begin : begin + 4], ()):
            end = begin + length
            if end > count:
                break
            sums = odd if end & 1 else even
            if (sums[end] - sums[begin]) % 10 or _is_ean(digits[begin:end]):
                continue
            last = ends.find(1, end, begin + MAX_RUN + 1)
            if last >= 0:
                yield _Number(begin, end, last == count)
                # What is shown stands by itself from now on: another look must find nothing new in it.
                begins[end - SHOWN] = 1
        begin = begins.find(1, begin + 1)


def _edges(row: str, count: int) -> tuple[bytearray, bytearray]:
    """Before which digits a group begins, and after how many digits one ends."""
    begins, ends = bytearray(count + 1), bytearray(count + 1)
    begins[0] = 1
    for edge in accumulate(group.end() - group.start() for group in _DIGITS.finditer(row)):
        begins[edge] = ends[edge] = 1
    return begins, ends


def _check_sums(digits: bytes) -> "tuple[array[int], array[int]]":
    """Luhn's sums over the first n digits for every n: for numbers that end at an even n, and at an odd one."""
    values = digits.translate(_VALUES)
    doubled = values.translate(_DOUBLED)
    even, odd = bytearray(values), bytearray(values)
    even[0::2], odd[1::2] = doubled[0::2], doubled[1::2]
    return array("I", accumulate(even, initial=0)), array("I", accumulate(odd, initial=0))


def _is_ean(digits: bytes) -> bool:
    values = digits.translate(_VALUES)
    return len(values) == MIN_DIGITS and (sum(values[0::2]) + 3 * sum(values[1::2])) % 10 == 0


# What a body without card data costs: one translation to classes and two searches in them, one to what is left of the
# body when most of it is left out, and six short searches in that.
# "q": digits, separators and quotes, in UTF-8 the bytes of separators · "c": the letters of short names · "x": all else.
_CLASSES = bytearray(b"x" * 256)
for _class, _members in (
    (b"q", b'0123456789 -./\\_"\x7f' + bytes(range(0x80, 0xC0))),
    (b"q", bytes((0xC2, 0xCD, 0xD6, 0xD7, 0xD8, 0xE1, 0xE2, 0xE3, 0xEF, 0xF0, 0xF3))),
    (b"c", b"acdinpsvACDINPSV"),
):
    for _byte in _members:
        _CLASSES[_byte] = _class[0]
_TO_CLASSES = bytes(_CLASSES)
_SHORT_SHAPE = b"qcccq"
_SHORT_NAME = re.compile(rf'{SHORT_NAMES}[{JOINTS}]*"[ \t\n\r]*:'.encode(), re.IGNORECASE)

# Of long names these letters are left, and commas, so that `"card","number"` is none: security code, primary account,
# pin block, cvv code, track, card no and card number. Words have them as well ("Crackers"): a second look is exact.
_LETTERS = b"abcdefghijklmnopqrstuvwxyz"
_TO_SMALL = bytes.maketrans(_LETTERS.upper(), _LETTERS)
_LEFT_OUT = bytes(set(range(256)) - set(b"bcdknrvyBCDKNRVY,"))
_LEFT_OF_NAMES = (b"cryc", b"rycc", b"nbck", b"vvc", b"rck", b"crdn")
_NO_LETTERS = bytes(set(range(256)) - set(_LETTERS + _LETTERS.upper() + b'"'))
_IN_NAMES = (b"securitycode", b"primaryaccountnumber", b"pinblock", b"cvvcode", b"track", b"cardno", b"cardnumber")
_LONG_NAME = re.compile(
    rf'"[{JOINTS}]*(?:{"|".join(f"[{JOINTS}]*".join(name) for name in LONG_NAMES)})[{JOINTS}]*"[ \t\n\r]*:'.encode(),
    re.IGNORECASE,
)

_ROW = b"q" * MIN_DIGITS
_WHOLE_ROW = re.compile(rb"q*+")
# What most long rows are. A quote before the name is part of it where none of these stands before: `"x\"sku":`.
_EXEMPT = tuple(before + b'"%b":' % name.encode() for name in UNTOUCHED for before in (b",", b"{", b" ", b"\t", b"\n"))
_UUID_LENGTH = 36
_QUOTED_UUID = re.compile(rb'"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"')

_ASCII = bytes(range(128))
# Quotes within texts, so that nothing in one looks like its end; backslashes; and what may stand between digits.
_ODD = rb"\\(?:[\\/bfnrt]|u00(?:[01][0-9a-fA-F]|22|5[cC]|7[fF]))"
_ODD_ESCAPES = re.compile(_ODD + rb"(?:%b)*+" % _ODD)


def may_hold_cards(text: bytes) -> bool:
    """Whether `text`, JSON or a part of it, has to be looked at closely; False only where there is no card data."""
    if b"\\" in text:
        try:
            text = _unescape(text)
        except UnicodeDecodeError:
            return True
    if not text.isascii() and _OTHER_DIGITS.search(text.translate(None, _ASCII).decode(errors="replace")):
        text = _with_plain_digits(text.decode(errors="replace")).encode()
    classes = text.translate(_TO_CLASSES)
    return _has_name(text, classes) or _has_number(text, classes)


def _unescape(text: bytes) -> bytes:
    """The same without escapes; some become DEL, which is no part of a name, and between digits of no account."""
    text = _ODD_ESCAPES.sub(b"\x7f", text)
    if rb"\u" not in text:
        return text
    if not text.isascii():
        text = text.decode(errors="replace").encode("raw_unicode_escape")
    plain = text.decode("raw_unicode_escape")
    try:
        return plain.encode()
    except UnicodeEncodeError:  # what is beyond U+FFFF is written as two halves
        return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def _has_name(text: bytes, classes: bytes) -> bool:
    position = classes.find(_SHORT_SHAPE)
    while position >= 0:
        before = text[max(position - _UUID_LENGTH, 0) : position + 1].rstrip(JOINTS.encode())
        if (not before or before.endswith(b'"')) and _SHORT_NAME.match(text, position + 1):
            return True
        position = classes.find(_SHORT_SHAPE, position + 1)
    letters = text.translate(_TO_SMALL, _LEFT_OUT)
    for part in _LEFT_OF_NAMES:
        if part in letters:
            return _has_long_name(text)
    return False


def _has_long_name(text: bytes) -> bool:
    letters = text.translate(_TO_SMALL, _NO_LETTERS)
    return any(part in letters for part in _IN_NAMES) and _LONG_NAME.search(text) is not None


def _has_number(text: bytes, classes: bytes) -> bool:
    position = classes.find(_ROW)
    while position >= 0:
        end = _end_of_exempt(text, position)
        if end < 0:
            row = _WHOLE_ROW.match(classes, position)
            end = row.end() if row else position
            # With what stands beside it: a letter there decides what is a UUID.
            if _is_number(text[max(position - 1, 0) : end + 1]):
                return True
        position = classes.find(_ROW, end)
    return False


def _end_of_exempt(text: bytes, position: int) -> int:
    """Where the text at `position` ends if it is a UUID, or that of a sku or an identifier; -1 if it is none."""
    begin = text.rfind(b'"', max(position - _UUID_LENGTH, 0), position + 2)
    if begin < 0:
        return -1
    if begin >= position and text.endswith(_EXEMPT, 0, position):
        return text.find(b'"', begin + 1)
    uuid = _QUOTED_UUID.match(text, begin)
    return uuid.end() - 1 if uuid else -1


def _is_number(row: bytes) -> bool:
    return len(row.translate(None, _OTHER_BYTES)) >= MIN_DIGITS and has_number(row.decode(errors="replace"))
