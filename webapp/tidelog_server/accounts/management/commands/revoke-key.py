from argparse import ArgumentParser
from typing import Any

from tidelog_server.accounts import selectors, services
from tidelog_server.core.commands import SayingCommand


class Command(SayingCommand):
    help = "End an API key. It is refused everywhere within 20 seconds."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("key", help="its id, or the key itself")

    def act(self, **options: Any) -> tuple[str, dict[str, Any]]:
        key = selectors.key_called(options["key"])
        services.revoke_key(key=key)
        return f"Revoked {key.name} ({key.prefix}...).", {"id": str(key.id), "revoked": True}
