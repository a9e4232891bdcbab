from django.apps import AppConfig


class IngestionConfig(AppConfig):
    name = "backoffice.ingestion"
    label = "ingestion"
