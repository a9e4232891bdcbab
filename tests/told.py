"""What running stacks told the tests of this run: the secrets, and every error text, in which none of them may stand."""

import re

import httpx

# Tokens and activation codes, by whoever was told them.
secrets_of_this_run: set[str] = set()
# The bodies of answers with 400 and above.
errors_of_this_run: set[str] = set()

TOKEN = re.compile(r'"token": ?"([^"]+)"')
# Alone on its line, as a command prints it: anywhere else it may be a part of a UUID.
CODE = re.compile(r"^[2-9A-HJ-NP-Z]{4}(?:-[2-9A-HJ-NP-Z]{4}){2}$", re.MULTILINE)
ERROR = 400


def remember_secrets(text: str) -> None:
    """Notes the tokens of an answer, and the codes of a command's output."""
    codes = set(CODE.findall(text))
    secrets_of_this_run.update(TOKEN.findall(text), codes, {code.replace("-", "") for code in codes})


def remember(status: int, text: str) -> None:
    """Notes an answer for what it is: an error may hold what it should not, any other may tell a secret."""
    if status >= ERROR:
        errors_of_this_run.add(text)
    else:
        remember_secrets(text)


class Remembering(httpx.HTTPTransport):
    """A client's way to a service, on which every answer is noted."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The answer, read to its end."""
        answer = super().handle_request(request)
        answer.read()
        remember(answer.status_code, answer.text)
        return answer
