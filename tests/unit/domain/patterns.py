"""Bodies that somebody sends to keep a process busy: a few bytes repeated as often as fit, in every place of a batch.

`KNOWN` are those that were thought of, `made_up(seed)` makes others. All are JSON; cut one off for what is none. With
`growth` a test sees whether a function's time grows with the length alone: twice the bytes take twice the time, or a
little more, but four times where every repetition is compared with all before it.
"""

import time
from collections.abc import Callable
from random import Random
from typing import NamedTuple

CARD = b"4111111111111111"
UUID = b"01953a3e-0000-7000-8000-000000000001"

SMALLEST, LARGEST = 16 << 10, 256 << 10
ENOUGH_S = 0.03
TRIES = 5
CLEARLY_LINEAR = 2.2


class Pattern(NamedTuple):
    """`unit` is repeated between `before` and `after`."""

    before: bytes
    unit: bytes
    after: bytes

    def body(self, size: int) -> bytes:
        """Of about `size` bytes."""
        return self.before + self.unit * max(1, size // len(self.unit)) + self.after


def growth(work: Callable[[bytes], object], pattern: Pattern) -> float:
    """How many times as long `work` takes for twice the bytes, where it takes long enough to be measured.

    From what four times the bytes take, since a processor's caches have steps of their own; and the least of a few
    tries: what other processes take away makes one of two measurements longer, but not each time.
    """
    size = SMALLEST
    while _spent(work, pattern.body(size)) < ENOUGH_S and size < LARGEST:
        size *= 2
    large, small = pattern.body(size), pattern.body(size // 4)
    least = float("inf")
    for _ in range(TRIES):
        once = min(_spent(work, small) for _ in range(2))
        least = min(least, (_spent(work, large) / max(once, ENOUGH_S / 16)) ** 0.5)
        if least <= CLEARLY_LINEAR:
            break
    return least


def _spent(work: Callable[[bytes], object], body: bytes) -> float:
    began = time.process_time()
    work(body)
    return time.process_time() - began


# Where in a batch the unit is repeated.
PLACES = {
    "in a text": (b'{"cvv":1,"orders":[{"note":"', b"%b", b'"}]}'),
    "in a name": (b'{"cvv":1,"orders":[{"', b"%b", b'":1}]}'),
    "names": (b'{"cvv":1,"orders":[{', b'"%b":{"cvv":[1]},', b'"x":1}]}'),
    "names at the top": (b"{", b'"%b":1,', b'"cvv":1}'),
    "lists at the top": (b"{", b'"%b":[{"cvv":1}],', b'"cvv":1}'),
}
TEXTS = (
    b"4", b"6", b"4 ", b"44 ", b"6-", b"4.", b"4   ", b"4    ", b"4111 1111 1111 1111 ", CARD + b",", CARD + b"=", b"4111111111111112 ",
    CARD + b"1227 ", b"4111111111111111*", b"-", b"4006381333931 ", UUID + b" ", UUID[:-1], b"x", b"pin ", b"track", b"card no",
    b"\\u0034", b"\\u0034\\u0020", b"\\\\", b'\\"', b"\\n", b"\\/", b"\\ud83d\\ude00", b"\\ud800", b"\\ud835\\udfdc", b"\\u200b", b"4\\u200b",
    "é".encode(), "４".encode(), "4\u200b".encode(), "😀".encode(), b"[", b"}{", b'{\\"sku\\":\\"4', b" ", b"e5", b"0", b":", b"'"
)  # fmt: skip
NAMES = (
    b"", b"orders", b"cash_movements", b"note", b"customer", b"sku", b"cvv", b"c\\u0076v", b"track_2", b"Card-Number", b"pan", b"payments",
    b"lines", b"order_id", CARD, CARD + b"=1", b"a/b~c", b"x" * 70, b"total"
)  # fmt: skip
VALUES = (
    b"0", b"-1.5e3", b"1e400", b"9" * 20, CARD, b"null", b'""', b'"' + CARD + b'"', b'"4 4 4"', b"[]", b"{}", b"[[[[]]]]", b'{"":0}',
    b'{"cvv":1}', b'{"note":"' + CARD + b'"}', b'{"a":{"a":{"a":[{"pin":[{}]}]}}}', b'{"cvv":1,"cvv":1,"x":1,"cvv":1}', b"[0,[0,[0]]]",
    b'{"sku":"' + CARD + b'"}', b'{"order_id":"' + UUID + b'"}', b'{"\\u0063vv":"\\u0034"}', b'[{"":[{"":[{"":"x"}]}]}]', b" \n\t 1"
)  # fmt: skip


def _known() -> dict[str, Pattern]:
    known = {}
    for place, (before, unit, after) in PLACES.items():
        for piece in TEXTS if place.startswith("in a ") else NAMES:
            known[f"{place}: {piece!r}"] = Pattern(before, unit % piece, after)
    for value in VALUES:
        known[f"members: {value!r}"] = Pattern(b'{"orders":[', value + b",", b'{"cvv":1}]}')
        known[f"fields: {value!r}"] = Pattern(b'{"cvv":1,"orders":[{', b'"x": %b , ' % value, b'"y":1}]}')
        known[f"customers: {value!r}"] = Pattern(b'{"cvv":1,"orders":[{"customer":[', value + b",", b"0]}]}")
    known["blanks"] = Pattern(b'{"cvv":1', b" \n", b',"orders":[]}')
    known["blanks before commas"] = Pattern(b'{"cvv":1,"x":[0', b" " * 50 + b",0", b"]}")
    known["deep"] = Pattern(b'{"cvv":1,"orders":[', b"[" * 28 + b"]" * 28 + b",", b"0]}")
    known["deep objects"] = Pattern(b'{"cvv":1,"orders":[', b'{"a":' * 28 + b"0" + b"}" * 28 + b",", b"0]}")
    return known


KNOWN = _known()


def made_up(seed: int) -> Pattern:
    """Another one: values, names and texts of several pieces, in a place that chance chose. The same for the same seed."""
    rng = Random(seed)
    kind = rng.randrange(3)
    if kind == 0:
        text = b"".join(rng.choices(TEXTS, k=rng.randint(1, 4)))
        name = rng.choice(NAMES)
        return rng.choice([
            Pattern(b'{"cvv":1,"orders":[{"' + name + b'":"', text, b'"}]}'),
            Pattern(b'{"cvv":1,"orders":[{"' + name + b'":[', b'"' + text + b'",', b"0]}]}"),
        ])  # fmt: skip
    if kind == 1:
        unit = b"".join(_field(rng) + b"," for _ in range(rng.randint(1, 4)))
        if rng.random() < 0.5:
            return Pattern(b"{", unit, b'"cvv":1}')
        return Pattern(b'{"cvv":1,"orders":[{"x":{', unit, b'"y":1}}]}')
    return Pattern(b'{"cvv":1,"orders":[', b"".join(_value(rng, 4) + b"," for _ in range(rng.randint(1, 3))), b"0]}")


def _field(rng: Random) -> bytes:
    name = rng.choice(NAMES) + (rng.choice(TEXTS) if rng.random() < 0.2 else b"")
    return b'"' + name + b'"' + rng.choice([b":", b" : ", b"\n:\n"]) + _value(rng, 3)


def _value(rng: Random, depth: int) -> bytes:
    kind = rng.randrange(4 if depth else 2)
    if kind == 0:
        return rng.choice(VALUES)
    if kind == 1:
        return b'"' + b"".join(rng.choices(TEXTS, k=rng.randint(0, 3))) + b'"'
    if kind == 2:
        return b"[" + b" , ".join(_value(rng, depth - 1) for _ in range(rng.randint(0, 3))) + b"]"
    return b"{" + b",".join(_field(rng) for _ in range(rng.randint(0, 3))) + b"}"
