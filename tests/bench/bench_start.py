"""How long a start takes to the first page, and what the idle tree weighs.

    .venv/bin/python tests/bench/bench_start.py

Beside it, the least that is possible with these libraries: a process that only imports them.
"""

import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.workers.serving import Serving, until

STARTS = 3
IMPORTS = "import django, rest_framework, channels, numpy, orjson, structlog, uvicorn, uvloop"
TARGET_SECONDS = 5.0
TARGET_MEGABYTES = 300


def start_to_first_page(folder: Path, *, weigh: bool = False) -> float:
    """Start the server and return the seconds until the sign-in page was read whole."""
    begin = time.perf_counter()
    with Serving(folder) as served:
        with urllib.request.urlopen(f"{served.url}/login") as page:
            page.read()
        seconds = time.perf_counter() - begin
        if weigh:
            print_weight(served)
    return seconds


def print_weight(served: Serving) -> None:
    until(lambda: served.child("worker").num_threads() > 3, "the worker works")
    time.sleep(3)
    names = {pid: name for name, pid in served.banner["pids"].items()}
    shares = {names[each.pid]: megabytes(each) for each in served.processes() if each.pid in names}
    parts = ", ".join(f"{name} {share:.0f}" for name, share in shares.items())
    total = sum(map(megabytes, served.processes()))
    print(f"idle tree            {total:6.0f} MB PSS  ({parts}; target {TARGET_MEGABYTES})")


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
