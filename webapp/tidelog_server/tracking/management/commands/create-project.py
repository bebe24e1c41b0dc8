from argparse import ArgumentParser
from typing import Any

from tidelog_server.accounts import selectors
from tidelog_server.core.commands import SayingCommand
from tidelog_server.tracking import services


class Command(SayingCommand):
    help = "Add a project to a team."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("team")
        parser.add_argument("slug", help="the second word of its pages' addresses")
        parser.add_argument("--name", default="")

    def act(self, **options: Any) -> tuple[str, dict[str, Any]]:
        team = selectors.team_called(options["team"])
        project = services.create_project(team=team, slug=options["slug"], name=options["name"])
        return (
            f"Added project {team.slug}/{project.slug}.",
            {"team": team.slug, "project": project.slug, "id": str(project.id)},
        )
