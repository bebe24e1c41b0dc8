"""The run table over REST, as its owner, a colleague, a viewer and a stranger meet it."""

import pytest
from django.test import Client
from tests.server.factories import a_key, a_run

from tidelog_server.runtable.cache import cache

PROJECT = "/api/v1/projects/blue/fish"
ADDRESSES = ["runs", "run-keys", "run-values?key=name"]


@pytest.fixture(autouse=True)
def _process_begins_anew(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    cache.clear()


def as_user(user, **extra):
    client = Client(**extra)
    client.force_login(user)
    return client


def get(client, address, **query):
    return client.get(f"{PROJECT}/{address}", query)


@pytest.fixture
def alice(people):
    return as_user(people.alice)


class TestWhoMayLook:
    @pytest.mark.parametrize("address", ADDRESSES)
    def test_the_team_may(self, people, address):
        for user in (people.alice, people.bob, people.viewer):
            assert get(as_user(user), address).status_code == 200

    @pytest.mark.parametrize("address", ADDRESSES)
    def test_a_stranger_sees_nothing_and_not_even_that(self, people, address):
        answer = get(as_user(people.charlie), address)
        missing = as_user(people.charlie).get(f"/api/v1/projects/blue/none/{address}")
        assert (answer.status_code, answer.json()) == (404, missing.json())

    @pytest.mark.parametrize("address", ADDRESSES)
    def test_nobody_may_without_saying_who(self, people, address):
        assert get(Client(), address).status_code == 401

    @pytest.mark.parametrize("address", ADDRESSES)
    def test_a_key_needs_the_scope(self, people, address):
        key = a_key(people.team, scopes=["ingest"])
        answer = get(Client(headers={"Authorization": f"Bearer {key}"}), address)
        assert answer.status_code == 403


class TestRuns:
    def test_are_filtered_sorted_and_counted(self, people, alice):
        for number, lr in enumerate([0.1, 0.001, 0.01, 0.2], 2):
            a_run(people.project, f"run{number}", config={"lr": lr})
        answer = get(alice, "runs", filter="lr<=0.1", sort="-lr", limit=2).json()
        assert [run["id"] for run in answer["runs"]] == ["run2", "run4"]
        assert answer["count"] == 3

    @pytest.mark.parametrize(
        ("query", "position"),
        [
            ({"filter": "lr<"}, 3),
            ({"filter": 'name~"("'}, 5),
            ({"filter": "created>soon"}, 8),
            ({"sort": "a b"}, 0),
        ],
        ids=["no value", "pattern", "time", "sort"],
    )
    def test_say_what_is_wrong_with_a_query_and_where(self, alice, query, position):
        answer = get(alice, "runs", **query)
        assert answer.status_code == 422
        assert answer.json()["code"] == "bad_query"
        assert answer.json()["position"] == position
        assert answer.json()["message"].endswith(".")

    @pytest.mark.parametrize("sort", ["user__password", "-author__email", "project.team", "pk"])
    def test_sorted_by_what_is_no_key_are_newest_first(self, people, alice, sort):
        a_run(people.project, "run2")
        answer = get(alice, "runs", sort=sort).json()
        assert [run["id"] for run in answer["runs"]] == ["run2", "run1"]


class TestKeysAndValues:
    def test_are_told(self, people, alice):
        a_run(people.project, "run2", config={"opt": "adam"}, tags=["base"])
        keys = get(alice, "run-keys").json()["keys"]
        assert {"key": "config.opt", "kind": "text", "runs": 1} in keys
        assert get(alice, "run-values", key="config.opt").json() == {
            "values": [{"value": "adam", "runs": 1}]
        }
        assert get(alice, "run-values", key="tag", part="B").json() == {
            "values": [{"value": "base", "runs": 1}]
        }

    @pytest.mark.parametrize("key", ["", "a b", "a<1"])
    def test_of_no_key_are_refused(self, alice, key):
        assert get(alice, "run-values", key=key).status_code == 422
