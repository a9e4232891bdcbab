"""JSON values whose numbers keep their spelling, written again in any of the ways that mean the same."""

import json
from random import Random
from typing import Any

BLANKS = ("", "", "", " ", "\n", "\t ", "\r\n")


class Number(str):
    """The spelling of a number."""

    __slots__ = ()


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_int=Number, parse_float=Number, parse_constant=_refuse)


def parse(body: bytes) -> Any:
    """The value of a body by Python's own decoder. ValueError or RecursionError where it is none."""
    return _DECODER.decode(body.decode())


def depth(value: Any) -> int:
    """How deep brackets nest."""
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


def spell(value: Any, rng: Random) -> bytes:
    """The value with its names in any order, blanks between, and characters escaped or not."""
    return _spell(value, rng).encode()


def _spell(value: Any, rng: Random) -> str:
    blank = rng.choice(BLANKS)
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        names = list(value)
        rng.shuffle(names)
        return (
            "{"
            + f",{blank}".join(f"{_text(name, rng)}:{blank}{_spell(value[name], rng)}" for name in names)
            + blank
            + "}"
        )
    if isinstance(value, list):
        return f"[{blank}" + f"{blank},".join(_spell(member, rng) for member in value) + "]"
    return _text(value, rng) if isinstance(value, str) else json.dumps(value)


def _text(text: str, rng: Random) -> str:
    escapes = rng.random() < 0.5 or any("\ud800" <= character <= "\udfff" for character in text)
    return json.dumps(text, ensure_ascii=escapes)
