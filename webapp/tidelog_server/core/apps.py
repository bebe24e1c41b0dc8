from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "tidelog_server.core"

    def ready(self) -> None:
        """Describe the gate's authentication in the OpenAPI document."""
        from tidelog_server.core import shapes  # noqa: F401
