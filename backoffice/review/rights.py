"""Who may see what: each kind of row has its right, and a page shows of other kinds only what its reader may open."""

from django.contrib import admin
from django.http import HttpRequest


def may_see(request: HttpRequest) -> dict[str, bool]:
    """For each kind of row, by the name of its model, whether the user may see its list and its pages."""
    pages = admin.site._registry.items()  # noqa: SLF001 - Django has no public way to go through them
    return {str(model._meta.model_name): page.has_view_permission(request) for model, page in pages}  # noqa: SLF001 - Django's documented interface


def reads_originals(request: HttpRequest) -> bool:
    """Whether the reader may see what tills sent, as it is stored."""
    return request.user.has_perm("inbox.view_original")
