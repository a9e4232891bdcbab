"""What every verb says of itself. One class for each, in `verbs`; `deciding` goes by this alone."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib.auth.models import User
from django.db.backends.utils import CursorWrapper

from backoffice.domain.decisions import Verb
from backoffice.fleet.models import Store


class Subject(NamedTuple):
    """What is decided about, as it stands under the locks that `VerbRule.lock` took.

    `name` is as in commands, and `before` what a person saw of it: a request holds as long as that is the same, or what
    it `holds_by` where that is something else. `amount` is what is at stake, in minor units. `asks_for_two` where the
    matter takes two people, whatever the amount. `row` is for the verb alone.
    """

    about: str
    name: str
    store: Store
    before: Mapping[str, Any]
    row: Any
    amount: int | None = None
    shift_id: UUID | None = None
    asks_for_two: bool = False
    holds_by: Mapping[str, Any] | None = None

    @property
    def fingerprint(self) -> bytes:
        """32 bytes that are equal where it stands as it stood."""
        standing = self.before if self.holds_by is None else self.holds_by
        return hashlib.sha256(json.dumps(standing, sort_keys=True, default=str).encode()).digest()


class Deed(NamedTuple):
    """A decision that takes effect: its identifier, its person's own words, and when."""

    decision_id: UUID
    arguments: Mapping[str, Any]
    note: str
    now: datetime


class VerbRule:
    """One verb. Both methods run in the transaction of the decision, and may raise NotDecided."""

    verb: Verb

    def lock(
        self, cursor: CursorWrapper, subject: str, arguments: Mapping[str, Any], *, person: User | None
    ) -> Subject:
        """Finds what is decided about and keeps others away from it. Raises NotDecided, and AlreadyDecided.

        `person` is who wants to decide: it may be taken by another. None where it was asked for before.
        """
        raise NotImplementedError

    def act(self, cursor: CursorWrapper, subject: Subject, deed: Deed) -> dict[str, Any]:
        """Does it, with its entries and the reconciliation of its shift. What became of it, as JSON."""
        raise NotImplementedError
