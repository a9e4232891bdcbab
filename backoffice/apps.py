from importlib import import_module

from django.apps import AppConfig


class BackofficeConfig(AppConfig):
    name = "backoffice"

    def ready(self) -> None:
        import_module("backoffice.failpoints")  # raises UnknownFailpoint, so that no test passes because of a typo
        import_module(
            "backoffice.celery"
        )  # makes ours the current application in every process that rings for a worker
