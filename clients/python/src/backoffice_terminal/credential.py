"""A terminal's token, and how to replace it without ever being without one (§3)."""

from backoffice_terminal.api import Api
from backoffice_terminal.journal import Journal
from backoffice_terminal.problems import NotActivated

TOKEN, NEXT_TOKEN, REFUSED_TOKEN = "token", "token_next", "token_refused"


class Credential:
    """The token that one Api presents. Both are on the disk: the current token, and the next one until it has worked.

    The next token is saved before its first use, and used from then on. A successful answer proves it; the old one is
    then erased, because Back Office has revoked it. If the next token is refused, it was replaced before it was ever
    used, so the old one is still valid. If there is no answer, nothing is known and nothing changes: it is used again.
    """

    def __init__(self, journal: Journal, api: Api) -> None:
        self._journal = journal
        self._api = api
        api.token = journal.fact(NEXT_TOKEN) or journal.fact(TOKEN)

    @property
    def is_unproven(self) -> bool:
        """Whether a next token is waiting for its first successful answer."""
        return self._journal.fact(NEXT_TOKEN) is not None

    @property
    def signing_token(self) -> str | None:
        """The token that signs what is saved: the one that has worked, for Back Office keeps a mark of that for ever.

        Also when it is refused by now, and a next one only where there is no other. None before the first activation.
        """
        return next(filter(None, map(self._journal.fact, (TOKEN, REFUSED_TOKEN, NEXT_TOKEN))), None)

    def require(self) -> None:
        """Raises NotActivated if there is no token to present."""
        if self._api.token is None:
            raise NotActivated("this terminal has no valid credential; ask head office for an activation code")

    def replace(self, token: str) -> None:
        """Saves the token of an activation, which ends all earlier ones."""
        self._journal.change_facts({TOKEN: token, NEXT_TOKEN: None, REFUSED_TOKEN: None})
        self._api.token = token

    def propose(self, token: str) -> None:
        """Saves a next token; the next request presents it."""
        self._journal.change_facts({NEXT_TOKEN: token})
        self._api.token = token

    def prove(self) -> None:
        """Call this on every successful answer: the token presented is valid, and an older one no longer is."""
        if self.is_unproven:
            self._journal.change_facts({TOKEN: self._api.token, NEXT_TOKEN: None})

    def reject(self) -> bool:
        """Call this when the credential is refused. Returns whether there is an older token to fall back to.

        Without one the terminal sends nothing until it is activated again. What it saves, the refused one still signs.
        """
        older = self._journal.fact(TOKEN) if self.is_unproven else None
        facts = {TOKEN: older, NEXT_TOKEN: None}
        self._journal.change_facts(facts if older else {**facts, REFUSED_TOKEN: self._api.token})
        self._api.token = older
        return older is not None
