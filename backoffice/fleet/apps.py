from django.apps import AppConfig


class FleetConfig(AppConfig):
    name = "backoffice.fleet"
    label = "fleet"
