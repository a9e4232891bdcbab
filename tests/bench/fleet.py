"""Many stores and terminals at once, activated without codes: credentials are written as activation writes them.

`python -m tests.bench.fleet --terminals 2000` with the DATABASE_URL of a migrated database prints a token a line.
"""

import argparse
import hashlib
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
    django.setup()

from backoffice.fleet.activation import hash_token
from backoffice.fleet.models import Credential, Terminal
from backoffice.ingestion.stores import create_store

TERMINALS_PER_STORE = 5


class Enrolled(NamedTuple):
    """An activated terminal, and what it is let in with."""

    terminal_id: int
    store_id: int
    token: str


def enrol(*, terminals: int, code: str, now: datetime) -> list[Enrolled]:
    """Makes stores `CODE-1`, … of five terminals each. Paris, EUR, prices with tax."""
    stores = [
        create_store(
            code=f"{code}-{number + 1}",
            name=f"Store {code} {number + 1}",
            timezone="Europe/Paris",
            currency="EUR",
            prices_include_tax=True,
        )
        for number in range(-(-terminals // TERMINALS_PER_STORE))
    ]
    made = Terminal.objects.bulk_create(
        Terminal(store=stores[place // TERMINALS_PER_STORE], name=f"Till {place + 1}", activated_at=now)
        for place in range(terminals)
    )
    Credential.objects.bulk_create(
        Credential(terminal=terminal, token_hash=hash_token(token_of(terminal.uuid)), used_at=now) for terminal in made
    )
    return [Enrolled(terminal.pk, terminal.store_id, token_of(terminal.uuid)) for terminal in made]


def known_tokens(terminals: Iterable[Terminal]) -> list[str]:
    """The tokens of terminals that `enrol` made."""
    return [token_of(terminal.uuid) for terminal in terminals]


def token_of(terminal: UUID) -> str:
    """Not random: whoever reads a benchmark's database may speak for its terminals."""
    return hashlib.sha256(f"bench {terminal}".encode()).hexdigest()


def main() -> None:
    """Prints the tokens."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.fleet", description=__doc__)
    parser.add_argument("--terminals", type=int, required=True)
    parser.add_argument("--code", default="FLEET", help="what the stores' codes begin with")
    options = parser.parse_args()
    for one in enrol(terminals=options.terminals, code=options.code, now=datetime.now(UTC)):
        print(one.token)


if __name__ == "__main__":
    main()
