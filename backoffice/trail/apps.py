from django.apps import AppConfig


class TrailConfig(AppConfig):
    name = "backoffice.trail"
