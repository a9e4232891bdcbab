from django.apps import AppConfig


class ReportsConfig(AppConfig):
    name = "backoffice.books.reports"
    label = "reports"
