"""How fast charts are, by the store and over HTTP, beside what the machine could do at best.

    .venv/bin/python tests/bench/bench_chart.py [--quick] [--json curve.json]

Everything lies in a temporary directory; DATABASE_URL is obeyed. `--quick` leaves out the ten
million points and measures fewer times.
"""

# Django must know where to keep its data before anything of the server is imported.
# ruff: noqa: E402

from __future__ import annotations

import argparse
import atexit
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

os.environ["DJANGO_SETTINGS_MODULE"] = "tidelog_server.settings"
os.environ["TIDELOG_DATA_DIR"] = tempfile.mkdtemp(prefix="tidelog-bench-")
atexit.register(shutil.rmtree, os.environ["TIDELOG_DATA_DIR"])

import django

django.setup()

import numpy as np
from django.core.management import call_command
from django.db import transaction
from django.db.models import Sum
from django.db.models.functions import Length

from tidelog_server.accounts import services as accounts
from tidelog_server.metrics.columns import Axis, Columns, SeriesColumn
from tidelog_server.metrics.models import Batch, Chunk
from tidelog_server.metrics.store import store
from tidelog_server.metrics.values import RunAxis, Window
from tidelog_server.tracking import services as tracking
from tidelog_server.tracking.models import Project, Run
from tidelog_server.tracking.services.runs import open_run

WIDTH = 1_000
BATCH = 20_000
TAIL = 2_000
KEY = "train/loss"


class Bench:
    """A project with runs in it, and the key of someone who may read them."""

    def __init__(self) -> None:
        call_command("migrate", verbosity=0)
        owner = accounts.create_user(email="bench@example.org", name="Bench")
        team = accounts.create_team(slug="bench", owner=owner)
        self.key = accounts.create_key(team=team, user=owner, scopes=["read"])[1]
        self.project: Project = tracking.create_project(team=team, slug="charts")
        self.merged = 0
        self.seconds = 0.0

    def run(self, name: str, n: int) -> Run:
        """Return a run of `n` points, all but the last few compacted."""
        with transaction.atomic():
            run = open_run(project=self.project, run_id=name, author=None, run_file={})
        for start in range(0, n - TAIL, BATCH):
            self._append(run, start, min(BATCH, n - TAIL - start))
            if start % (BATCH * 50) == BATCH * 49:
                self._compact(run)
        self._compact(run)
        for start in range(n - TAIL, n, 100):
            self._append(run, start, 100)
        return run

    def _append(self, run: Run, start: int, n: int) -> None:
        steps = np.arange(start, start + n, dtype=float)
        values = loss(steps)
        times = np.round(1.79e9 + steps / 10 + np.random.default_rng(start).random(n) / 50, 3)
        columns = Columns((Axis(steps, times),), (SeriesColumn(KEY, 0, values),))
        with transaction.atomic():
            store.append(
                run_id=run.pk, stream="ab" * 16, start=start, end=start + n, columns=columns
            )

    def _compact(self, run: Run) -> None:
        start = time.perf_counter()
        self.merged += store.compact(run.pk, force=True)
        self.seconds += time.perf_counter() - start


def loss(steps: Any) -> Any:
    """Return a noisy curve as a model in single precision logs it."""
    noise = np.random.default_rng(int(steps[0])).normal(scale=0.05, size=len(steps))
    return (np.exp(-steps / 3e5) + noise).astype("f4").astype(float)


def measured(times: int, work: Callable[[], object]) -> tuple[float, float]:
    """Return the median and the 95th percentile in milliseconds."""
    work()
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append((time.perf_counter() - start) * 1e3)
    return float(np.median(taken)), float(np.percentile(taken, 95))


def show(what: str, taken: tuple[float, float], note: str = "") -> None:
    print(f"  {what:<52} p50 {taken[0]:8.2f} ms   p95 {taken[1]:8.2f} ms   {note}")


