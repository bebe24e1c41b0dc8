from django.apps import AppConfig


class TrackingConfig(AppConfig):
    name = "tidelog_server.tracking"

    def ready(self) -> None:
        """Tell the gate how to find projects and runs."""
        from tidelog_server.tracking import selectors  # noqa: F401
