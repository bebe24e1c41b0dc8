"""How long a start takes to the first page; what the tree weighs, idle and after many points.

    .venv/bin/python tests/bench/bench_start.py

Beside it, the least that is possible with these libraries: a process that only imports them.
"""

import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import closing
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.workers.serving import Serving, until
from tests.workers.test_live import send

STARTS = 3
IMPORTS = "import django, rest_framework, channels, numpy, orjson, structlog, uvicorn, uvloop"
TARGET_SECONDS = 5.0
TARGET_MEGABYTES, TARGET_AFTER = 300, 400
POINTS, BATCH = 1_000_000, 10_000


def start_to_first_page(folder: Path, *, weigh: bool = False) -> float:
    """Start the server and return the seconds until the sign-in page was read whole."""
    begin = time.perf_counter()
    with Serving(folder) as served:
        with urllib.request.urlopen(f"{served.url}/login") as page:
            page.read()
        seconds = time.perf_counter() - begin
        if weigh:
            print_weights(served)
    return seconds


def print_weights(served: Serving) -> None:
    until(lambda: served.child("worker").num_threads() > 3, "the worker works")
    time.sleep(3)
    print_weight(served, "idle tree", TARGET_MEGABYTES)
    for start in range(0, POINTS, BATCH):
        send(served, "heavy", start, BATCH)
    until(lambda: compacted(served), "the points are compacted")
    print_weight(served, "after 1,000,000", TARGET_AFTER)


def compacted(served: Serving) -> bool:
    path = served.folder / "data" / "tidelog.sqlite3"
    with closing(sqlite3.connect(path, timeout=20)) as database:
        (left,) = database.execute("SELECT count(*) FROM metrics_batch").fetchone()
    return int(left) < 64


def print_weight(served: Serving, when: str, target: int) -> None:
    names = {pid: name for name, pid in served.banner["pids"].items()}
    shares = {names[each.pid]: megabytes(each) for each in served.processes() if each.pid in names}
    parts = ", ".join(f"{name} {share:.0f}" for name, share in shares.items())
    total = sum(map(megabytes, served.processes()))
    print(f"{when:<20} {total:6.0f} MB PSS  ({parts}; target {target})")


def megabytes(process: psutil.Process) -> float:
    return float(process.memory_full_info().pss) / 1e6


def least() -> float:
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", IMPORTS], check=True)
    return time.perf_counter() - begin


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="tidelog-bench-") as folder:
        first = start_to_first_page(Path(folder), weigh=True)
        later = sorted(start_to_first_page(Path(folder)) for _ in range(STARTS))
    print(f"first start          {first:6.2f} s  (makes the database and the static files)")
    print(f"second start         {later[STARTS // 2]:6.2f} s  (target {TARGET_SECONDS:g})")
    print(f"imports alone        {least():6.2f} s  (what no start can be faster than)")


if __name__ == "__main__":
    main()
