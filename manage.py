#!/usr/bin/env python
"""Entry point of every command. `--data-dir` picks the embedded stack whose addresses the command uses."""

import os
import sys

from backoffice.env import load_stack_environment, words_for_django


def main() -> None:
    """Loads the addresses of the stack that the command names, then hands over to Django."""
    load_stack_environment(sys.argv)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
    from django.core.management import execute_from_command_line

    from backoffice.trail.acting import acting, at_the_command_line

    with acting(at_the_command_line("".join(sys.argv[1:2]))):
        execute_from_command_line(words_for_django(sys.argv))


if __name__ == "__main__":
    main()
