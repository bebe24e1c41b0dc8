from argparse import ArgumentParser
from typing import Any

from tidelog_server.accounts import selectors, services
from tidelog_server.accounts.models import Role
from tidelog_server.core.commands import SayingCommand


class Command(SayingCommand):
    help = "Add a person to a team, or give a member another role."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("team")
        parser.add_argument("email")
        parser.add_argument("--role", choices=Role.values, default=Role.MEMBER.value)

    def act(self, **options: Any) -> tuple[str, dict[str, Any]]:
        team = selectors.team_called(options["team"])
        user = selectors.user_called(options["email"])
        member = services.add_member(team=team, user=user, role=options["role"])
        return (
            f"{user.email} is {member.role} of {team.slug}.",
            {"team": team.slug, "email": user.email, "role": member.role},
        )
