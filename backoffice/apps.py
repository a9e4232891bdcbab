from importlib import import_module

from django.apps import AppConfig


class BackofficeConfig(AppConfig):
    name = "backoffice"

    def ready(self) -> None:
        """Makes our Celery application the current one, in every process that may ring for a worker.

        Raises UnknownFailpoint: a test that misspells where to die must not pass for that.
        """
        import_module("backoffice.failpoints")
        import_module("backoffice.celery")
