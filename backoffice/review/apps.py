from django.apps import AppConfig
from django.contrib.admin import apps as admin


class ReviewConfig(AppConfig):
    name = "backoffice.review"
    label = "review"

    def ready(self) -> None:
        """Has what happens to second factors followed."""
        from backoffice.review.entrance import watching  # noqa: F401, PLC0415 - models are there only now


class ConsoleConfig(admin.AdminConfig):
    """Django's admin, whose site is the console."""

    default = False  # named in the settings
    default_site = "backoffice.review.site.ConsoleSite"
