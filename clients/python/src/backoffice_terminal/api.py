"""The HTTP calls of the protocol: typed answers, problems as exceptions, one request per call, no retries."""

import base64
import gzip
import hashlib
from typing import Any, TypeVar

import httpx
import msgspec

from backoffice_terminal.learning import learn_types
from backoffice_terminal.orders import Order
from backoffice_terminal.problems import LinkError, problem_of, seconds

Answer = TypeVar("Answer")

# Below this, compression costs more than it saves.
_GZIP_FROM_BYTES = 1024


class Device(msgspec.Struct, frozen=True):
    name: str
    model: str = ""
    serial: str = ""
    app_version: str = ""


class Store(msgspec.Struct, frozen=True):
    id: str
    code: str
    name: str
    timezone: str
    currency: str
    prices_include_tax: bool


class Activation(msgspec.Struct, frozen=True):
    terminal_id: str
    store: Store
    token: str


class Limits(msgspec.Struct, frozen=True):
    """The limits of one batch: orders, bytes as sent, bytes after decompression, and bytes of one order in it."""

    max_batch_orders: int = 2_000
    max_batch_bytes: int = 4 * 1024 * 1024
    max_decoded_bytes: int = 8 * 1024 * 1024
    max_member_bytes: int = 256 * 1024


class OpenShift(msgspec.Struct, frozen=True):
    """The open shift, as Back Office knows it."""

    shift_id: str
    number: int


class TerminalView(msgspec.Struct, frozen=True):
    """`GET /terminal`: what Back Office knows about this terminal."""

    store: Store
    server_time: str
    last_number: int | None = None
    last_shift_number: int | None = None
    limits: Limits = Limits()
    open_shift: OpenShift | None = None
    settings: dict[str, Any] = {}


class Heartbeat(msgspec.Struct, frozen=True):
    """`PUT /terminal/heartbeat`: how the terminal is (§4). `cached_total` is signed, in minor units."""

    sent_at: str
    offline_mode: bool
    cached_orders: int
    cached_total: int
    oldest_cached_at: str | None
    last_number: int | None
    shift_id: str | None
    app_version: str


class HeartbeatAnswer(msgspec.Struct, frozen=True):
    """Skew is device minus server. `missing_numbers` are inclusive ranges of numbers that Back Office lacks.

    `checkpoint` is the newest signed seal of the books, None until there is one.
    """

    server_time: str
    clock_skew_ms: int
    missing_numbers: tuple[tuple[int, int], ...] = ()
    open_shift_id: str | None = None
    checkpoint: str | None = None


class StoreOrder(msgspec.Struct, frozen=True):
    """A posted order of any terminal of the store (§8). `total` is signed, in minor units."""

    order_id: str
    number: int
    terminal: str
    kind: str
    total: int
    mode: str
    closed_at: str
    posted_at: str
    terminal_id: str = ""
    terminal_name: str = ""


class GivingBack(msgspec.Struct, frozen=True):
    """An order that gave something back: `amount` gross, in minor units."""

    order_id: str
    terminal_id: str
    number: int
    closed_at: str
    amount: int


class GivenBack(msgspec.Struct, frozen=True):
    amount: int
    by: tuple[GivingBack, ...] = ()


class FoundOrder(msgspec.Struct, frozen=True):
    """An order of any terminal of the store, as it is in the books, and what was given back of it (§8)."""

    order: Order
    state: str
    terminal_id: str
    terminal_name: str
    shift_id: str
    posted_at: str
    given_back: GivenBack


class StorePage(msgspec.Struct, frozen=True):
    """`next` is the cursor of the next page; `more` says whether that page is ready."""

    orders: tuple[StoreOrder, ...]
    next: str
    more: bool = False


class _NewToken(msgspec.Struct, frozen=True):
    token: str


class Reason(msgspec.Struct, frozen=True):
    code: str
    pointer: str = ""
    detail: str = ""


class Result(msgspec.Struct, frozen=True):
    """What became of one member of a batch; `index` is its place in the list that was sent."""

    index: int
    outcome: str
    reasons: tuple[Reason, ...] = ()
    order_id: str | None = None
    movement_id: str | None = None
    number: int | None = None
    decision: Any = None


class MovementResults(msgspec.Struct, frozen=True):
    outcomes: dict[str, int] = {}
    results: tuple[Result, ...] = ()


class Receipt(msgspec.Struct, frozen=True):
    """`state` is received, processed or failed. `results` leaves out members posted without a reason."""

    batch_id: str
    shift_id: str
    state: str
    orders: int
    outcomes: dict[str, int] = {}
    results: tuple[Result, ...] = ()
    movements: MovementResults = MovementResults()


class Totals(msgspec.Struct, frozen=True):
    """Signed sums over the paid orders of a shift, in minor units (§6)."""

    sales: int = 0
    refunds: int = 0
    tax: int = 0
    tips: int = 0
    rounding: int = 0
    payments: dict[str, int] = {}


class Computed(Totals, frozen=True):
    order_count: int = 0


class Cash(msgspec.Struct, frozen=True):
    expected: int | None = None
    counted: int | None = None
    over_short: int | None = None


class Difference(msgspec.Struct, frozen=True):
    what: str
    declared: int | None = None
    computed: int | None = None
    difference: int | None = None


