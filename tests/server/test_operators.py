"""The status page and the figures: for those who run the server, and for nobody else."""

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from tests.server.asgi_client import AsgiClient, records_path
from tests.server.factories import a_json_batch, a_key, a_stream_id, a_team, a_user, metrics

from tidelog_server import observed


@pytest.fixture
def operator(db):
    return a_user("Olga", operator=True)


def samples(answer):
    families = text_string_to_metric_families(answer.content.decode())
    return {s.name: s.value for family in families for s in family.samples if not s.labels}


class TestMetrics:
    def test_are_there_for_this_machine(self, db):
        assert "tidelog_runs_running" in samples(
            Client().get("/metrics", headers={"host": "127.0.0.1:1"})
        )

    @pytest.mark.parametrize(
        "more",
        [
            {"headers": {"x-forwarded-for": "203.0.113.9"}},
            {"headers": {"x-forwarded-proto": "https"}},
            {"headers": {"host": "tidelog.example.org"}},
            {"REMOTE_ADDR": "203.0.113.9"},
        ],
    )
    def test_are_not_there_for_others(self, db, settings, more):
        settings.ALLOWED_HOSTS = ["*"]
        assert (
            Client().get("/metrics", **{"headers": {"host": "localhost"}, **more}).status_code
            == 404
        )

    def test_are_there_for_an_operator_s_key_wherever_it_is(self, operator):
        key = a_key(a_team(owner=operator), user=operator)
        answer = Client().get(
            "/metrics", headers={"Authorization": f"Bearer {key}"}, REMOTE_ADDR="203.0.113.9"
        )
        assert answer.status_code == 200

    @pytest.mark.django_db(transaction=True)
    def test_count_what_was_stored(self, people):
        before = samples(Client().get("/metrics", headers={"host": "localhost"}))
        path = records_path("run9", a_stream_id(), "blue/fish")
        batch = a_json_batch(0, metrics(1, loss=1.0), metrics(2, loss=1.0, acc=1.0))
        AsgiClient(people.alice_key).post(path, json=batch)
        after = samples(Client().get("/metrics", headers={"host": "localhost"}))
        grown = {name: after[name] - before[name] for name in after if name in before}
        assert grown["tidelog_ingest_points_total"] == 3
        assert grown["tidelog_ingest_batches_total"] == 1
        assert grown["tidelog_compaction_points"] == 3


class TestTheStatusPage:
    def test_shows_every_figure_to_an_operator(self, operator):
        client = Client()
        client.force_login(operator)
        page = client.get("/status").content.decode()
        for figure in [*observed.figures(), *observed.counted()]:
            assert figure.name in page

    def test_is_not_there_for_the_owner_of_a_team(self, people):
        client = Client()
        client.force_login(people.alice)
        assert client.get("/status").status_code == 404

    def test_asks_the_anonymous_to_sign_in(self, db):
        assert Client().get("/status")["Location"].startswith("/login")
