"""Postgres and Redis killed and restarted while trainings log."""

import signal
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
from tests.faults.training import Training
from tests.with_services import find_program, postgres, redis
from tests.workers.serving import Serving, until
from tests.workers.test_live import frames, opened, resume, send

STEPS = 20_000
SERVICES = ("DATABASE_URL", "REDIS_URL", "TIDELOG_SECRET_KEY")


class Service:
    """A server of this machine, by its port, that can be killed and started again."""

    def __init__(self, url: str, *start: str) -> None:
        self._port = urlsplit(url).port
        self._start = start
        self._again: subprocess.Popen[bytes] | None = None
        self._user = self._main().username()

    def _main(self) -> psutil.Process:
        found: psutil.Process = until(self._listening, f"a server on port {self._port}")
        return found

    def _listening(self) -> psutil.Process | None:
        for each in psutil.net_connections("tcp4"):
            if each.status == psutil.CONN_LISTEN and each.laddr.port == self._port:
                return psutil.Process(each.pid)
        return None

    def kill(self) -> None:
        main = self._main()
        family = [main, *main.children(recursive=True)]
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(family, timeout=30)
        if self._again is not None:
            self._again.wait(30)

    def start(self) -> None:
        out = subprocess.DEVNULL
        argv = [word.format(port=self._port) for word in self._start]
        self._again = subprocess.Popen(argv, user=self._user, stdout=out, stderr=out)

    def __enter__(self) -> "Service":
        return self

    def __exit__(self, *_: object) -> None:
        if self._again is not None:
            self._again.send_signal(signal.SIGINT)
            self._again.wait(60)


@pytest.fixture(scope="module")
def database(served, folder):
    program = find_program("postgres", beside="usr/lib/postgresql/*/bin")
    data = str(folder / "postgres")
    place = ("-D", data, "-p", "{port}", "-h", "127.0.0.1", "-k", data, "-c", "fsync=off")
    with Service(served.env["DATABASE_URL"], program, *place) as service:
        yield service


@pytest.fixture(scope="module")
def broker(served):
    words = ("--port", "{port}", "--bind", "127.0.0.1", "--save", "")
    with Service(served.env["REDIS_URL"], find_program("redis-server"), *words) as service:
        yield service


@pytest.fixture(scope="module")
def folder():
    # Not in pytest's folder, which only its owner can enter: Postgres is a user of its own.
    with tempfile.TemporaryDirectory(prefix="tidelog-test-") as made:
        yield Path(made)


@pytest.fixture(scope="module")
def served(folder, tmp_path_factory):
    with postgres(folder) as database, redis(folder) as broker:
        services = dict(zip(SERVICES, (database, broker, "shared" * 9), strict=True))
        with Serving(tmp_path_factory.mktemp("team"), **services) as serving:
            yield serving


@pytest.fixture
def training(served, request):
    made = Training(served, request.cls.__name__, steps=STEPS)
    yield made
    made.kill(tree=True)


def told(line) -> list[object]:
    """The totals that the next message tells."""
    return [header.get("series") for header, _ in frames(line) if header["kind"] == "hello"]


@pytest.mark.timeout(240)
class TestPostgres:
    def test_killed_and_restarted_costs_no_point(self, served, training, database):
        until(training.stored, "some of it is stored")
        database.kill()
        assert served.get("/healthz")[0] == 200
        assert served.get("/readyz")[0] == 503
        database.start()
        training.ends()
        until(training.is_whole, "everything is stored")
        assert training.promised == STEPS
        until(lambda: training.row()["state"] == "finished", "the run is finished")


@pytest.fixture
def elsewhere(served, tmp_path):
    """Another web process of the same team, on which a page is open."""
    services = {name: served.env[name] for name in SERVICES}
    with Serving(tmp_path, "--no-worker", **services) as other:
        yield other


@pytest.mark.timeout(240)
class TestRedis:
    def test_killed_costs_a_page_that_another_process_serves_ten_seconds_at_most(
        self, served, elsewhere, broker
    ):
        send(served, "seen", 0, 1)
        with opened(elsewhere) as line:
            resume(line)
            broker.kill()
            send(served, "seen", 1, 5)
            stored = {"seen": {"loss": 6}}
            until(lambda: stored in told(line), "the page is right again", patience=10)
            broker.start()

    def test_killed_costs_nothing_while_it_is_away(self, served, training, broker):
        broker.kill()
        training.ends()
        until(training.is_whole, "everything is stored without Redis")
        until(lambda: training.row()["state"] == "finished", "the run is finished")
        broker.start()
        assert served.get("/readyz")[0] == 200
