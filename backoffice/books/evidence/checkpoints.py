"""Checkpoints: the signed head of the installation's tree. Whoever keeps one notices when the books do not go on from it."""

from datetime import datetime

from django.db import transaction

from backoffice.books.evidence.keys import NoSealKey, signing_key
from backoffice.books.evidence.models import Checkpoint, VerifierKey
from backoffice.books.evidence.trees import lock_trees
from backoffice.domain.evidence.notes import SigningKey, TreeHead, sign


class NothingSealed(Exception):
    """The books are empty as yet: there is nothing to sign."""


def sign_checkpoint(*, now: datetime) -> str:
    """The signed note of everything that is sealed; signed once, and kept. Raises NoSealKey, NothingSealed."""
    key = signing_key()
    with transaction.atomic():
        tree = lock_trees().tree
        if not tree.size:
            raise NothingSealed("Nothing is sealed yet, so there is nothing to sign.")
        return _signed_once(key, TreeHead(key.name, tree.size, tree.root()), now=now)


def sign_if_possible(*, now: datetime) -> None:
    """Signs what is new where there is a key, and says nothing where there is none: seals hold without a signature."""
    try:
        sign_checkpoint(now=now)
    except (NoSealKey, NothingSealed):
        return


def _signed_once(key: SigningKey, head: TreeHead, *, now: datetime) -> str:
    checking = str(key.checking)
    name = checking.rpartition("+")[0]  # with the key's id: two keys may have one name
    known = Checkpoint.objects.filter(size=head.size, key_name=name).first()
    if known is not None:
        return known.note
    VerifierKey.objects.get_or_create(text=checking, defaults={"first_used_at": now})
    return Checkpoint.objects.create(size=head.size, key_name=name, note=sign(head, key), signed_at=now).note
