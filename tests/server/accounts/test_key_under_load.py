"""A key that is looked up while somebody writes."""

import sqlite3
from contextlib import closing

import pytest
from django.db import connection

from tidelog_server.core import gate

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="Postgres locks rows, not databases"),
]


class TestAKey:
    @pytest.mark.timeout(30)
    def test_is_known_before_the_writer_is_done(self, people):
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout = 60000")  # who waits, waits longer than the test
        path = connection.settings_dict["NAME"]
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert gate.caller_by_key(people.alice_key).user == people.alice
            other.execute("ROLLBACK")
