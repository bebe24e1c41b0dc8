from django.apps import AppConfig


class LiveConfig(AppConfig):
    name = "tidelog_server.live"
