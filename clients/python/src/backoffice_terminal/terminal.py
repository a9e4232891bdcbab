"""A terminal's behaviour: sell online and offline, keep everything, deliver it, and forget nothing too early."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import httpx
import msgspec

from backoffice_terminal.api import (
    Api,
    Device,
    FoundOrder,
    HeartbeatAnswer,
    ShiftView,
    Store,
    StoreOrder,
    Totals,
)
from backoffice_terminal.cache_file import CacheSaved, save_cache
from backoffice_terminal.closing import expected_cash, said_at_close, totals
from backoffice_terminal.credential import Credential
from backoffice_terminal.feed import Feed
from backoffice_terminal.ids import mint
from backoffice_terminal.journal import Journal
from backoffice_terminal.money import check_cash
from backoffice_terminal.orders import Draft, Mode, Order, Status, check_mode
from backoffice_terminal.predecessor import Predecessor
from backoffice_terminal.problems import (
    NoOpenShift,
    NotActivated,
    OrderTooLarge,
    ShiftStillOpen,
    TerminalError,
)
from backoffice_terminal.retry import Retry
from backoffice_terminal.saved import Movement, Opening, SavedBatch, SavedShift, Sold
from backoffice_terminal.standing import standing
from backoffice_terminal.uplink import Uplink

# Operators keep restores within seven days (§2.2); until then the terminal's copy may be the only one.
KEEP_SETTLED = timedelta(days=7)
# A refund may look back this far for what a neighbouring till sold.
KEEP_STORE_ORDERS = timedelta(days=31)
# A customer is standing at the till: wait for the outcome, but not for long, and do not retry for ever.
_LIVE_WAIT_S = 2
_LIVE_ATTEMPTS = 2
_LIVE_PATIENCE_S = 5.0


class Terminal:
    """One till: one journal file, one Back Office.

    `now` gives the device's time, with an offset. `sleep`, `monotonic` and `rng` pace the retries; `transport` is
    httpx's. Heartbeats report `app_version`, or if it is None, the version that the device gave at its activation. Use
    it from one thread at a time.
    """

    def __init__(
        self,
        path: Path,
        base_url: str,
        *,
        now: Callable[[], datetime] = lambda: datetime.now().astimezone(),
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        rng: Random | None = None,
        attempts: int = 6,
        timeout_s: float = 15.0,
        app_version: str | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.journal = Journal(path)
        self._api = Api(base_url, token=None, timeout_s=timeout_s, transport=transport)
        self._credential = Credential(self.journal, self._api)
        jitter = rng or Random()  # noqa: S311 - jitter is not a secret  # nosec B311
        retry = Retry(attempts=attempts, rng=jitter, sleep=sleep, monotonic=monotonic)
        self._now = now
        self._app_version = app_version

        def uplink_of(journal: Journal) -> Uplink:
            return Uplink(journal, self._api, self._credential, retry, now=now)

        self._uplink = uplink_of(self.journal)
        self._predecessor = Predecessor(self.journal, self._uplink, uplink_of, now=now)
        self._feed = Feed(self.journal, self._api, self._uplink.guarded, self._uplink.send_lost, monotonic=monotonic)

    def close(self) -> None:
        """Closes the file and the connection. What was saved stays."""
        self._api.close()
        self.journal.close()

    # -- who it is

    def activate(self, code: str, device: Device) -> Store:
        """Exchanges an activation code for a credential. It is never retried, because a code works only once."""
        activation = self._api.activate(code, device)
        self.journal.change_facts(
            {
                "store": msgspec.json.encode(activation.store).decode(),
                "terminal_id": activation.terminal_id,
                "app_version": device.app_version,
            }
        )
        self._credential.replace(activation.token)
        return activation.store

    def change_token(self) -> None:
        """Changes to a new token. Do so every few weeks, or if the old one may have leaked. Raises as `go_online` does.

        It is safe to interrupt and to repeat: the new token is on the disk before its first use, and the old one stays
        there until the new one has worked.
        """
        self._uplink.change_token()

    @property
    def is_activated(self) -> bool:
        """Whether it has a credential. Without one it goes on selling offline, and sends nothing."""
        return self._api.token is not None

    @property
    def store(self) -> Store:
        saved = self.journal.fact("store")
        if saved is None:
            raise NotActivated("this terminal has never been activated")
        return msgspec.json.decode(saved, type=Store)

    # -- online and offline

    @property
    def mode(self) -> Mode:
        return "offline" if self.journal.fact("mode") == "offline" else "online"

    def go_offline(self) -> None:
        """Caches orders from now on. This happens automatically when a live order gets no answer."""
        self.journal.note("mode", "offline")

    def go_online(self) -> None:
        """Contacts Back Office, then delivers what was cached. Raises LinkError as long as there is no connection."""
        self._uplink.send_lost()
        self._uplink.deliver()
        self.journal.note("mode", "online")

    # -- shifts

    def open_shift(self, *, cashier: str, opening_float: int) -> SavedShift:
        """Opens the drawer with `opening_float` minor units in it. Needs a connection.

        If an earlier call got no answer, that same shift is sent again, whatever the arguments are now.
        Raises ShiftStillOpen, also on a new disk where another device left one open; LinkError, Busy, ShiftAlreadyOpen;
        ValueError for an amount that no drawer can hold.
        """
        check_cash(opening_float)
        shift = self.journal.current_shift()
        if shift is not None and shift.opened:
            raise ShiftStillOpen(f"shift {shift.number} of {shift.terms.cashier} is still open")
        if shift is None:
            if not self.journal.has_shifts and (left := self.left_open()) is not None:
                raise ShiftStillOpen(f"shift {left.number} of {left.cashier} is open on the device before this one")
            shift = self.journal.add_shift(
                mint(), lambda number, first: self._opening(number, first, cashier, opening_float)
            )
        self._deliver()
        return self.journal.shift(shift.shift_id)

    def _opening(self, number: int, first_number: int, cashier: str, opening_float: int) -> Opening:
        return Opening(
            number=number,
            opened_at=self._now().isoformat(),
            cashier=cashier,
            opening_float=opening_float,
            first_number=first_number,
            currency=self.store.currency,
            prices_include_tax=self.store.prices_include_tax,
        )

    def shift(self) -> SavedShift:
        """The open shift. Raises NoOpenShift."""
        shift = self.journal.current_shift()
        if shift is None or not shift.opened:
            raise NoOpenShift("no shift is open; open one while online")
        return shift

    def close_shift(
        self, *, cash_counted: int | None, float_left: int | None = None, carried_over: Sequence[int] = ()
    ) -> SavedShift:
        """Ends the shift with what was counted in the drawer, and delivers everything.

        A count of None is a blind close: head office counts later. `float_left` stays in the drawer. `carried_over` are
        numbers that are still open: the next shift brings their orders.
        The count is saved first: after a LinkError, `sync` finishes the close. The declaration is computed from this
        journal. Back Office settles the shift in its own time; `sync` and `look` show how far it has got.
        Raises NoOpenShift, LinkError; ValueError for an amount that no drawer can hold.
        """
        said = said_at_close(cash_counted, float_left, carried_over)
        shift = self.shift()
        now = self._now().isoformat()
        self.journal.count_drawer(shift.shift_id, counted=cash_counted, closed_at=now, besides=said)
        self._deliver()
        return self.journal.shift(shift.shift_id)

    def totals(self, shift_id: str) -> Totals:
        """The shift's totals according to this terminal's journal."""
        return totals(self.journal, shift_id)

    def expected_cash(self, shift_id: str) -> int:
        """What the drawer should hold: float, cash payments and cash movements."""
        return expected_cash(self.journal, shift_id)

    # -- after another device

    def left_open(self) -> ShiftView | None:
        """The shift of this terminal that another device opened and did not close (§10). Raises as `go_online` does."""
        return self._predecessor.left_open()

    def close_left_open(
        self, *, cash_counted: int | None, float_left: int | None = None, carried_over: Sequence[int] = ()
    ) -> SavedShift:
        """Closes that shift with the count of its drawer and the totals that Back Office has; else as `close_shift`."""
        said = said_at_close(cash_counted, float_left, carried_over)
        shift_id = self._predecessor.adopt(self.store, counted=cash_counted, besides=said)
        self._deliver()
        return self.journal.shift(shift_id)

    def send_kept(self, path: Path) -> None:
        """Sends what the other device's file still holds, when it is found (§10). Raises as `go_online` does."""
        self._predecessor.send_kept(path)

    def save_cache(self, path: Path) -> CacheSaved:
        """Saves what was not acknowledged as a signed file that head office takes in (§12). Needs no connection.

        Nothing changes here: should this till live, it sends the same. Raises NotActivated, and OSError for the file.
        """
        token, now = self._credential.signing_token, self._now()
        return save_cache(path, journal=self.journal, uplink=self._uplink, token=token, store=self.store, now=now)

    # -- orders

    def draft(
        self,
        *,
        type: str | None = None,  # noqa: A002 - the protocol's own name
        customer: dict[str, object] | None = None,
        printed_to: str = "none",
    ) -> Draft:
        """An order to ring up under the terms of the open shift. Raises NoOpenShift and NotAllowedOffline."""
        terms = self.shift().terms
        check_mode(self.mode, customer, printed_to)
        return Draft(
            prices_include_tax=terms.prices_include_tax,
            opened_at=self._now(),
            type=type,
            cashier=terms.cashier,
            customer=customer,
            printed_to=printed_to,
        )

    def refund(self, order: Order, *, lines: list[int] | None = None) -> Draft:
        """A draft that refunds an order, or some of its lines: add the payment, then `sell` it."""
        terms = self.shift().terms
        draft = Draft.refund(order, prices_include_tax=terms.prices_include_tax, opened_at=self._now(), lines=lines)
        draft.cashier = terms.cashier
        return draft

    def adjust(self, order_id: str, payments: Mapping[str, int], *, tip: int = 0) -> Sold:
        """Changes how an order was paid, or its tip, by method and signed.

        `{"card": 200}, tip=200` for a tip that was written on the slip,
        `{"cash": -1500, "card": 1500}` for what was keyed as cash. Raises as `sell` does.
        """
        draft = self.draft()
        draft.adjusts, draft.tip = order_id, tip
        for method, amount in payments.items():
            draft.pay(method, amount)
        return self.sell(draft)

    def sell(self, draft: Draft, *, status: Status = "paid") -> Sold:
        """Finishes a draft. When this returns, number and order are on the disk, and sent if the terminal is online.

        `status` may be `voided` or `training`. If there is no answer, the terminal goes offline and the sale stands.
        Raises NotBalanced, NoOpenShift, NotAllowedOffline and OrderTooLarge; in that case nothing was saved.
        """
        shift, mode = self.shift(), self.mode
        check_mode(mode, draft.customer, draft.printed_to)
        most_bytes = self._uplink.limits.max_member_bytes

        def finish(number: int) -> Order:
            order = draft.finish(order_id=mint(), number=number, mode=mode, status=status, closed_at=self._now())
            if (size := len(msgspec.json.encode(order))) > most_bytes:
                raise OrderTooLarge(f"{size} bytes, at most {most_bytes} are read")
            return order

        order = self.journal.add_order(shift.shift_id, finish)
        if mode == "online":
            self._send_live(shift, order)
        return self._sold(order)

    def _send_live(self, shift: SavedShift, order: Order) -> None:
        batch = self.journal.seal(
            mint(), shift.shift_id, sent_at=self._now().isoformat(), orders=[order.order_id], movements=[]
        )
        try:
            self._uplink.send(batch, wait_s=_LIVE_WAIT_S, attempts=_LIVE_ATTEMPTS, patience_s=_LIVE_PATIENCE_S)
        except TerminalError:
            # The sale has happened, whatever went wrong; `go_online` will meet the error again and report it.
            self.go_offline()

    def _sold(self, order: Order) -> Sold:
        saved = self.journal.order(order.order_id)
        return Sold(order, order.label, saved.outcome if saved else None, saved.reasons if saved else [])

    def cash_in(self, amount: int, *, reason: str) -> None:
        """Records cash put into the drawer. It is sent with the next batch, at the latest before the close."""
        self._move("cash_in", amount, reason)

    def cash_out(self, amount: int, *, reason: str) -> None:
        """Records cash taken out of the drawer."""
        self._move("cash_out", amount, reason)

    def _move(self, kind: str, amount: int, reason: str) -> None:
        shift = self.shift()
        movement = Movement(mint(), kind, amount, reason, self._now().isoformat(), shift.terms.cashier)
        self.journal.add_movement(shift.shift_id, movement)

    # -- keeping in step

    def heartbeat(self, *, at: datetime | None = None) -> HeartbeatAnswer:
        """Reports how this terminal is, and sends what Back Office lacks. Call it every minute or so, in either mode.

        `at` is the time on the device's clock, if `now` gives another (in a simulation). Orders are flagged if that
        clock is more than ten minutes off, so show people a large `clock_skew_ms`. Does not change the mode.
        """
        said = self._app_version or self.journal.fact("app_version") or ""
        sent_at = (at or self._now()).isoformat()
        return self._uplink.beat(standing(self.journal, sent_at=sent_at, mode=self.mode, app_version=said))

    def follow_store(self) -> list[StoreOrder]:
        """What the store's terminals, this one included, have sold since the last call; each order once.

        Call it as often as you like: it asks Back Office no sooner than `Retry-After` allows, and never in offline
        mode; later it catches up from where it stopped. Raises as `go_online` does.
        """
        return [] if self.mode == "offline" else self._feed.follow()

    def find_order(self, order_id: str) -> FoundOrder:
        """An order of any terminal of the store, and what was given back of it: what a refund of it needs (§8).

        Raises NotFound, and as `go_online` does.
        """
        return self._uplink.guarded(lambda: self._api.find_order(order_id))

    def find_by_number(self, terminal_id: str, number: int) -> FoundOrder:
        """As `find_order`, by what is printed on a receipt."""
        return self._uplink.guarded(lambda: self._api.find_by_number(terminal_id, number))

    def sync(self) -> None:
        """Goes online, delivers what waits, reads receipts, and sends again what Back Office says is missing.

        Call it every minute or so while online, and after every close. Raises as `go_online` does.
        """
        self._deliver()
        self._uplink.settle()

    def _deliver(self) -> None:
        if self.mode == "offline":
            self.go_online()
        else:
            self._uplink.deliver()

    def send_again(self, order_ids: list[str]) -> None:
        """Sends orders of one shift again, in a batch of their own. Known ones come back as `duplicate`: no harm."""
        shift_id = self.journal.shift_of(order_ids[0])
        batch = self.journal.seal(mint(), shift_id, sent_at=self._now().isoformat(), orders=order_ids, movements=[])
        self._uplink.send(batch)

    def look(self, shift_id: str) -> ShiftView:
        """Back Office's own view of a shift: its state, computed totals, what is missing, over/short."""
        return self._uplink.look(shift_id)

    def refused(self) -> list[SavedBatch]:
        """Batches that Back Office will not accept, each with its problem, to show to the staff."""
        return self.journal.refused_batches()

    def send_refused_again(self) -> None:
        """Sends refused batches again, once people have looked at them. Raises as `go_online` does."""
        self.journal.unseal_refused()
        self._deliver()

    def prune(self) -> None:
        """Deletes shifts that have been reconciled or approved for seven days, asking first whether they still are."""
        for shift in self.journal.settled_shifts():
            since = datetime.fromisoformat(shift.settled_at or "")
            if self._now() - since >= KEEP_SETTLED and self._uplink.still_settled(shift):
                self.journal.prune(shift.shift_id)
        oldest = (self._now() - KEEP_STORE_ORDERS).astimezone(UTC)
        self.journal.forget_store_orders(posted_before=oldest.isoformat())
