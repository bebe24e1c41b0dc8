from django.apps import AppConfig


class RunTableConfig(AppConfig):
    name = "tidelog_server.runtable"
