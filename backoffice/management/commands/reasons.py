"""`manage.py reasons --json`: the reason codes of every verb."""

import json
from typing import Any

from django.core.management.base import CommandParser

from backoffice.books.models import ReasonCode
from backoffice.management.base import StackCommand


class Command(StackCommand):
    help = "Lists the reasons that decisions can have, and what each needs."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--json", action="store_true", help="one JSON document on stdout and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        reasons = [
            {
                "verb": reason.verb,
                "code": reason.code,
                "title": reason.title,
                "needs_note": reason.needs_note,
                "needs_second_person": reason.needs_second_person,
                "group": None if reason.group is None else reason.group.name,
            }
            for reason in ReasonCode.objects.filter(is_active=True).select_related("group")
        ]
        if options["json"]:
            self.stdout.write(json.dumps(reasons, ensure_ascii=False))
            return
        for reason in reasons:
            needs = [
                name for name, key in (("note", "needs_note"), ("second person", "needs_second_person")) if reason[key]
            ]
            wants = f" (needs a {' and a '.join(needs)})" if needs else ""
            self.stdout.write(f"{reason['verb']:<10} {reason['code']:<22} {reason['title']}{wants}")
