"""The verbs, each with its rule. A verb more is a class in a module here, and a line below."""

from collections.abc import Mapping

from backoffice.books.rules import VerbRule
from backoffice.books.verbs.bank import BankSafe, FetchChange, ReceiveDeposit
from backoffice.books.verbs.held import CorrectHeld, DiscardHeld, MoveHeld, PostHeld
from backoffice.books.verbs.numbers import EnterOrder, ExplainNumbers
from backoffice.books.verbs.orders import RetenderOrder, VoidOrder
from backoffice.books.verbs.periods import LockPeriod, UnlockPeriod
from backoffice.books.verbs.safe import CountSafe
from backoffice.books.verbs.shifts import ApproveShift, EndShift, RecountShift
from backoffice.books.verbs.terminals import ImportCache
from backoffice.domain.decisions import Verb

RULES: Mapping[Verb, VerbRule] = {
    rule.verb: rule
    for rule in (
        PostHeld(),
        CorrectHeld(),
        DiscardHeld(),
        MoveHeld(),
        VoidOrder(),
        RetenderOrder(),
        ExplainNumbers(),
        EnterOrder(),
        RecountShift(),
        EndShift(),
        ApproveShift(),
        CountSafe(),
        BankSafe(),
        ReceiveDeposit(),
        FetchChange(),
        LockPeriod(),
        UnlockPeriod(),
        ImportCache(),
    )
}
