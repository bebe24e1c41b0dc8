from argparse import ArgumentParser
from typing import Any

from tidelog_server.core.commands import SayingCommand
from tidelog_server.core.models import ServerIdentity


class Command(SayingCommand):
    help = "Tell clients that a backup was put back, so that they send again what it lacks."

    def arguments(self, parser: ArgumentParser) -> None:
        pass

    def act(self, **options: Any) -> tuple[str, dict[str, Any]]:
        epoch = str(ServerIdentity.renew_epoch())
        return f"The epoch is now {epoch}. Clients send again what they still hold.", {
            "epoch": epoch
        }
