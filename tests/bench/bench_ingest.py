"""How many points a second come in until they can be asked for, beside what the machine can do.

    .venv/bin/python tests/bench/bench_ingest.py [--quick]

A real `tidelog up` with one web process and its worker, and four client processes. SQLite, or what
DATABASE_URL names. Everything lies in a temporary directory.
"""

# The tests' helpers are found once the path names them.
# ruff: noqa: E402

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Iterator
from multiprocessing.synchronize import Barrier
from pathlib import Path
from random import Random
from typing import NamedTuple
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.workers.serving import Serving

from tidelog.wire.batch import encode

CLIENTS = 4
KEYS = 10
PROJECT = "ingest"
TRAINING = """
import sys, tidelog
quiet = {"console": False, "system": False, "capture": False}
with tidelog.init(project="ingest", id="offline", **quiet) as run:
    for step in range(int(sys.argv[1])):
        values = {"loss": 1 / (step + 1), "acc": step * 1e-6, "norm": step % 7}
        run.log({**values, "lr": 3e-4, "scale": 0.5})
"""


class Stream(NamedTuple):
    """A client's stream of one run."""

    run: str
    id: str

    @property
    def path(self) -> str:
        return f"/api/v1/runs/{self.run}/streams/{self.id}/records?project={PROJECT}"


def body(start: int, steps: int) -> bytes:
    """Return a batch of `steps` records of all keys, values in single precision."""
    axis = array("d", map(float, range(start, start + steps)))
    times = array("d", [1.79e9 + step / 10 for step in range(start, start + steps)])
    header = {
        "v": 1,
        "from": start,
        "to": start + steps,
        "axes": [steps],
        "records": [],
        "gaps": [],
        "series": [{"key": f"train/metric{k}", "axis": 0, "n": steps} for k in range(KEYS)],
    }
    dice = Random(start)
    noise = array("d", array("f", [dice.random() for _ in range(steps)])).tobytes()
    return encode(header, [(axis.tobytes(), times.tobytes())], [noise] * KEYS)


def client(
    url: str, key: str, streams: list[Stream], batches: int, steps: int, ready: Barrier
) -> None:
    """Send so many batches, to the streams in turn, one after the other as a client does."""
    bodies: list[tuple[str, bytes]] = []
    for turn in range(batches):
        stream, lap = streams[turn % len(streams)], turn // len(streams)
        bodies.append((stream.path, body(1 + lap * steps, steps)))
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=120)
    for stream in streams:
        send(connection, key, stream.path, body(0, 1))
    ready.wait()
    for path, data in bodies:
        send(connection, key, path, data)


def send(connection: http.client.HTTPConnection, key: str, path: str, data: bytes) -> None:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/octet-stream"}
    while True:
        connection.request("POST", path, data, headers)
        response = connection.getresponse()
        said = response.read()
        if response.status == 200:
            return
        if response.status not in (429, 503):
            raise SystemExit(f"the server answered {response.status}: {said[:300]!r}")
        time.sleep(float(response.headers.get("Retry-After", 0.1)))


