"""The people of the console: who may do what? They are set up by commands; here they are read."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import prefetch_related_objects
from django.utils.safestring import SafeString

from backoffice.review import cells
from backoffice.review.admin.base import ReadingAdmin

admin.site.unregister(User)  # Django's own page of it


@admin.register(User)
class PersonAdmin(ReadingAdmin):
    """Everybody who may log in, or might once."""

    list_title = "People"
    list_intro = "Who may log in, and as what. Made with: manage.py createsuperuser"
    empty_text = "Nobody yet."
    list_display = ("login", "full_name", "groups_named", "stands", "seen")
    page_key = ("username",)
    newest_first = False
    page_template = "console/person.html"
    history_about = "user"

    def complete(self, rows: list[Any]) -> None:
        prefetch_related_objects(rows, "groups")

    @admin.display(description="Login")
    def login(self, row: User) -> SafeString:
        return cells.page_link(row, row.username)

    @admin.display(description="Name")
    def full_name(self, row: User) -> str | SafeString:
        return row.get_full_name() or cells.NONE

    @admin.display(description="Groups")
    def groups_named(self, row: User) -> str | SafeString:
        return ", ".join(group.name for group in row.groups.all()) or cells.NONE

    @admin.display(description="May log in")
    def stands(self, row: User) -> str:
        if not row.is_active or not row.is_staff:
            return "No"
        return "Yes, and may do everything" if row.is_superuser else "Yes"

    @admin.display(description="Last login (UTC)")
    def seen(self, row: User) -> str | SafeString:
        return cells.NONE if row.last_login is None else f"{row.last_login:%Y-%m-%d %H:%M}"

    def page(self, row: Any) -> dict[str, Any]:
        """A person, with groups and rights by name."""
        rights = row.user_permissions.select_related("content_type").order_by("content_type__app_label", "codename")
        return {
            "title": row.username,
            "groups": [group.name for group in row.groups.order_by("name")],
            "rights": [right.name for right in rights],
            "stands": self.stands(row),
        }
