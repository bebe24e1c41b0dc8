from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "tidelog_server.core"
