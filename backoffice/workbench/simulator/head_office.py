"""What head office does before tills can sell: stores and activation codes, through the commands people use."""

import io
import json
from dataclasses import dataclass
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandError

from backoffice.workbench.simulator.catalogue import Shop

_MOST_STORES_OF_A_NAME = 1_000


@dataclass(frozen=True)
class HeadOffice:
    """Talks to the Back Office that this process is configured for; `data_dir` names its stack for the commands."""

    data_dir: str

    def found(self, shop: Shop) -> Shop:
        """Creates the store under its own code or, if that is taken, the next free one: PARIS, PARIS-2, …

        Raises CommandError if none of a thousand codes is free.
        """
        for attempt in range(1, _MOST_STORES_OF_A_NAME + 1):
            coded = shop if attempt == 1 else shop.coded(f"{shop.code}-{attempt}")
            try:
                self._create(coded)
            except CommandError as error:
                if "exist" not in str(error) and "taken" not in str(error):
                    raise
            else:
                return coded
        raise CommandError(f"All store codes from {shop.code} to {shop.code}-{_MOST_STORES_OF_A_NAME} are taken.")

    def _create(self, shop: Shop) -> None:
        taxes = "--prices-include-tax" if shop.prices_include_tax else "--prices-exclude-tax"
        options = (f"--name={shop.name}", f"--timezone={shop.timezone}", f"--currency={shop.currency}", taxes)
        self._run("create_store", shop.code, *options)

    def activation_code(self, shop: Shop, terminal: str) -> str:
        """An activation code for a terminal, which is created if there is none of that name."""
        return self._run("issue_activation_code", shop.code, terminal).strip().splitlines()[-1].strip()

    def books(self) -> dict[str, Any]:
        """The document of `verify_books --json`, whether or not it found differences."""
        out = io.StringIO()
        try:
            call_command("verify_books", "--json", f"--data-dir={self.data_dir}", stdout=out)
        except (CommandError, SystemExit):
            if not out.getvalue():
                raise
        found: dict[str, Any] = json.loads(out.getvalue())
        return found

    def _run(self, command: str, *arguments: str) -> str:
        out = io.StringIO()
        call_command(command, *arguments, f"--data-dir={self.data_dir}", stdout=out)
        return out.getvalue()
