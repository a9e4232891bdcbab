"""What every terminal of the store has sold, as a feed and one order at a time (protocol §8)."""

from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from backoffice.domain.scalars import MAX_NUMBER, is_canonical_uuid
from backoffice.ingestion.feed import DEFAULT_PAGE, MAX_PAGE, CursorInvalid, read_cursor, store_orders
from backoffice.ingestion.store_order import NotInBooks, find_store_order, find_store_order_by_number
from pos_api.description.schema import ORDER_IN_BOOKS, STORE_ORDERS, describe
from pos_api.problems import Problem
from pos_api.views.base import TerminalView

NOT_IN_BOOKS = "This store's books have no such order."
# When a terminal that has read everything asks again. It sees an order within two seconds of posting.
POLL_AGAIN_S = 1


class StoreOrders(TerminalView):
    """Pages that are followed with the cursor in each answer."""

    @describe(
        "Posted orders of the store",
        responses={200: STORE_ORDERS},
        problems=["cursor-invalid"],
        query=["after", "limit"],
    )
    def get(self, request: Request) -> Response:
        try:
            after = read_cursor(request.GET.get("after", ""))
            limit = _limit(request.GET.get("limit", ""))
            page = store_orders(store_id=self.terminal.store_id, after=after, limit=limit)
        except CursorInvalid:
            raise Problem(
                "cursor-invalid", "Use `next` from an earlier answer, or leave it out to start again."
            ) from None
        return Response(page, headers={"Retry-After": "0" if page.more else str(POLL_AGAIN_S)})


class StoreOrderDetail(TerminalView):
    """One order of the store, by its identifier."""

    @describe("An order of the store", responses={200: ORDER_IN_BOOKS})
    def get(self, request: Request, order_id: UUID) -> Response:
        try:
            return Response(find_store_order(store_id=self.terminal.store_id, order_id=order_id))
        except NotInBooks:
            raise Problem("not-found", NOT_IN_BOOKS) from None


class StoreOrderByNumber(TerminalView):
    """One order of the store, by its terminal and number."""

    @describe(
        "An order of the store, by its number",
        responses={200: ORDER_IN_BOOKS},
        problems=["not-found"],
        query=["terminal_id", "number"],
    )
    def get(self, request: Request) -> Response:
        terminal_id, number = request.GET.get("terminal_id", ""), _number(request.GET.get("number", ""))
        if not is_canonical_uuid(terminal_id) or number is None:
            raise Problem("not-found", "Ask with `terminal_id`, a UUID in the 36-character form, and `number`, digits.")
        try:
            found = find_store_order_by_number(
                store_id=self.terminal.store_id, terminal_id=UUID(terminal_id), number=number
            )
        except NotInBooks:
            raise Problem("not-found", NOT_IN_BOOKS) from None
        return Response(found)


def _number(text: str) -> int | None:
    """The order number in a text; None where it is none."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MAX_NUMBER))):
        return None
    return int(text) if 1 <= int(text) <= MAX_NUMBER else None


def _limit(text: str) -> int:
    """Between 1 and 1000; anything that is not a number counts as absent."""
    if not (text.isascii() and text.isdigit()):
        return DEFAULT_PAGE
    return max(1, min(int(text[:9]), MAX_PAGE))
