from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "tidelog_server.accounts"

    def ready(self) -> None:
        """Tell the gate who answers "who is this?"."""
        from tidelog_server.accounts.services import Identity
        from tidelog_server.core import gate

        gate.identifies(Identity())
