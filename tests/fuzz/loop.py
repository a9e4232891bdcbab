"""The blind half of fuzzing: seeds, and an endless row of bodies made of them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

from tests.fuzz.mutations import is_json, mutate

LONGEST = 16 * 1024
KEPT = 256


def corpus() -> list[bytes]:
    """Bodies to begin with, in the order of their names."""
    return [path.read_bytes() for path in sorted((Path(__file__).parent / "corpus").iterdir())]


def tried(seeds: Sequence[bytes], rng: Random) -> Iterator[bytes]:
    """The seeds, then mutations of them and of some of their mutations, without an end."""
    yield from seeds
    pool = list(seeds)
    while True:
        # The seeds as often as all that was made of them: changes upon changes leave little of an order.
        body = mutate(rng.choice(seeds if rng.random() < 0.5 else pool), rng)[:LONGEST]
        yield body
        if rng.random() < 0.1 and is_json(body):
            pool.append(body)
            if len(pool) > len(seeds) + KEPT:
                pool.pop(rng.randrange(len(seeds), len(pool)))
