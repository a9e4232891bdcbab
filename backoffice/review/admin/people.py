"""The people of the console: who may do what, and in which stores?"""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet, prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.forms import UserCreationForm

from backoffice.books.access import NotGiven, change_access, start_with_nothing
from backoffice.books.models import Membership
from backoffice.books.people import EVERYWHERE, OWN_STORES_ONLY, Reach
from backoffice.languages.formats import some_of
from backoffice.review import cells
from backoffice.review.access_forms import PersonAccessForm, SeveralAccessForm
from backoffice.review.admin.base import PageAdmin
from backoffice.review.entrance.rule import ask_again
from backoffice.trail.acting import because

admin.site.unregister(User)  # Django's own page of it
STORES_NAMED = 5


@admin.register(User)
class PersonAdmin(PageAdmin):
    """Everybody who may log in, or might once."""

    store_path = "membership__stores"
    list_title = _("People")
    list_intro = _("Who may log in, as what, and in which stores they work.")
    empty_text = _("Nobody yet.")
    list_display = ("login", "full_name", "roles_named", "stores_named", "stands", "seen")
    page_key = ("username",)
    newest_first = False
    page_template = "console/person.html"
    change_list_template = "console/people.html"
    history_about = "user"
    add_form = UserCreationForm
    actions = ("change_several",)

    def of_reach(self, queryset: QuerySet[User], reach: Reach) -> QuerySet[User]:
        """Who works in these stores, each once."""
        if reach == EVERYWHERE:
            return queryset
        return queryset.filter(pk__in=reach.of(Membership.objects.all(), "stores").values("pk"))

    def complete(self, rows: list[Any]) -> None:
        """Roles and stores. Four statements."""
        prefetch_related_objects(rows, "groups", "membership__stores")
        bound = User.objects.with_perm(OWN_STORES_ONLY, include_superusers=False).filter(
            pk__in=[row.pk for row in rows]
        )
        own_only = set(bound.values_list("pk", flat=True))
        for row in rows:
            row.works_in = _works_in(row, is_bound=row.pk in own_only)

    @admin.display(description=_("Login"))
    def login(self, row: User) -> str:
        return row.username

    @admin.display(description=_("Name"))
    def full_name(self, row: User) -> str | SafeString:
        return row.get_full_name() or cells.NONE

    @admin.display(description=_("Roles"))
    def roles_named(self, row: User) -> str | SafeString:
        return ", ".join(sorted(group.name for group in row.groups.all())) or cells.NONE

    @admin.display(description=_("Works in"))
    def stores_named(self, row: Any) -> str:
        return str(row.works_in)

    @admin.display(description=_("May log in"))
    def stands(self, row: User) -> str:
        if not row.is_active or not row.is_staff:
            return str(_("No"))
        return str(_("Yes, and may do everything") if row.is_superuser else _("Yes"))

    @admin.display(description=_("Last login (UTC)"))
    def seen(self, row: User) -> SafeString:
        seen = row.last_login
        return cells.NONE if seen is None else cells.instant(seen, f"{seen:%Y-%m-%d %H:%M}", "UTC")

    def page(self, row: Any) -> dict[str, Any]:
        """A person, with roles, stores and rights by name."""
        self.complete([row])
        rights = row.user_permissions.select_related("content_type").order_by("content_type__app_label", "codename")
        return {
            "title": row.username,
            "roles": [group.name for group in row.groups.order_by("name")],
            "rights": [right.name for right in rights],
            "stands": self.stands(row),
        }

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<path:object_id>/access/", wrap(self.access_view), name="auth_user_access"),
            path("access/", wrap(self.several_view), name="auth_user_access_of_several"),
            *super().get_urls(),
        ]

    def access_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The form of what one person may. Raises Http404, PermissionDenied."""
        person = self.get_object(request, unquote(object_id))
        if not self.has_change_permission(request, person):
            raise PermissionDenied
        if person is None:
            raise Http404
        ask_again(request)  # before anything is filled in
        form = PersonAccessForm(request, person)
        page = reverse("admin:auth_user_change", args=[person.pk])
        if request.method == "POST" and self._is_done(request, form, [person.pk]):
            messages.success(request, _("What %(person)s may was saved.") % {"person": person})
            return HttpResponseRedirect(page)
        context = {"title": _("What %(person)s may") % {"person": person}, "form": form}
        return self._access_page(request, context | {"up_url": page, "up_title": person.username})

    @admin.action(description=_("Give or take roles and stores"), permissions=["change"])
    def change_several(self, request: HttpRequest, chosen: QuerySet[User]) -> HttpResponse:
        """The form of what several people are given; it is sent to an address of its own."""
        return self._several_page(request, list(chosen), SeveralAccessForm(request, is_sent=False))

    def several_view(self, request: HttpRequest) -> HttpResponse:
        """Gives and takes, of all or of nobody. Raises PermissionDenied."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        keys = [int(key) for key in request.POST.getlist("person") if key.isdecimal()]
        people = list(self.get_queryset(request).filter(pk__in=keys).order_by("username")) if keys else []
        if not people:
            return HttpResponseRedirect(reverse("admin:auth_user_changelist"))
        ask_again(request)
        form = SeveralAccessForm(request, is_sent=True)
        if not self._is_done(request, form, [person.pk for person in people]):
            return self._several_page(request, people, form)
        messages.success(request, _("What these %(count)s people may was saved.") % {"count": len(people)})
        return HttpResponseRedirect(reverse("admin:auth_user_changelist"))

    def _is_done(self, request: HttpRequest, form: PersonAccessForm | SeveralAccessForm, people: list[int]) -> bool:
        """Whether it was changed; where it was not, the form says why."""
        if not form.is_valid():
            return False
        because(form.cleaned_data["why"])
        assert isinstance(request.user, User)  # noqa: S101 - whoever is not logged in came no further
        try:
            change_access(people, form.change(), by=request.user)
        except NotGiven as refusal:
            form.add_error(None, str(refusal))
            return False
        return True

    def _several_page(self, request: HttpRequest, people: list[User], form: SeveralAccessForm) -> HttpResponse:
        context = {"title": _("Roles and stores of several people"), "form": form, "people": people}
        context |= {"action": reverse("admin:auth_user_access_of_several")}
        return self._access_page(request, context | self.way_up())

    def _access_page(self, request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
        request.current_app = self.admin_site.name
        whole = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return TemplateResponse(request, "console/access.html", whole)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("auth.add_user"))

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A login and a first password; then what they may."""
        shown = {"title": _("Add somebody"), "show_save_and_add_another": False}
        return super().add_view(request, form_url, shown | (extra_context or {}))  # type: ignore[no-any-return]

    def get_form(self, request: HttpRequest, obj: User | None = None, **kwargs: Any) -> Any:
        """Somebody new has a login and a first password."""
        return super().get_form(request, obj, **({"form": self.add_form} | kwargs))

    def get_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        return ["username", "password1", "password2"]

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's
        """Somebody new may log in, and nothing else yet."""
        assert isinstance(obj, User)  # noqa: S101
        assert isinstance(request.user, User)  # noqa: S101
        obj.is_staff = True
        super().save_model(request, obj, form, change)
        start_with_nothing(obj, by=request.user)

    def response_add(self, request: HttpRequest, obj: User, post_url_continue: str | None = None) -> HttpResponse:
        """On to what they may."""
        may_go_on = self.has_change_permission(request, obj)
        return HttpResponseRedirect(
            reverse("admin:auth_user_access" if may_go_on else "admin:auth_user_change", args=[obj.pk])
        )


def _works_in(row: Any, *, is_bound: bool) -> str:
    """Where somebody works, in words; stores that the reader does not see are not named."""
    membership = getattr(row, "membership", None)
    if row.is_superuser or (membership is None and not is_bound):
        return str(_("Every store"))
    stores = [] if membership is None else list(membership.stores.all())
    names = sorted(store.name for store in stores if row.reach.holds(store.pk))
    others = [str(_("stores that are not yours"))] if len(names) < len(stores) else []
    return some_of(names + others, limit=STORES_NAMED) or str(_("No store yet"))
