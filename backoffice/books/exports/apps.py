from django.apps import AppConfig


class ExportsConfig(AppConfig):
    name = "backoffice.books.exports"
    label = "exports"
