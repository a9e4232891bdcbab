"""What the other terminals of the store sell: followed with a cursor, each order once (§8)."""

import time
from collections.abc import Callable

from backoffice_terminal.api import Api, StoreOrder, StorePage
from backoffice_terminal.journal import Journal
from backoffice_terminal.problems import CursorInvalid

CURSOR = "store_cursor"
PAGE = 1_000
# One call reads no more pages than this and leaves the rest to the next, so a till that was away long is not kept busy.
_MOST_PAGES = 20

Guard = Callable[[Callable[[], tuple[StorePage, float]]], tuple[StorePage, float]]


class Feed:
    """Reads the store's feed into the journal. Cursor and orders are saved together, so a power cut repeats nothing.

    `guarded` makes the call with retries and a valid credential; `monotonic` measures `Retry-After`. A cursor that is
    not known any more is a sign that Back Office was restored (§10): `send_lost` sends what it may have lost.
    """

    def __init__(
        self,
        journal: Journal,
        api: Api,
        guarded: Guard,
        send_lost: Callable[[], None],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._journal = journal
        self._api = api
        self._guarded = guarded
        self._send_lost = send_lost
        self._monotonic = monotonic
        self._due_at = 0.0

    @property
    def due_in_s(self) -> float:
        """Seconds until Back Office may be asked again."""
        return max(0.0, self._due_at - self._monotonic())

    def follow(self) -> list[StoreOrder]:
        """New orders since the last call, this terminal's own included; none before it is time to ask again."""
        found: list[StoreOrder] = []
        for _ in range(_MOST_PAGES):
            if self.due_in_s > 0:
                break
            page, retry_after_s = self._read()
            self._due_at = self._monotonic() + retry_after_s
            found += self._journal.add_store_orders(page.orders, cursor=(CURSOR, page.next))
            if not page.more:
                break
        return found

    def _read(self) -> tuple[StorePage, float]:
        cursor = self._journal.fact(CURSOR)
        try:
            return self._guarded(lambda: self._api.store_orders(cursor, limit=PAGE))
        except CursorInvalid:
            if cursor is None:
                raise
            self._send_lost()
            # Start afresh; orders that the journal already has are not returned a second time.
            self._journal.erase(CURSOR)
            return self._guarded(lambda: self._api.store_orders(None, limit=PAGE))