@contextmanager
def server() -> Iterator[http.client.HTTPConnection]:
    """Run the real server in a process of its own, and yield a connection to it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "tidelog_server.asgi:application"]
    options = ["--port", str(port), "--log-level", "warning", "--lifespan", "off"]
    process = subprocess.Popen([*command, *options], stdout=subprocess.DEVNULL)
    try:
        yield _connected(port)
    finally:
        process.terminate()
        process.wait(timeout=20)


def _connected(port: int) -> http.client.HTTPConnection:
    deadline = time.monotonic() + 30
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("GET", "/healthz")
            connection.getresponse().read()
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return connection


def asks(bench: Bench, connection: http.client.HTTPConnection, runs: list[Run]) -> int:
    body = {"key": KEY, "runs": [run.run_id for run in runs], "x": "step", "width": WIDTH}
    headers = {
        "Authorization": f"Bearer {bench.key}",
        "Content-Type": "application/json",
        "Accept": "application/octet-stream",
    }
    connection.request(
        "POST", "/api/v1/projects/bench/charts/chart", json.dumps(body).encode(), headers
    )
    response = connection.getresponse()
    data = response.read()
    if response.status != 200:
        raise SystemExit(f"the server answered {response.status}: {data[:300]!r}")
    return len(data)


def curve(bench: Bench, times: int, *, quick: bool) -> dict[int, float]:
    """Show how long a chart of one run takes, by its points; return its milliseconds of CPU.

    They are less disturbed by whatever else the machine does.
    """
    sizes = [10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 6_000_000, 10_000_000]
    taken = {}
    for n in sizes[:5] if quick else sizes:
        axes = [RunAxis(bench.run(f"curve{n}", n).pk)]
        used = time.process_time()
        found = measured(times, lambda: store.chart(key=KEY, runs=axes, width=WIDTH))  # noqa: B023
        cpu = (time.process_time() - used) * 1e3 / (times + 1)
        show(f"curve: 1 run x {n:,}", found, f"CPU {cpu:.2f} ms")
        taken[n] = cpu
    return taken


def limits(runs: int, n: int, times: int) -> None:
    """Show what reading and reducing that many points costs without any store."""
    arrays = [np.random.default_rng(i).normal(size=n) for i in range(runs)]
    starts = np.arange(0, n, max(n // WIDTH, 1))
    reduced = measured(
        times,
        lambda: [(np.minimum.reduceat(a, starts), np.maximum.reduceat(a, starts)) for a in arrays],
    )
    show(f"limit: numpy min and max of {runs} x {n:,} in memory", reduced)
    path = Path(os.environ["TIDELOG_DATA_DIR"]) / "limit.bin"
    path.write_bytes(b"".join(a.tobytes() for a in arrays))
    show("limit: read the same as float64 from a cached file", measured(times, path.read_bytes))
    path.unlink()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", type=Path, help="a file for the curve")
    given = parser.parse_args()
    quick = given.quick
    times = 20 if quick else 100
    bench = Bench()
    cases = [
        ("10 runs x 100,000", [bench.run(f"ten{i}", 100_000) for i in range(10)], (15, 60)),
        ("1 run x 1,000,000", [bench.run("million", 1_000_000)], (10, 40)),
    ]
    if not quick:
        cases.append(("1 run x 10,000,000", [bench.run("ten-million", 10_000_000)], (10, 40)))
    print(f"charts to {WIDTH} px, the last {TAIL:,} points of each run not yet compacted")
    with server() as connection:
        for name, runs, (store_target, http_target) in cases:
            axes = [RunAxis(run.pk) for run in runs]
            read = measured(times, lambda: store.chart(key=KEY, runs=axes, width=WIDTH))  # noqa: B023
            show(f"{name}: store", read, f"target {store_target}")
            zoom = Window(40_000, 60_000)
            zoomed = measured(
                times,
                lambda: store.chart(key=KEY, runs=axes, window=zoom, width=WIDTH),  # noqa: B023
            )
            show(f"{name}: store, 20,000 steps of it", zoomed, f"target {store_target}")
            connection.close()  # the server has given it up meanwhile; it opens by itself
            taken = measured(times, lambda: asks(bench, connection, runs))  # noqa: B023
            show(f"{name}: HTTP", taken, f"target {http_target}")
    taken_by_size = curve(bench, times, quick=quick)
    if given.json:
        given.json.write_text(json.dumps(taken_by_size))
    limits(10, 100_000, times)
    limits(1, 1_000_000, times)
    stored = Chunk.objects.aggregate(size=Sum(Length("payload")))["size"]
    waiting = Batch.objects.aggregate(size=Sum(Length("payload")), n=Sum("n"))
    print(f"  compacted: {stored / bench.merged:.2f} bytes a point (target 7)")
    print(f"  waiting for compaction: {waiting['size'] / waiting['n']:.1f} bytes a point")
    print(f"  compaction: {bench.merged / bench.seconds / 1e6:.2f} million points/s")


if __name__ == "__main__":
    main()
