from django.apps import AppConfig


class MetricsConfig(AppConfig):
    name = "tidelog_server.metrics"
