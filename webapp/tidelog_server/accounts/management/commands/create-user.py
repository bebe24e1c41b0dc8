import getpass
from argparse import ArgumentParser
from typing import Any

from tidelog_server.accounts import services
from tidelog_server.core.commands import SayingCommand


class Command(SayingCommand):
    help = "Add a person. Without --password they sign in by the one-time link that is printed."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", default="")
        parser.add_argument("--operator", action="store_true", help="they may see /status")
        parser.add_argument("--password", action="store_true", help="ask for one on the terminal")

    def act(self, **options: Any) -> tuple[str, dict[str, Any]]:
        password = getpass.getpass() if options["password"] else None
        user = services.create_user(
            email=options["email"],
            name=options["name"],
            password=password,
            operator=options["operator"],
        )
        path = f"/login/link/{services.make_sign_in_link(user=user)}"
        return (
            f"Added {user.email}. They sign in once, within the hour, at {path}",
            {"email": user.email, "name": user.name, "sign_in_path": path},
        )
