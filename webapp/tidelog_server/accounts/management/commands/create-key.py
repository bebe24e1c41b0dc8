from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.utils.timezone import now

from tidelog_server.accounts import selectors, services
from tidelog_server.accounts.policies import DEFAULT_SCOPES, SCOPES
from tidelog_server.core.commands import SayingCommand


class Command(SayingCommand):
    help = "Make an API key for a member of a team. It is printed once and never again."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("team")
        parser.add_argument("email")
        parser.add_argument("--name", default="key")
        parser.add_argument("--scope", action="append", choices=sorted(SCOPES), dest="scopes")
        parser.add_argument("--days", type=float, help="it expires after so many days")

    def act(self, **options: Any) -> tuple[str, dict[str, Any]]:
        days = options["days"]
        key, secret = services.create_key(
            team=selectors.team_called(options["team"]),
            user=selectors.user_called(options["email"]),
            name=options["name"],
            scopes=options["scopes"] or DEFAULT_SCOPES,
            expires_at=None if days is None else now() + timedelta(days=days),
        )
        values = {"id": str(key.id), "key": secret, "team": options["team"], "scopes": key.scopes}
        return f"{secret}\nKeep it now: it is not shown again.", values
