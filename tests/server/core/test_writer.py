"""Write transactions: who waits, who shares, who fails alone."""

import threading
from concurrent.futures import wait

import pytest
from django.db import connection, transaction

from tidelog_server.core import measures
from tidelog_server.core.models import ServerIdentity
from tidelog_server.core.writer import Writer

pytestmark = pytest.mark.django_db(transaction=True)


class Refused(Exception):
    pass


@pytest.fixture(params=[(1, 8), (3, 1)], ids=["one thread in groups", "three threads"])
def writer(request):
    threads, group = request.param
    writer = Writer(threads=threads, group=group)
    yield writer
    writer.stop()


def count():
    return ServerIdentity.objects.count()


class TestAWriter:
    def test_runs_in_a_transaction(self, writer):
        assert writer.submit(lambda: connection.in_atomic_block).result(10)

    def test_answers_after_the_commit(self, writer):
        writer.submit(ServerIdentity.current).result(10)
        assert count() == 1

    def test_hands_an_error_to_its_sender_and_undoes_the_work(self, writer):
        def work():
            ServerIdentity.current()
            raise Refused

        with pytest.raises(Refused):
            writer.submit(work).result(10)
        assert count() == 0

    def test_runs_what_waits_for_the_commit_after_it(self, writer):
        committed = threading.Event()
        writer.submit(lambda: transaction.on_commit(committed.set)).result(10)
        assert committed.wait(10)

    def test_finishes_what_was_submitted_before_it_stops(self):
        writer = Writer(threads=1, group=2)
        futures = [writer.submit(count) for _ in range(9)]
        writer.stop()
        assert all(future.done() for future in futures)


class TestAGroup:
    def held(self, writer):
        """Make everything submitted from now on wait, to be taken together when it is let go."""
        let_go = threading.Event()
        writer.submit(let_go.wait)
        return let_go

    @pytest.mark.parametrize("streams", [8, 64])
    def test_pays_one_commit_for_all_that_waited(self, streams):
        writer = Writer(threads=1, group=32)
        let_go = self.held(writer)
        futures = [writer.submit(ServerIdentity.current) for _ in range(streams)]
        before = measures.commits._value.get()
        let_go.set()
        wait(futures, timeout=20)
        writer.stop()
        # What came before the first one was taken may share its commit or not.
        assert measures.commits._value.get() - before <= streams / 32 + 1

    def test_loses_only_what_failed(self):
        writer = Writer(threads=1, group=8)
        let_go = self.held(writer)

        def fail():
            ServerIdentity.objects.update(server="00000000-0000-0000-0000-000000000000")
            raise Refused

        futures = [writer.submit(work) for work in (ServerIdentity.current, fail, count)]
        let_go.set()
        wait(futures, timeout=10)
        writer.stop()
        assert [type(future.exception()) for future in futures] == [
            type(None),
            Refused,
            type(None),
        ]
        assert ServerIdentity.objects.get().server.int != 0

    def test_that_cannot_commit_tells_everyone(self):
        writer = Writer(threads=1, group=8)
        let_go = self.held(writer)

        def break_the_connection():
            ServerIdentity.current()
            connection.close()

        futures = [writer.submit(work) for work in (ServerIdentity.current, break_the_connection)]
        let_go.set()
        wait(futures, timeout=10)
        after = writer.submit(count).result(10)
        writer.stop()
        assert all(future.exception() is not None for future in futures)
        assert after == 0
