"""The door: which request it is, who sends it, and the report at the end."""

import copy
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from backoffice.domain.accounts import CASH_REASON_ACCOUNTS, PAYMENT_ACCOUNTS
from backoffice.domain.rules import ORDER_TYPES
from backoffice.domain.wire.messages import Heartbeat, read_activation, read_heartbeat
from backoffice.workbench.conformance.closing import check_arrived, check_closed
from backoffice.workbench.conformance.credentials import Token
from backoffice.workbench.conformance.feed import TERMINAL_NAME
from backoffice.workbench.conformance.floor import Floor
from backoffice.workbench.conformance.lookup import look_up
from backoffice.workbench.conformance.messages import message_of, uuid_in_address
from backoffice.workbench.conformance.mischief import MEANINGS
from backoffice.workbench.conformance.notes import ConformanceReport, Notebook
from backoffice.workbench.conformance.scenario import check_movement_shown, steps_left
from backoffice.workbench.conformance.shifts import CURRENCY, Shifts
from backoffice.workbench.conformance.traffic import LIMITS, Answer, Refused, Request, problem_answer
from backoffice.workbench.conformance.uploads import Uploads

# How long after it happened an opening or close that is sent at once may arrive.
AT_ONCE_S = 120.0
UNSET_SETTINGS = (
    "max_order_total", "min_refund_total", "refund_days", "rounding_step", "rounding_mode", "max_over_short",
)  # fmt: skip

# By address; an address that ends in a batch or a close names a shift as well.
METHODS = {
    "terminal": "GET", "terminal/heartbeat": "PUT", "terminal/token": "POST", "store/orders": "GET",
    "by_number": "GET", "order": "GET", "receipt": "GET", "close": "PUT", "batch": "PUT", "shift": "GET, PUT",
}  # fmt: skip

_ROUTE = re.compile(
    r"/api/v1/(?:(?P<fixed>activations|terminal|terminal/token|terminal/heartbeat|store/orders)"
    r"|store/orders/(?:(?P<by_number>by-number)|(?P<order>[^/]+))"
    r"|batches/(?P<receipt>[^/]+)|shifts/(?P<shift>[^/]+)(?:/(?P<close>close)|/batches/(?P<batch>[^/]+))?)"
)


