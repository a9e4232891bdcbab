from django.apps import AppConfig
from django.contrib.admin import apps as admin


class ReviewConfig(AppConfig):
    name = "backoffice.review"
    label = "review"


class ConsoleConfig(admin.AdminConfig):
    """Django's admin, whose site is the console."""

    default = False  # named in the settings
    default_site = "backoffice.review.site.ConsoleSite"
