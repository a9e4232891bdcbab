from django.apps import AppConfig


class SalesConfig(AppConfig):
    name = "backoffice.sales"
    label = "sales"
