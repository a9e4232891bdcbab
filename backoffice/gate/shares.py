"""A budget of bytes of which nobody may hold more than a share, so that whoever fills its own stops nobody else."""

from pos_api.budget import BudgetSpent, ByteBudget


class FairBudget:
    """`total` bytes, of which one owner may hold `share`. For one thread, the event loop's.

    With `small`, the last quarter of both is for what is no larger than that: whoever withholds large bodies can still send
    a live order.
    """

    def __init__(self, total: int, *, share: int, small: int = 0) -> None:
        self._budget = ByteBudget(total, kept=total // 4 if small else 0, small=small)
        self._share = share
        self._share_of_large = share - share // 4 if small else share
        self._small = small
        self._held: dict[str, int] = {}

    @property
    def held(self) -> int:
        """The bytes that all owners hold now."""
        return self._budget.held

    def acquire(self, owner: str, count: int) -> None:
        """Takes `count` bytes for `owner`. Raises `BudgetSpent`, and takes none, where they do not fit."""
        held = self._held.get(owner, 0) + count
        if held > (self._share if count <= self._small else self._share_of_large):
            raise BudgetSpent(count)
        self._budget.acquire(count)
        self._held[owner] = held

    def release(self, owner: str, count: int) -> None:
        """Gives back bytes that `owner` acquired."""
        self._budget.release(count)
        left = self._held[owner] - count
        if left:
            self._held[owner] = left
        else:
            del self._held[owner]  # owners come and go: what holds nothing is forgotten
