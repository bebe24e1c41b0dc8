from django.apps import AppConfig


class UiConfig(AppConfig):
    name = "tidelog_server.ui"
