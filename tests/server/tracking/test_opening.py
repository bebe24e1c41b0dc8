"""Several processes that open the same new run at the same moment."""

import threading
import time

import pytest
from django.db import connection, transaction
from tests.server.factories import a_project, a_run

from tidelog_server.tracking.models import Run
from tidelog_server.tracking.services.runs import open_run, take_rev

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time"),
]


class Opener(threading.Thread):
    """Opens a run that somebody else opened after it had looked, and changes it."""

    def __init__(self, project):
        super().__init__(daemon=True)
        self.project = project
        self.error = None

    def run(self):
        try:
            with transaction.atomic():
                run = open_run(project=self.project, run_id="run1", author=None, run_file={})
                run.rev = take_rev(self.project.pk)
                run.save()
        except Exception as error:
            self.error = error
        finally:
            connection.close()


def waits_for_a_lock():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        return cursor.fetchone()[0] > 0


class TestTwoOpeners:
    def test_of_a_run_do_not_wait_for_each_other(self):
        project = a_project()
        run = a_run(project, "run1")
        second = Opener(project)
        with transaction.atomic():
            Run.objects.select_for_update().get(pk=run.pk)
            second.start()
            deadline = time.monotonic() + 20
            while not waits_for_a_lock() and time.monotonic() < deadline:
                time.sleep(0.01)
            take_rev(project.pk)
        second.join(20)
        assert second.error is None
        run.refresh_from_db()
        assert run.rev == 2
