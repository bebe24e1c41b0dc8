"""Tasks by their names, done by real workers on real brokers."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psutil
import pytest
from tests.workers.serving import COMMAND, Serving, environment, until

from tidelog_server.core.jobs import Job
from tidelog_workers.app import TICKS, app
from tidelog_workers.supervisor.broker import broker_url

PROGRAM = shutil.which("redis-server") or shutil.which("valkey-server")


class TestNames:
    def test_every_job_has_its_task_and_every_task_its_job(self):
        app.loader.import_default_modules()
        tasks = {name for name in app.tasks if not name.startswith("celery.")}
        assert tasks == {job.value for job in Job}

    def test_every_tick_expires_before_the_next_heap_up(self):
        assert set(TICKS) <= set(Job)
        for entry in app.conf.beat_schedule.values():
            assert entry["options"]["expires"] == entry["schedule"].run_every.total_seconds()

    @pytest.mark.parametrize("job", list(Job))
    def test_every_job_goes_to_its_own_queue(self, job):
        assert app.conf.task_routes[job.value] == {"queue": job.queue}


class TestSettings:
    def test_take_json_only(self):
        assert app.conf.task_serializer == "json"
        assert app.conf.accept_content == ["json"]

    def test_give_a_task_back_that_was_lost_with_its_worker(self):
        assert app.conf.task_acks_late
        assert app.conf.task_reject_on_worker_lost
        assert app.conf.worker_prefetch_multiplier == 1


RING = """
import sys, django
django.setup()
from tidelog_server.core import jobs
for name in sys.argv[1:]:
    jobs.ring(jobs.Job(name))
jobs._bells().join()
"""


@pytest.fixture(params=["redis", "files"])
def served(request, tmp_path):
    """A server whose worker hears of jobs through a Redis of its own, or through files."""
    if request.param == "redis" and PROGRAM is None:
        pytest.skip("no Redis found")
    (tmp_path / "bin").mkdir()
    path = os.environ["PATH"] if request.param == "redis" else str(tmp_path / "bin")
    with Serving(tmp_path, PATH=path) as serving:
        yield serving


def ring(served: Serving, *jobs: Job) -> None:
    """Ring for jobs from a process of its own, as the web does."""
    env = {**served.env, "TIDELOG_DATA_DIR": served.banner["data_dir"]}
    if "broker" in served.banner["pids"]:
        env["TIDELOG_BROKER_URL"] = broker_url(served.folder / "data")
    env["DJANGO_SETTINGS_MODULE"] = "tidelog_server.settings"
    subprocess.run([sys.executable, "-c", RING, *jobs], env=env, check=True)


def log(served: Serving, run: str, batches: int, *, keys: int = 1) -> None:
    """Send a run in so many batches of one point each, or one for each of several keys."""
    names = ["loss", *(f"key/{number}" for number in range(1, keys))]
    for at in range(batches):
        record = [at, 1, {"t": at, "n": at, "s": at, "d": dict.fromkeys(names, 1.0)}]
        body = {"v": 1, "from": at, "to": at + 1, "records": [record]}
        path = f"/api/v1/runs/{run}/streams/{'0' * 32}/records?project=jobs"
        request = urllib.request.Request(served.url + path, json.dumps(body).encode())
        request.add_header("Authorization", f"Bearer {served.banner['api_key']}")
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request) as answer:
            assert answer.status == 200


@contextmanager
def database(served: Serving):
    with closing(sqlite3.connect(served.folder / "data" / "tidelog.sqlite3", 20)) as opened:
        yield opened


@contextmanager
def working(served: Serving) -> Iterator[psutil.Process]:
    """Run a worker beside the server, and kill it -9 in the end."""
    words = ("worker", "--data-dir", served.banner["data_dir"])
    with subprocess.Popen([sys.executable, "-c", COMMAND, *words], env=served.env) as process:
        yield psutil.Process(process.pid)
        process.kill()


class TestWorker:
    def test_marks_a_run_as_crashed_that_fell_silent(self, served):
        log(served, "r1", 1)
        with database(served) as opened, opened:
            opened.execute("UPDATE tracking_run SET heard_at = '2020-01-01 00:00:00'")
        ring(served, Job.REAP_SILENT_RUNS)
        path = f"/projects/{served.banner['team']}/jobs/runs/r1"
        until(lambda: served.api(path)["state"] == "crashed", "the run is marked as crashed")

    def test_compacts_a_run_of_many_batches_and_loses_none_of_its_points(self, served):
        log(served, "r1", 70)
        ring(served, Job.COMPACT_DUE_RUNS, Job.COMPACT_DUE_RUNS)

        def batches() -> int:
            with database(served) as opened:
                return int(opened.execute("SELECT count(*) FROM metrics_batch").fetchone()[0])

        until(lambda: batches() == 0, "the batches are compacted")
        path = f"/projects/{served.banner['team']}/jobs/runs/r1/points?key=loss"
        assert [step for step, *_ in served.api(path)["points"]] == list(range(70))


@pytest.mark.timeout(240)
class TestWorkerKilledInTheMiddleOfATask:
    """Its lease ends, the worker that follows finds the row, and the work is done once."""

    def test_leaves_nothing_undone_and_nothing_done_twice(self, tmp_path):
        keys, batches = 800, 66
        with Serving(tmp_path, "--no-worker") as served:
            log(served, "r1", batches, keys=keys)
            with working(served) as worker:
                until(lambda: self.is_in_the_middle(served, worker), "the run is half compacted")
            with database(served) as opened, opened:
                opened.execute("UPDATE metrics_upkeep SET leased_until = '2020-01-01 00:00:00'")
            with working(served):
                ring(served, Job.COMPACT_DUE_RUNS, Job.COMPACT_DUE_RUNS)
                until(lambda: self.left(served)[0] == 0, "the batches are compacted")
            path = f"/projects/{served.banner['team']}/jobs/runs/r1"
            assert {each["n"] for each in served.api(f"{path}/series")["series"]} == {batches}
            for key in ("loss", f"key/{keys - 1}"):
                points = served.api(f"{path}/points?key={key}")["points"]
                assert [step for step, *_ in points] == list(range(batches))

    def is_in_the_middle(self, served: Serving, worker: psutil.Process) -> bool:
        """Stop the worker if it is; else let it go on."""
        worker.suspend()
        batches, chunks = self.left(served)
        if batches and chunks:
            return True
        assert batches, "the worker was too quick to be caught"
        worker.resume()
        return False

    def left(self, served: Serving) -> tuple[int, int]:
        with database(served) as opened:
            counts = [
                opened.execute(f"SELECT count(*) FROM metrics_{table}").fetchone()[0]
                for table in ("batch", "chunk")
            ]
        return int(counts[0]), int(counts[1])


class TestRing:
    def test_without_a_broker_says_so_and_goes_on(self, tmp_path):
        env = environment(
            tmp_path,
            TIDELOG_DATA_DIR=str(tmp_path / "data"),
            TIDELOG_BROKER_URL=f"redis+socket://{tmp_path}/nobody.sock",
            DJANGO_SETTINGS_MODULE="tidelog_server.settings",
        )
        done = subprocess.run(
            [sys.executable, "-c", RING, Job.COMPACT_DUE_RUNS],
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0
        assert "left to the next tick" in done.stderr
