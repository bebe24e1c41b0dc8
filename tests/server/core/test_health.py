"""Health: true for a balancer, detailed for who runs the server."""

import pytest
from django.core.management import call_command
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.test import Client
from tests.server.asgi_client import AsgiClient, records_path
from tests.server.factories import a_json_batch, a_key, a_stream_id, a_team, a_user

from tidelog_server.accounts.services import ensure_owner
from tidelog_server.core import disk, health
from tidelog_server.core.models import ServerIdentity, server_identity

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator():
    return a_user("Olga", operator=True)


@pytest.fixture
def no_room(settings):
    settings.DISK_RESERVE = 2**62
    disk.forget()


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


class TestHealthz:
    def test_asks_nothing_of_the_database(self, django_assert_num_queries):
        with django_assert_num_queries(0):
            assert Client().get("/healthz").json() == {"status": "ok"}


class TestReadyz:
    def test_says_one_word_to_anyone(self):
        answer = Client().get("/readyz")
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})

    def test_tells_an_operator_s_key_what_was_checked(self, operator):
        key = a_key(a_team(owner=operator), user=operator)
        told = Client().get("/readyz", headers=bearer(key)).json()
        assert {name for name, check in told["checks"].items() if check["ok"]} == {
            *("database", "migrations", "disk")
        }
        assert told["information"]["database"] == connection.vendor

    def test_tells_other_keys_no_more_than_anyone(self, people):
        assert Client().get("/readyz", headers=bearer(people.alice_key)).json() == {"status": "ok"}

    def test_is_503_without_a_database(self, monkeypatch):
        def away(*_):
            raise DatabaseError

        monkeypatch.setattr(connection, "cursor", away)
        answer = Client().get("/readyz")
        assert (answer.status_code, answer.json()) == (503, {"status": "not ready"})

    @pytest.mark.django_db(transaction=True)
    def test_is_503_while_a_migration_is_missing(self, monkeypatch):
        monkeypatch.setattr(health, "_migrated", [])
        table = connection.ops.quote_name("django_migrations")
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE {table} SET name = 'gone' WHERE app = 'core'")
        try:
            assert Client().get("/readyz").status_code == 503
        finally:
            with connection.cursor() as cursor:
                cursor.execute(f"UPDATE {table} SET name = '0001_initial' WHERE app = 'core'")

    @pytest.mark.skipif(connection.vendor != "sqlite", reason="Postgres minds its own disk")
    def test_is_503_when_the_disk_is_full(self, no_room):
        assert Client().get("/readyz").status_code == 503


@pytest.mark.skipif(connection.vendor != "sqlite", reason="Postgres minds its own disk")
@pytest.mark.django_db(transaction=True)
class TestAFullDisk:
    def test_refuses_records_and_takes_them_once_there_is_room(self, people, settings):
        path = records_path("run1", a_stream_id(), "blue/fish")
        settings.DISK_RESERVE = 2**62
        refused = AsgiClient(people.alice_key).post(path, json=a_json_batch(0))
        assert refused.status == 507
        assert int(refused.headers["retry-after"]) > 0
        settings.DISK_RESERVE = 0
        assert AsgiClient(people.alice_key).post(path, json=a_json_batch(0)).status == 200

    def test_lets_people_sign_in_and_read(self, people, no_room):
        people.alice.set_password("correct horse battery")
        people.alice.save()
        client = Client()
        client.post("/login", {"email": people.alice.email, "password": "correct horse battery"})
        assert client.get("/blue/fish/").status_code == 200


class TestFinishingARestore:
    def test_renews_the_epoch_and_keeps_the_server(self):
        server, epoch = server_identity()
        call_command("restore-finish")
        assert server_identity()[0] == server
        assert server_identity()[1] != epoch
        assert str(ServerIdentity.current().epoch) == server_identity()[1]


class TestTheOwner:
    def test_of_a_fresh_installation_is_its_operator(self):
        assert ensure_owner()[0].is_superuser

    def test_is_not_made_one_where_somebody_else_is(self, operator):
        assert not ensure_owner()[0].is_superuser


class TestADatabaseThatIsAway:
    @pytest.mark.parametrize("path", ["/blue/fish/", "/api/v1/projects/blue"])
    @pytest.mark.parametrize("error", [OperationalError, InterfaceError])
    def test_is_answered_with_later(self, people, monkeypatch, path, error):
        client = Client(raise_request_exception=False)
        client.force_login(people.alice)

        def away(*_):
            raise error

        monkeypatch.setattr(connection, "cursor", away)
        answer = client.get(path)
        assert (answer.status_code, answer["Retry-After"]) == (503, "1")