class ShiftView(msgspec.Struct, frozen=True):
    """`GET /shifts/{id}`: how far Back Office has got with a shift, and what it still lacks."""

    shift_id: str
    state: str
    missing_batches: tuple[str, ...] = ()
    missing_numbers: tuple[tuple[int, int], ...] = ()
    declared: dict[str, Any] | None = None
    computed: Computed = Computed()
    differences: tuple[Difference, ...] = ()
    cash: Cash = Cash()
    held: int = 0
    late: int = 0
    number: int | None = None
    first_number: int | None = None
    opened_at: str | None = None
    opening_float: int | None = None
    cashier: str = ""
    business_date: str | None = None
    flags: tuple[Reason, ...] = ()
    explained_numbers: tuple[tuple[int, int], ...] = ()
    z_number: int | None = None


class Api:
    """One terminal's calls. They raise LinkError if there is no answer, and a Problem for a refusal.

    `transport` is httpx's, for tests and simulations. The token may be set later, after activation.
    """

    def __init__(
        self, base_url: str, *, token: str | None, timeout_s: float = 15.0, transport: httpx.BaseTransport | None = None
    ) -> None:
        self.token = token
        self._http = httpx.Client(
            base_url=base_url.rstrip("/") + "/api/v1/",
            timeout=timeout_s,
            transport=transport,
            headers={"User-Agent": "backoffice-terminal/1.0"},
        )

    def close(self) -> None:
        self._http.close()

    def activate(self, code: str, device: Device) -> Activation:
        body = msgspec.json.encode({"activation_code": code, "device": device})
        return _typed(self._call("POST", "activations", body), Activation)

    def terminal(self) -> TerminalView:
        return _typed(self._call("GET", "terminal"), TerminalView)

    def new_token(self) -> str:
        """A new token; the current one works until the new one is first used (§3)."""
        return _typed(self._call("POST", "terminal/token"), _NewToken).token

    def heartbeat(self, beat: Heartbeat) -> HeartbeatAnswer:
        return _typed(self._call("PUT", "terminal/heartbeat", msgspec.json.encode(beat)), HeartbeatAnswer)

    def store_orders(self, after: str | None, *, limit: int) -> tuple[StorePage, float]:
        """The page of the store's orders after a cursor, and in how many seconds to ask again."""
        cursor = {"after": after} if after else {}
        response = self._call("GET", "store/orders", query={**cursor, "limit": str(limit)})
        return _typed(response, StorePage), seconds(response.headers.get("Retry-After")) or 0.0

    def find_order(self, order_id: str) -> FoundOrder:
        return _typed(self._call("GET", f"store/orders/{order_id}"), FoundOrder)

    def find_by_number(self, terminal_id: str, number: int) -> FoundOrder:
        query = {"terminal_id": terminal_id, "number": str(number)}
        return _typed(self._call("GET", "store/orders/by-number", query=query), FoundOrder)

    def open_shift(self, shift_id: str, opening: bytes) -> None:
        self._call("PUT", f"shifts/{shift_id}", opening)

    def put_batch(self, shift_id: str, batch_id: str, body: bytes, *, wait_s: int = 0) -> Receipt:
        """Sends one batch. With `wait_s` (at most 10), the receipt may come back already processed."""
        prefer = {"Prefer": f"wait={wait_s}"} if wait_s else {}
        return _typed(self._call("PUT", f"shifts/{shift_id}/batches/{batch_id}", body, prefer), Receipt)

    def receipt(self, batch_id: str) -> Receipt:
        return _typed(self._call("GET", f"batches/{batch_id}"), Receipt)

    def close_shift(self, shift_id: str, declaration: bytes) -> None:
        self._call("PUT", f"shifts/{shift_id}/close", declaration)

    def shift(self, shift_id: str) -> ShiftView:
        return _typed(self._call("GET", f"shifts/{shift_id}"), ShiftView)

    def _call(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        query: dict[str, str] | None = None,
    ) -> httpx.Response:
        sent, framing = framed(body)
        credential = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        try:
            response = self._http.request(
                method, path, content=sent, params=query, headers={**framing, **credential, **(headers or {})}
            )
        except httpx.TransportError as error:
            raise LinkError(str(error) or type(error).__name__) from error
        if not response.is_success:
            raise problem_of(response)
        return response


def framed(body: bytes | None) -> tuple[bytes | None, dict[str, str]]:
    """The bytes as sent and the headers that describe them. The digest is over the bytes as sent (RFC 9530)."""
    if body is None:
        return None, {}
    headers = {"Content-Type": "application/json"}
    if len(body) >= _GZIP_FROM_BYTES:
        body = compressed(body)
        headers["Content-Encoding"] = "gzip"
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    headers["Content-Digest"] = f"sha-256=:{digest}:"
    return body, headers


def compressed(body: bytes) -> bytes:
    """gzip without a time stamp, so that the same body always gives the same bytes."""
    return gzip.compress(body, compresslevel=6, mtime=0)


def _typed(response: httpx.Response, kind: type[Answer]) -> Answer:
    try:
        return msgspec.json.decode(response.content, type=kind)
    except msgspec.MsgspecError as error:
        # A login page of the shopping centre's Wi-Fi also answers 200.
        raise LinkError(f"{response.status_code} with a body that is not from Back Office: {error}") from error


learn_types(globals())
