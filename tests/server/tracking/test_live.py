"""What watchers of a run are sent once something is stored."""

import numpy as np
import pytest
from tests.server.factories import a_batch, a_caller, a_stream_id, metrics, opening

from tidelog.wire.batch import split_container
from tidelog_server.core import bus
from tidelog_server.core.errors import Conflict
from tidelog_server.tracking import services

pytestmark = pytest.mark.django_db(transaction=True)


class Watcher:
    """Someone who looks at a topic."""

    def __init__(self):
        self.frames = []

    def __call__(self, topic, frame):
        self.frames.append(split_container(frame))

    @property
    def kinds(self):
        return [header["kind"] for header, _ in self.frames]


@pytest.fixture(params=["project", "run"])
def watcher(request, people):
    watcher, topic = Watcher(), getattr(people, request.param).topic
    bus.listen(topic, watcher)
    yield watcher
    bus.unlisten(topic, watcher)


@pytest.fixture
def send(people):
    stream = a_stream_id()
    caller = a_caller(people.team, scopes=["ingest"])

    def send(start, *records):
        return services.ingest_batch(
            caller=caller,
            project_name="fish",
            run_id="run1",
            stream_id=stream,
            batch=a_batch(start, *records),
        )

    return send


class TestAWatcher:
    def test_is_sent_the_points_and_the_row(self, watcher, send):
        send(0, opening(), metrics(1, loss=4.0, acc="NaN"), metrics(2, loss=3.0))
        assert sorted(watcher.kinds) == ["points", "run"]

    def test_is_told_where_the_points_belong(self, watcher, send):
        send(0, metrics(1, loss=4.0), metrics(2, loss=3.0))
        send(2, metrics(3, loss=2.0))
        frames = [frame for frame in watcher.frames if frame[0]["kind"] == "points"]
        header, columns = frames[1]
        assert (header["run"], header["axes"]) == ("run1", [1])
        assert header["series"] == [{"key": "loss", "axis": 0, "n": 1, "total": 3}]
        assert np.frombuffer(columns, "<f8").tolist() == [3.0, 1_750_000_003.0, 2.0]

    def test_is_shown_the_row_as_the_api_shows_it(self, watcher, send):
        send(0, metrics(1, loss="Infinity"))
        row = next(header["run"] for header, _ in watcher.frames if header["kind"] == "run")
        assert (row["id"], row["rev"], row["summary"]) == ("run1", 1, {"loss": "Infinity"})

    def test_is_sent_nothing_twice(self, watcher, send):
        send(0, metrics(1, loss=4.0))
        seen = len(watcher.frames)
        send(0, metrics(1, loss=4.0))
        assert len(watcher.frames) == seen

    def test_is_sent_nothing_that_was_refused(self, watcher, send):
        with pytest.raises(Conflict):
            send(7, metrics(1, loss=4.0))
        assert watcher.frames == []

    def test_is_told_of_edits_and_of_the_end(self, watcher, people):
        services.edit_run(run=people.run, changes={"name": "new"})
        services.delete_run(run=people.run)
        assert watcher.kinds == ["run", "gone"]
        assert watcher.frames[-1][0] == {"kind": "gone", "run": "run1", "rev": 2}

    def test_makes_the_uploader_send_sooner(self, watcher, send):
        assert send(0, metrics(1, loss=4.0)).watched

    def test_that_breaks_breaks_nothing_else(self, people, send):
        def broken(topic, frame):
            raise RuntimeError

        bus.listen(people.run.topic, broken)
        assert send(0, metrics(1, loss=4.0)).next == 1
        bus.unlisten(people.run.topic, broken)


def test_nobody_watching_is_said_so(send):
    assert not send(0, metrics(1, loss=4.0)).watched
