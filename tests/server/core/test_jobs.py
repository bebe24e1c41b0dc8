"""Jobs by name."""

import pytest
from django.db import transaction

from tidelog_server.core import jobs
from tidelog_server.core.jobs import Job, ring


@pytest.fixture
def asked(monkeypatch):
    """What reaches the bell-ringer, in place of a thread and a broker."""
    rung: list[tuple[Job, dict[str, object]]] = []
    monkeypatch.setattr(jobs, "_ask", lambda job, arguments: rung.append((job, arguments)))
    return rung


class TestJob:
    @pytest.mark.parametrize("job", list(Job))
    def test_name_begins_with_its_queue(self, job):
        assert job.queue in {"control", "io"}


@pytest.mark.django_db(transaction=True)
class TestRing:
    def test_waits_for_the_commit(self, asked):
        with transaction.atomic():
            ring(Job.COMPACT_RUN, run_id="a")
            assert asked == []
        assert asked == [(Job.COMPACT_RUN, {"run_id": "a"})]

    def test_is_forgotten_with_the_transaction(self, asked):
        with transaction.atomic():
            ring(Job.COMPACT_RUN, run_id="a")
            transaction.set_rollback(True)
        assert asked == []

    def test_does_not_raise_when_too_many_wait(self, monkeypatch, caplog):
        full = jobs.queue.Queue(1)
        full.put((Job.COMPACT_RUN, {}))
        monkeypatch.setattr(jobs, "_bells", lambda: full)
        ring(Job.COMPACT_RUN, run_id="a")
        assert "left to the next tick" in caplog.text