def ingest(served: Serving, *, points: int, batches: int, runs: int, label: str) -> float:
    """Return how many points a second came in, from the first request to the last answer."""
    dice = Random(label)
    steps = points // KEYS
    ready = multiprocessing.Barrier(CLIENTS + 1)
    workers, streams = [], []
    for number in range(CLIENTS):
        own = [
            Stream(f"{label}-{number}-{i}", f"{dice.getrandbits(128):032x}")
            for i in range(max(1, runs // CLIENTS))
        ]
        streams += own
        arguments = (served.url, served.banner["api_key"], own, batches, steps, ready)
        workers.append(multiprocessing.Process(target=client, args=arguments))
    for worker in workers:
        worker.start()
    ready.wait()
    start, used = time.perf_counter(), cpu(served)
    for worker in workers:
        worker.join()
        if worker.exitcode:
            raise SystemExit("a client failed")
    check(served, streams[0], 1 + steps * -(-batches // max(1, runs // CLIENTS)))
    taken, used = time.perf_counter() - start, cpu(served) - used
    print(
        f"  the web process took {used * 1e3 / (CLIENTS * batches):.2f} ms of CPU a batch, and was"
    )
    print(f"  busy for {used / taken:.0%} of the time")
    return CLIENTS * batches * points / taken


def cpu(served: Serving) -> float:
    """Return the seconds of CPU that the web process has used."""
    times = served.child("web").cpu_times()
    return float(times.user + times.system)


def check(served: Serving, stream: Stream, n: int) -> None:
    """The points of a run can be asked for, all of them."""
    found = served.api(f"/projects/{served.banner['team']}/{PROJECT}/runs/{stream.run}/series")
    if found["series"][0]["n"] != n:
        raise SystemExit(f"{found['series'][0]['n']} points instead of {n}")


def limit_of_sqlite(folder: Path, points: int, batches: int) -> float:
    """Return points/s of the same bodies as bare blobs, a durable commit for every four."""
    database = sqlite3.connect(folder / "limit.sqlite3", isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, payload BLOB)")
    data = body(0, points // KEYS)
    start = time.perf_counter()
    for _ in range(batches):
        database.execute("BEGIN IMMEDIATE")
        for _ in range(CLIENTS):
            database.execute("INSERT INTO t (payload) VALUES (?)", [data])
        database.execute("COMMIT")
    taken = time.perf_counter() - start
    database.close()
    return CLIENTS * batches * points / taken


def upload(served: Serving, steps: int) -> tuple[float, float, float]:
    """Return points/s from a full buffer until queryable, the uploader's MiB, the limit's points/s.

    The limit is reading the segments' bytes and nothing else.
    """
    buffer = served.folder / "offline"
    env = {
        **served.env,
        "TIDELOG_URL": served.url,
        "TIDELOG_API_KEY": served.banner["api_key"],
        "TIDELOG_DIR": str(buffer),
    }
    training = [sys.executable, "-c", TRAINING, str(steps)]
    subprocess.run(training, env={**env, "TIDELOG_MODE": "offline"}, check=True)
    start = time.perf_counter()
    size = sum(len(path.read_bytes()) for path in buffer.rglob("*") if path.is_file())
    limit = time.perf_counter() - start
    start = time.perf_counter()
    sync = [sys.executable, "-m", "tidelog", "sync"]
    subprocess.run(sync, env=env, check=True, capture_output=True)
    check(served, Stream("offline", ""), steps)
    taken = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    show("limit: read the segments", steps * 5 / limit, f"{size / steps / 5:.0f} bytes a point")
    return steps * 5 / taken, memory, steps * 5 / limit


def show(what: str, rate: float, note: str = "") -> None:
    print(f"  {what:<52} {rate:14,.0f} points/s   {note}", flush=True)


def cases(quick: bool) -> Iterator[tuple[int, int, int]]:
    """Yield points a batch, batches a client, and the target."""
    share = 4 if quick else 1
    postgres = "DATABASE_URL" in os.environ
    yield 10_000, 160 // share, 1_000_000 if postgres else 2_000_000
    yield 1_000, 480 // share, 800_000
    yield 100, 1_200 // share, 120_000


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", type=Path, help="a file for the curve over open runs")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="tidelog-bench-"))
    more = {name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL") if name in os.environ}
    database = "Postgres" if "DATABASE_URL" in more else "SQLite"
    print(f"ingest, {CLIENTS} clients, one web process, {database}, {KEYS} keys a batch")
    try:
        with Serving(folder, **more) as served:
            for points, batches, target in cases(given.quick):
                rate = ingest(served, points=points, batches=batches, runs=4, label=f"b{points}")
                show(f"batches of {points:,} points", rate, f"target {target:,}")
                show("limit: the same as bare SQLite blobs", limit_of_sqlite(folder, points, 50))
                (folder / "limit.sqlite3").unlink()
            steps = 20_000 if given.quick else 200_000
            rate, memory, _ = upload(served, steps)
            show("buffered segments through the uploader", rate, "target 300,000")
            print(f"  {'peak memory of the uploader':<52} {memory:14.0f} MiB        target 150")
            curve = {}
            for runs in (4, 100) if given.quick else (4, 10, 100, 1_000):
                batches = max(200 if given.quick else 400, 2 * runs // CLIENTS)
                rate = ingest(served, points=1_000, batches=batches, runs=runs, label=f"open{runs}")
                curve[runs] = rate
                show(f"batches of 1,000 points, {runs:,} open runs", rate)
        if given.json:
            given.json.write_text(json.dumps(curve))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
