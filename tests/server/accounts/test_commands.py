"""`tidelog manage ...` for people, teams, keys and projects."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from tidelog_server.accounts.models import ApiKey, Membership
from tidelog_server.accounts.selectors import key_of
from tidelog_server.tracking.models import Project

pytestmark = pytest.mark.django_db


def run(*argv):
    out = io.StringIO()
    call_command(*argv, stdout=out)
    return out.getvalue()


def asked(*argv):
    return json.loads(run(*argv, "--json"))


@pytest.fixture
def team():
    run("create-user", "ann@example.org", "--name", "Ann")
    run("create-team", "blue", "--owner", "ann@example.org")


class TestTheCommands:
    def test_add_a_person_who_signs_in_by_link(self):
        assert asked("create-user", "ann@example.org")["sign_in_path"].startswith("/login/link/")

    def test_add_a_team(self):
        assert asked("create-team", "blue") == {"team": "blue", "name": "blue", "owner": None}

    def test_add_a_member(self, team):
        run("create-user", "bob@example.org")
        said = asked("add-member", "blue", "bob@example.org", "--role", "viewer")
        assert said == {"team": "blue", "email": "bob@example.org", "role": "viewer"}
        assert Membership.objects.count() == 2

    def test_make_and_revoke_a_key(self, team):
        said = asked("create-key", "blue", "ann@example.org", "--scope", "ingest", "--days", "3")
        key = key_of(said["key"])
        assert key.scopes == ["ingest"]
        assert key.expires_at is not None
        assert asked("revoke-key", said["id"])["revoked"]
        assert key_of(said["key"]) is None

    def test_revoke_a_key_by_itself(self, team):
        said = asked("create-key", "blue", "ann@example.org")
        run("revoke-key", said["key"])
        assert ApiKey.objects.get().revoked_at is not None

    def test_add_a_project(self, team):
        assert asked("create-project", "blue", "fish")["project"] == "fish"
        assert Project.objects.get().team.slug == "blue"

    @pytest.mark.parametrize(
        "argv",
        [
            ("create-user", "nobody"),
            ("create-team", "login"),
            ("add-member", "blue", "nobody@example.org"),
            ("create-key", "none", "nobody@example.org"),
            ("revoke-key", "x"),
            ("create-project", "none", "fish"),
        ],
    )
    def test_say_what_is_wrong(self, argv):
        with pytest.raises(CommandError):
            run(*argv)
