"""The token of a terminal, and changing it for another without ever being without one (§3)."""

from backoffice_terminal.api import Api
from backoffice_terminal.journal import Journal
from backoffice_terminal.problems import NotActivated

TOKEN, NEXT_TOKEN = "token", "token_next"


class Credential:
    """What one Api presents. Both tokens are on the disk: the present one, and the next until it has worked once.

    The next token is saved before it is first used, and used from then on. A successful answer proves it and the old
    one is erased, as Back Office has revoked it. Where it is refused, it was replaced before it was ever used, so the
    old one is still good. Where no answer came, nothing is known, and nothing changes: it is simply used again.
    """

    def __init__(self, journal: Journal, api: Api) -> None:
        self._journal = journal
        self._api = api
        api.token = journal.fact(NEXT_TOKEN) or journal.fact(TOKEN)

    @property
    def is_unproven(self) -> bool:
        """Whether a next token waits for its first successful answer."""
        return self._journal.fact(NEXT_TOKEN) is not None

    def require(self) -> None:
        """Raises NotActivated where there is no token to present."""
        if self._api.token is None:
            raise NotActivated("this terminal has no valid credential; ask head office for an activation code")

    def replace(self, token: str) -> None:
        """Takes the token of an activation, which ends all earlier ones."""
        self._journal.change_facts({TOKEN: token, NEXT_TOKEN: None})
        self._api.token = token

    def propose(self, token: str) -> None:
        """Saves a next token; the very next request presents it."""
        self._journal.change_facts({NEXT_TOKEN: token})
        self._api.token = token

    def prove(self) -> None:
        """To be told of every successful answer: what was presented is good, and an older token is not any more."""
        if self.is_unproven:
            self._journal.change_facts({TOKEN: self._api.token, NEXT_TOKEN: None})

    def reject(self) -> bool:
        """To be told of a refused credential: whether there is an older token to fall back to.

        Without one the terminal sends nothing until it is activated again.
        """
        older = self._journal.fact(TOKEN) if self.is_unproven else None
        self._journal.change_facts({TOKEN: older, NEXT_TOKEN: None})
        self._api.token = older
        return older is not None
