"""The terminal's codes and tokens, and whether it handles them as it should (protocol §3)."""

from dataclasses import dataclass
from random import Random
from typing import Literal

from backoffice.workbench.conformance.notes import Notebook
from backoffice.workbench.conformance.traffic import Request

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
# Besides the refused request, one may have been under way and one may be a last attempt.
MOST_AFTER_401 = 3

State = Literal["good", "unused", "ended", "revoked"]


@dataclass
class Token:
    """A token; `is_proven` once an answer to it has reached the terminal."""

    text: str
    state: State
    is_rotated: bool = False
    is_proven: bool = False


class Credentials:
    """Two codes, one for the start and one for after the revocation. All texts come from the seed: none is secret."""

    def __init__(self, rng: Random, notes: Notebook) -> None:
        self._rng = rng
        self._notes = notes
        self.codes = [self._mint_code(), self._mint_code()]
        self._usable = 0
        self._used = 0
        self._tokens: dict[str, Token] = {}
        self._after_401 = 0

    @property
    def activations(self) -> int:
        """How many codes were redeemed."""
        return self._used

    @property
    def is_revoked(self) -> bool:
        """Whether head office has revoked the credential and the terminal has not been activated since."""
        return self._usable == 1 and self._used < len(self.codes)

    @property
    def is_changed(self) -> bool:
        """Whether a rotated token has been proven."""
        return any(token.is_rotated and token.is_proven for token in self._tokens.values())

    def activate(self, code: str) -> str | None:
        """A token for the code that is valid now; None for any other code."""
        typed = code.upper().replace("-", "").replace(" ", "")
        if self._used > self._usable or typed != self.codes[self._usable].replace("-", ""):
            return None
        self._used = self._usable + 1
        if self._usable == 1:
            what = f"{self._after_401} requests came with the revoked token"
            self._notes.note("stops-on-401", right=self._after_401 <= MOST_AFTER_401, what=what)
        for token in self._tokens.values():
            token.state = "revoked"
        return self._mint("good").text

    def authenticate(self, text: str) -> Token | None:
        """The token, if it is good. Notes the use of one that should no longer be used."""
        token = self._tokens.get(text)
        if token is None or token.state in {"ended", "revoked"}:
            self._look_at_refused(token)
            return None
        return token

    def _look_at_refused(self, token: Token | None) -> None:
        if token is not None and token.state == "ended" and self.is_changed:
            self._notes.broke("token-changed", "the old token was used after the new one had worked")
        if self.is_revoked:
            self._after_401 += 1

    def begin_to_use(self, token: Token) -> bool:
        """Ends all other tokens at the first use of this one; returns whether this was it."""
        if token.state != "unused":
            return False
        for other in self._tokens.values():
            if other.state == "good":
                other.state = "ended"
        token.state = "good"
        return True

    def prove(self, token: Token) -> None:
        """Notes that an answer to this token has reached the terminal."""
        if token.is_rotated and token.state == "good":
            token.is_proven = True
            self._notes.kept("token-changed")

    def rotate(self) -> str:
        """A new token, which replaces one that has not been used yet."""
        for text in [text for text, token in self._tokens.items() if token.state == "unused"]:
            del self._tokens[text]
        token = self._mint("unused")
        token.is_rotated = True
        return token.text

    def revoke(self) -> None:
        """Head office revokes the credential; from now on the second code is valid."""
        for token in self._tokens.values():
            token.state = "revoked"
        self._usable = 1

    def look_for_secrets(self, request: Request) -> None:
        """Notes tokens and codes in places that are likely to be logged."""
        secrets = [*self._tokens, *(code for code in self.codes)]
        in_body = () if request.path.endswith("/activations") else [s for s in secrets if s.encode() in request.sent]
        in_address = [secret for secret in secrets if secret in request.target]
        where = "address" if in_address else "body"
        self._notes.note("token-secret", right=not in_address and not in_body, what=f"in the {where} of {request.line}")

    def finish(self, notes: Notebook) -> None:
        """Notes what can be judged only at the end of the run."""
        rotated = [token for token in self._tokens.values() if token.is_rotated]
        if any(token.state == "ended" for token in self._tokens.values()) and not any(t.is_proven for t in rotated):
            notes.broke(
                "token-changed", "the new token was used once, its answer was lost, and it was never used again"
            )
        if self.is_revoked and self._after_401 > MOST_AFTER_401:
            notes.broke("stops-on-401", f"{self._after_401} requests came with the revoked token")

    def _mint(self, state: State) -> Token:
        token = Token("".join(self._rng.choices(ALPHABET.lower() + ALPHABET, k=43)), state)
        self._tokens[token.text] = token
        return token

    def _mint_code(self) -> str:
        symbols = "".join(self._rng.choices(ALPHABET, k=12))
        return "-".join((symbols[:4], symbols[4:8], symbols[8:]))
