from django.apps import AppConfig


class InboxConfig(AppConfig):
    name = "backoffice.inbox"
    label = "inbox"
