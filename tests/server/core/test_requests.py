"""Lines of the log: one a request, and nothing in them that was not meant for it."""

import json
import logging

import pytest
from django.test import Client

from tidelog_server.core.logs import LOGGING

pytestmark = pytest.mark.django_db


@pytest.fixture
def lines(caplog):
    """What the log says of requests, as it is written."""
    config = LOGGING["formatters"]["json"]
    formatter = config["()"](**{k: v for k, v in config.items() if k != "()"})

    def written():
        records = [r for r in caplog.records if r.name == "tidelog_server.core.requests"]
        return [formatter.format(record) for record in records]

    caplog.set_level(logging.INFO)
    return written


class TestALineOfTheLog:
    def test_says_which_route_answered_what_to_which_team(self, people, lines):
        headers = {"Authorization": f"Bearer {people.alice_key}", "X-Request-ID": "abc-1"}
        answer = Client().get("/api/v1/projects/blue", headers=headers)
        (line,) = map(json.loads, lines())
        assert line["request"] == answer["X-Request-ID"] == "abc-1"
        assert (line["status"], line["method"], line["team"]) == (200, "GET", "blue")
        assert line["route"].startswith("api/v1/projects/")

    def test_holds_no_key_and_no_token(self, people, lines):
        Client().get("/login/link/secret-token")
        Client().get("/api/v1/me", headers={"Authorization": f"Bearer {people.alice_key}"})
        assert "secret-token" not in "".join(lines())
        assert people.alice_key not in "".join(lines())

    def test_cannot_be_forged(self, lines):
        answer = Client().get("/healthz", headers={"X-Request-ID": 'x\r\n{"event": "forged"}'})
        assert "forged" not in answer["X-Request-ID"]
        assert all("\n" not in line and "\r" not in line for line in lines())
        Client().get("/no\r\nteam/")
        assert all("\n" not in line and "\r" not in line for line in lines())
