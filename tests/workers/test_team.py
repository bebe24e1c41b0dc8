"""The team deployment: two web processes and a worker on one Postgres and one Redis."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
import pytest
from tests.with_services import postgres, redis
from tests.workers.serving import COMMAND, Serving, until
from tests.workers.test_live import frames, opened, resume, send


@pytest.fixture(scope="module")
def services():
    # Not in pytest's folder, which only its owner can enter: Postgres is a user of its own.
    with (
        tempfile.TemporaryDirectory(prefix="tidelog-test-") as folder,
        postgres(Path(folder)) as database,
        redis(Path(folder)) as broker,
    ):
        yield {"DATABASE_URL": database, "REDIS_URL": broker, "TIDELOG_SECRET_KEY": "shared" * 9}


@pytest.fixture(scope="module")
def webs(services, tmp_path_factory):
    one, two = (tmp_path_factory.mktemp(name) for name in ("one", "two"))
    with (
        Serving(one, "--no-worker", **services) as first,
        Serving(two, "--no-worker", **services) as second,
    ):
        yield first, second


@contextmanager
def worker(served: Serving) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-c", COMMAND, "worker"], env=served.env)
    yield
    process.terminate()
    assert process.wait(60) == 0


class TestTwoWebProcesses:
    def test_start_no_broker_of_their_own(self, webs):
        assert all(set(web.banner["pids"]) == {"supervisor", "web"} for web in webs)

    def test_know_each_other_s_keys(self, webs):
        first, second = webs
        assert second.get("/api/v1/me", key=first.banner["api_key"])[0] == 200

    def test_show_points_that_the_other_has_stored(self, webs):
        first, second = webs
        send(first, "r1", 0, 1)
        with opened(second) as line:
            resume(line)

            def shown() -> bool:
                at = first.api(f"/projects/{first.banner['team']}/tides/runs/r1/series")
                send(first, "r1", at["series"][0]["n"], 1)
                return any(header["kind"] == "points" for header, _ in frames(line))

            until(shown, "points come through Redis")


class TestWorkerOfTheTeam:
    def test_reaps_what_fell_silent(self, webs, services):
        first, second = webs
        send(first, "silent", 0, 1)
        with closing(psycopg2.connect(services["DATABASE_URL"])) as database, database:
            database.cursor().execute(
                "UPDATE tracking_run SET heard_at = '2020-01-01Z' WHERE run_id = 'silent'"
            )
        path = f"/projects/{second.banner['team']}/tides/runs/silent"
        with worker(first):
            until(lambda: second.api(path)["state"] == "crashed", "the run is marked as crashed")
