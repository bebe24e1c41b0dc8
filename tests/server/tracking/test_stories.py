"""The page of components: there only where the server was started for it."""

import pytest
from django.test import Client
from tests.server.factories import a_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def client():
    client = Client()
    client.force_login(a_user("Ana"))
    return client


class TestStories:
    def test_are_not_there_unless_asked_for(self, client):
        assert client.get("/_ui").status_code == 404

    def test_are_shown_where_they_were_asked_for(self, client, settings):
        settings.STORIES = True
        answer = client.get("/_ui")
        assert answer.status_code == 200
        assert b"<h1>Stories</h1>" in answer.content

    def test_ask_a_stranger_to_sign_in(self, settings):
        settings.STORIES = True
        answer = Client().get("/_ui")
        assert answer.status_code == 302
        assert answer["Location"] == "/login?next=%2F_ui"
