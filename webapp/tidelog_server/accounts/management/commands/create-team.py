from argparse import ArgumentParser
from typing import Any

from tidelog_server.accounts import selectors, services
from tidelog_server.core.commands import SayingCommand


class Command(SayingCommand):
    help = "Add a team."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="the first word of its pages' addresses")
        parser.add_argument("--name", default="")
        parser.add_argument("--owner", metavar="EMAIL", default="")

    def act(self, **options: Any) -> tuple[str, dict[str, Any]]:
        owner = selectors.user_called(options["owner"]) if options["owner"] else None
        team = services.create_team(slug=options["slug"], name=options["name"], owner=owner)
        values = {"team": team.slug, "name": team.name, "owner": owner.email if owner else None}
        return f"Added team {team.slug}.", values