class Office:
    """One run of one terminal. Safe to use from several threads: requests are handled one after the other."""

    def __init__(self, *, seed: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.floor = Floor(seed, clock)
        self.last_at = clock()
        self._lock = threading.Lock()
        self._shifts = Shifts(self.floor)
        self._uploads = Uploads(self.floor)

    @property
    def steps_left(self) -> list[str]:
        """The steps of the scenario that are not finished."""
        with self._lock:
            return steps_left(self.floor)

    def overview(self) -> dict[str, Any]:
        """What a script needs to work through a run, and how far it has got."""
        return {
            "base_path": "/api/v1/",
            "seed": self.floor.seed,
            "activation_codes": self.floor.credentials.codes,
            "steps_left": self.steps_left,
        }

    def handle(self, method: str, target: str, headers: Mapping[str, str], sent: bytes) -> Answer:
        """The answer to a request; header names must be in lower case."""
        with self._lock:
            request = Request(method, target, headers, sent, self.floor.clock())
            self.last_at = request.at
            self.floor.credentials.look_for_secrets(request)
            self.floor.pace.arrived(request)
            try:
                answer = self._answer(request)
            except Refused as refused:
                answer = refused.answer
                if refused.rule:
                    self.floor.notes.broke(refused.rule, refused.what)
            self.floor.pace.answered(request, answer, at=self.floor.clock())
            return answer.at(request.path)

    def report(self) -> ConformanceReport:
        """The verdict as it would be if the run ended now."""
        with self._lock:
            floor, notes = self.floor, copy.deepcopy(self.floor.notes)
            for shift_id, close in floor.history.closes.items():
                shift = floor.books.shifts.get(shift_id)
                if shift is not None:
                    check_closed(notes, shift, close.message, history=floor.history)
            check_arrived(notes, history=floor.history, books=floor.books)
            check_movement_shown(notes, floor)
            floor.credentials.finish(notes)
            floor.pace.finish(notes)
            self._check_at_once(notes)
            befell = floor.mischief.befell
            mishaps = [f"{fault} {befell[fault]}x: {words}" for fault, words in MEANINGS.items() if befell[fault]]
            return ConformanceReport(floor.seed, notes.results(), steps_left(floor), mishaps)

    def report_json(self) -> dict[str, Any]:
        """The report for machines, as it would be if the run ended now."""
        return self.report().as_json()

    def _check_at_once(self, notes: Notebook) -> None:
        """Checks that openings and closes were sent when they happened, by the device's clock as heartbeats give it."""
        skew_s, history = self.floor.skew_s, self.floor.history
        if skew_s is None:
            return
        messages = [
            (f"the opening of shift {s.message.number}", s.message.opened_at, s.at) for s in history.openings.values()
        ]
        messages += [(f"the close of shift {id_}", s.message.closed_at, s.at) for id_, s in history.closes.items()]
        for name, happened, came in messages:
            late_s = (came - happened).total_seconds() + skew_s
            what = f"{name} came {late_s:.0f} s after it happened"
            notes.note("shift-online", right=abs(late_s) <= AT_ONCE_S, what=what)

    # -- who

    def _answer(self, request: Request) -> Answer:
        if self.floor.outage.strikes(request):
            return problem_answer("internal")
        route = _ROUTE.fullmatch(request.path)
        if route is None:
            return problem_answer("not-found")
        if route["fixed"] == "activations":
            return self._activate(request)
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        has_token = scheme.lower() == "bearer" and bool(text.strip())
        self.floor.notes.note("bearer", right=has_token, what=f"{request.line} came without a token")
        token = self.floor.credentials.authenticate(text.strip()) if has_token else None
        if token is None:
            return problem_answer("credential-invalid")
        return self._serve(request, route, token)

    def _serve(self, request: Request, route: re.Match[str], token: Token) -> Answer:
        credentials = self.floor.credentials
        if credentials.begin_to_use(token) and self.floor.mischief.draw("first-use") == "lost":
            return replace(problem_answer("internal"), manner="lost")
        answer = self._call(request, route)
        if answer.is_success:
            credentials.prove(token)
        return answer

    def _activate(self, request: Request) -> Answer:
        message = message_of(self.floor.notes, request, read_activation, otherwise="framing")
        token = self.floor.credentials.activate(message.activation_code)
        if token is None:
            return problem_answer("activation-code-invalid")
        return Answer(201, {"terminal_id": self.floor.terminal_id, "store": self._store(), "token": token})

    # -- what

    def _call(self, request: Request, route: re.Match[str]) -> Answer:
        match request.method, route["fixed"]:
            case "GET", "terminal":
                return Answer(200, self._terminal())
            case "PUT", "terminal/heartbeat":
                return self._beat(request)
            case "POST", "terminal/token":
                answer = Answer(201, {"token": self.floor.credentials.rotate()})
                return replace(answer, manner="lost") if self.floor.mischief.draw("token") == "lost" else answer
            case "GET", "store/orders":
                return self.floor.feed.page(request, is_lost=self.floor.mischief.draw("feed") == "lost")
            case method, None:
                return self._call_by_identifier(method, request, route)
        return _not_allowed(route)

    def _call_by_identifier(self, method: str, request: Request, route: re.Match[str]) -> Answer:
        if (route["by_number"] or route["order"]) and method == "GET":
            return look_up(self.floor, request, route["order"])
        if route["receipt"] is not None and method == "GET":
            return self._uploads.get(
                uuid_in_address(route["receipt"]), every_result=request.query.get("results") == "all"
            )
        if route["batch"] is not None and method == "PUT":
            return self._uploads.put(request, uuid_in_address(route["shift"]), uuid_in_address(route["batch"]))
        if route["close"] is not None and method == "PUT":
            return self._shifts.close(request, uuid_in_address(route["shift"]))
        plain = route["shift"] is not None and route["batch"] is None and route["close"] is None
        if plain and method in {"GET", "PUT"}:
            key = uuid_in_address(route["shift"])
            return self._shifts.get(key) if method == "GET" else self._shifts.put(request, key)
        return _not_allowed(route)

    def _store(self) -> dict[str, Any]:
        store = {"id": self.floor.store_id, "code": "CONF", "name": "Conformance", "timezone": "Europe/Paris"}
        return {**store, "currency": CURRENCY, "prices_include_tax": True}

    def _terminal(self) -> dict[str, Any]:
        shift = self.floor.books.open_shift
        return {
            "terminal_id": self.floor.terminal_id,
            "name": TERMINAL_NAME,
            "last_number": self.floor.books.last_number,
            "last_shift_number": self.floor.books.last_shift_number,
            "store": self._store(),
            "server_time": self.floor.now().isoformat(),
            "open_shift": None if shift is None else {"shift_id": str(shift.shift_id), "number": shift.opening.number},
            "settings": {
                **dict.fromkeys(UNSET_SETTINGS),
                "order_types": sorted(ORDER_TYPES),
                "cash_reasons": sorted(CASH_REASON_ACCOUNTS),
                "payment_methods": sorted(PAYMENT_ACCOUNTS),
            },
            "limits": LIMITS,
        }

    def _beat(self, request: Request) -> Answer:
        floor, books = self.floor, self.floor.books
        message = message_of(floor.notes, request, read_heartbeat, otherwise="heartbeat")
        now = floor.now()
        floor.notes.kept("heartbeat")
        wrong = self._wrong_in(message)
        floor.notes.note("heartbeat-true", right=not wrong, what=wrong)
        floor.skew_s = (message.sent_at - now).total_seconds()
        floor.heartbeats += 1
        floor.heartbeats_since_restore += floor.is_restored
        unsettled = [s for s in books.shifts.values() if books.state(s) in {"open", "closing"}]
        missing = sorted({numbers for shift in unsettled for numbers in books.missing_numbers(shift)})
        floor.history.ask(missing, rule=floor.asking)
        shift = books.open_shift
        return Answer(
            200,
            {
                "server_time": now.isoformat(),
                "clock_skew_ms": round(floor.skew_s * 1000),
                "missing_numbers": missing,
                "open_shift_id": None if shift is None else str(shift.shift_id),
                "checkpoint": None,
            },
        )

    def _wrong_in(self, message: Heartbeat) -> str:
        """What a heartbeat says that cannot be true, in words; "" if it all can."""
        history = self.floor.history
        open_shift = history.open_shift
        if message.shift_id not in {None, open_shift}:
            return f"shift_id is {message.shift_id}, but {open_shift or 'none'} is open"
        highest, last = max(history.numbers, default=0), message.last_number
        if last is not None and last < highest:
            return f"last_number is {last}, but number {highest} was sent"
        if last is not None and last - highest > message.cached_orders and highest:
            return f"last_number is {last}, {highest} was the highest sent, and only {message.cached_orders} are cached"
        if message.oldest_cached_at is not None and not message.cached_orders:
            return f"nothing is cached, oldest_cached_at is {message.oldest_cached_at.isoformat()}"
        return ""


def _not_allowed(route: re.Match[str]) -> Answer:
    """405 names the methods that the address does support."""
    part = next(name for name in METHODS if name == route["fixed"] or route.groupdict().get(name))
    answer = problem_answer("method-not-allowed")
    return replace(answer, headers={**answer.headers, "Allow": METHODS[part]})
