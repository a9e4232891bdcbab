from django.apps import AppConfig


class EvidenceConfig(AppConfig):
    name = "backoffice.books.evidence"
    label = "evidence"
