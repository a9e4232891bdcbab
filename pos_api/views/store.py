"""`GET /store/orders`: what every terminal of the store has sold (protocol §8)."""

from rest_framework.request import Request
from rest_framework.response import Response

from backoffice.ingestion.feed import DEFAULT_PAGE, MAX_PAGE, CursorInvalid, read_cursor, store_orders
from pos_api.description.schema import STORE_ORDERS, describe
from pos_api.problems import Problem
from pos_api.views.base import TerminalView

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


def _limit(text: str) -> int:
    """Between 1 and 1000; anything that is not a number counts as absent."""
    if not (text.isascii() and text.isdigit()):
        return DEFAULT_PAGE
    return max(1, min(int(text[:9]), MAX_PAGE))
