"""The HTTP calls of the protocol: typed answers, problems as exceptions, one request per call, no retries."""

import base64
import gzip
import hashlib
from typing import Any, TypeVar

import httpx
import msgspec

from backoffice_terminal.problems import LinkError, problem_of

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
    """What one batch may be; the bytes as sent, and after decompression."""

    max_batch_orders: int = 2_000
    max_batch_bytes: int = 4 * 1024 * 1024
    max_decoded_bytes: int = 32 * 1024 * 1024


class TerminalView(msgspec.Struct, frozen=True):
    """`GET /terminal`: what Back Office knows of this terminal."""

    store: Store
    server_time: str
    last_number: int | None = None
    limits: Limits = Limits()


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
    """`state` is received, processed or failed. `results` leaves out what was posted without a remark."""

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
    """`GET /shifts/{id}`: how far Back Office has come with a shift, and what it still lacks."""

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


class Api:
    """One terminal's calls. Raises LinkError without an answer, a Problem for a refusal.

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

    def open_shift(self, shift_id: str, opening: bytes) -> None:
        self._call("PUT", f"shifts/{shift_id}", opening)

    def put_batch(self, shift_id: str, batch_id: str, body: bytes, *, wait_s: int = 0) -> Receipt:
        """Sends one batch. With `wait_s` (at most 10) the receipt may come back processed already."""
        prefer = {"Prefer": f"wait={wait_s}"} if wait_s else {}
        return _typed(self._call("PUT", f"shifts/{shift_id}/batches/{batch_id}", body, prefer), Receipt)

    def receipt(self, batch_id: str) -> Receipt:
        return _typed(self._call("GET", f"batches/{batch_id}"), Receipt)

    def close_shift(self, shift_id: str, declaration: bytes) -> None:
        self._call("PUT", f"shifts/{shift_id}/close", declaration)

    def shift(self, shift_id: str) -> ShiftView:
        return _typed(self._call("GET", f"shifts/{shift_id}"), ShiftView)

    def _call(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        sent, framing = _framed(body)
        credential = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        try:
            response = self._http.request(
                method, path, content=sent, headers={**framing, **credential, **(headers or {})}
            )
        except httpx.TransportError as error:
            raise LinkError(str(error) or type(error).__name__) from error
        if not response.is_success:
            raise problem_of(response)
        return response


def _framed(body: bytes | None) -> tuple[bytes | None, dict[str, str]]:
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
    """gzip without a time stamp: the same bytes each time."""
    return gzip.compress(body, compresslevel=6, mtime=0)


def _typed(response: httpx.Response, kind: type[Answer]) -> Answer:
    try:
        return msgspec.json.decode(response.content, type=kind)
    except msgspec.MsgspecError as error:
        # A login page of the shopping centre's Wi-Fi also answers 200.
        raise LinkError(f"{response.status_code} with a body that is not ours: {error}") from error
