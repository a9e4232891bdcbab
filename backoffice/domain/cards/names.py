"""Which fields hold card data by their name, and which hold what only looks like it (protocol §7).

Names are compared without regard to the case of ASCII letters, and to `_` and `-`; words may also be parted by blanks:
`card_number`, `Card-Number`, `cardNumber`, `card number`. Within a word of three letters nothing is left out: `c_id` is
no `cid`.
"""

import re
from enum import Enum, auto
from functools import lru_cache

LONG_NAMES = (
    "cvvcode", "securitycode", "cardsecuritycode", "track", "track1", "track2", "trackdata", "track1data", "track2data",
    "pinblock", "cardnumber", "cardno", "primaryaccountnumber"
)  # fmt: skip
"""Fields that are removed, in small letters and without what joins words; and with them those of `SHORT_NAMES`."""

SHORT_NAMES = r"(?:cv[vc](?:[_ -]*2)?|cid|csc|pin|pan)"
"""A pattern: within these nothing is left out, or half of all words would be names."""

JOINTS = "_ -"
"""What joins words in a name."""

UNTOUCHED = (
    "sku", "order_id", "ean", "gtin", "upc", "barcode", "movement_id", "refund_of", "adjusts", "batch_id", "shift_id",
    "batches"
)  # fmt: skip
"""Fields whose texts are EANs and identifiers of ours."""

# What people type and nothing that the rules compute with: digits without quotes are masked there as well.
_TYPED = frozenset({"note", "reference", "name", "customer"})

_SHORT = re.compile(rf"[_-]*{SHORT_NAMES}[_-]*", re.IGNORECASE | re.ASCII)
_TO_FOLD = {ord(joint): None for joint in JOINTS} | {capital: capital + 32 for capital in range(ord("A"), ord("Z") + 1)}
_UNTOUCHED = frozenset(name.translate(_TO_FOLD) for name in UNTOUCHED)
_LONGEST = 64


class FieldKind(Enum):
    """What a field's name says of what is in it."""

    REMOVED = auto()
    UNTOUCHED = auto()
    TYPED = auto()
    OTHER = auto()


def kind_of(name: str) -> FieldKind:
    """What the field called `name`, its escapes read, may hold."""
    return _kind_of(name) if len(name) <= _LONGEST else _look_up(name)


def _look_up(name: str) -> FieldKind:
    folded = name.translate(_TO_FOLD)
    if _SHORT.fullmatch(name) or (folded in LONG_NAMES and not name.startswith(" ") and not name.endswith(" ")):
        return FieldKind.REMOVED
    if folded in _UNTOUCHED:
        return FieldKind.UNTOUCHED
    return FieldKind.TYPED if folded in _TYPED else FieldKind.OTHER


_kind_of = lru_cache(maxsize=1024)(_look_up)
