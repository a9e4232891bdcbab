"""Decisions: who decided what, and why? With the forms by which they are taken, and the requests that wait."""

from typing import Any

from django.contrib import admin
from django.db.models import prefetch_related_objects
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from backoffice.books.models import Decision
from backoffice.review import cells
from backoffice.review.admin.base import ReadingAdmin
from backoffice.review.admin.deciding.views import answer_view, decide_view
from backoffice.review.admin.deciding.waiting import waiting_view
from backoffice.review.decision_words import changes_of, reason_of, reason_titles, sides_of, verb_of
from backoffice.review.decisions import STANDINGS, answer_of, standing_of
from backoffice.review.subjects import subjects_of


@admin.register(Decision)
class DecisionAdmin(ReadingAdmin):
    """Every decision and every request for one, the newest first."""

    store_path = "store"
    list_title = _("Decisions")
    list_intro = _("What head office decided, by whom and why. The newest come first.")
    empty_text = _("Nothing has been decided yet.")
    list_display = ("standing", "what", "where", "who", "why", "asked", "stake")
    page_key = ("asked_at", "id")
    page_template = "console/decision.html"
    noted_as = "decision"

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("waiting/", wrap(waiting_view), name="books_decision_waiting"),
            path("decide/<str:verb>/<path:key>/", wrap(decide_view), name="books_decision_decide"),
            path("answer/<uuid:key>/<str:answer>/", wrap(answer_view), name="books_decision_answer"),
            *super().get_urls(),
        ]

    def complete(self, rows: list[Any]) -> None:
        """People and stores, what each is about, and the titles of reasons."""
        prefetch_related_objects(rows, "store", "person", "answer__person")
        subjects, titles = subjects_of(rows), reason_titles(rows)
        for row in rows:
            row.about_what = subjects[row.pk].text
            row.reason_title = titles.get((row.verb, row.reason), row.reason)

    @admin.display(description=_("State"))
    def standing(self, row: Decision) -> SafeString:
        return cells.label(standing_of(row))

    @admin.display(description=_("Decision"))
    def what(self, row: Any) -> SafeString:
        return cells.lines(verb_of(row), row.about_what)

    @admin.display(description=_("Where"))
    def where(self, row: Decision) -> SafeString:
        return cells.lines(row.store.name, row.store.code)

    @admin.display(description=_("Who"))
    def who(self, row: Decision) -> SafeString:
        answer = answer_of(row)
        return cells.lines(row.person, "" if answer is None else f"{STANDINGS[answer.answer].text}: {answer.person}")

    @admin.display(description=_("Why"))
    def why(self, row: Any) -> SafeString:
        return cells.lines(row.reason_title, row.note)

    @admin.display(description=_("When"))
    def asked(self, row: Decision) -> SafeString:
        return cells.when(row.asked_at, row.store)

    @admin.display(description=_("At stake"))
    def stake(self, row: Decision) -> SafeString:
        return cells.amount(row.amount, row.store.currency)

    def page(self, row: Any) -> dict[str, Any]:
        """Who and why, and before and after side by side."""
        prefetch_related_objects([row], "store", "person", "answer__person")
        answer = answer_of(row)
        after = row.after if answer is None else answer.after
        return {
            "title": verb_of(row),
            "answer": answer,
            "standing": standing_of(row),
            "about": subjects_of([row])[row.pk],
            "reason": reason_of(row),
            "is_done": after is not None,
            "sides": sides_of(row, after),
            "changes": changes_of(row, after),
            "is_correction": row.verb == "correct",
        }
