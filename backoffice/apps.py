from importlib import import_module

from django.apps import AppConfig


class BackofficeConfig(AppConfig):
    name = "backoffice"

    def ready(self) -> None:
        """Makes our Celery application the current one, in every process that may ring for a worker."""
        import_module("backoffice.celery")
