"""How long a logged value takes from `log()` to the socket of an open page.

    .venv/bin/python tests/bench/bench_live.py

A training in a process of its own logs the time of day; the page's end of the socket reads it.
Beside it, what one request to the same server takes: the least that sending can cost.
"""

import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.workers.serving import Serving
from tests.workers.test_live import frames, opened, resume, send

VALUES = 200
TARGET_MEDIAN, TARGET_P95 = 500, 1000
TRAINING = f"""
import time, tidelog
with tidelog.init(project="tides", console=False, system=False, capture=False) as run:
    for step in range({VALUES}):
        time.sleep(0.05)
        run.log({{"sent": time.time()}}, step=step)
"""


def delays(line: Any) -> Iterator[float]:
    """Yield, for each value as it arrives, how many milliseconds ago it was logged."""
    while True:
        for header, columns in frames(line):
            now = time.time()
            for series in header.get("series", []) if header["kind"] == "points" else []:
                if series["key"] == "sent":
                    values = array("d", bytes(columns))[-series["n"] :]
                    yield from ((now - value) * 1000 for value in values)


def measure(served: Serving) -> list[float]:
    send(served, "opens-the-project", 0, 1)
    env = {
        **served.env,
        "TIDELOG_URL": served.url,
        "TIDELOG_API_KEY": served.banner["api_key"],
        "TIDELOG_DIR": str(served.folder / "buffer"),
    }
    with opened(served) as line:
        resume(line)
        training = subprocess.Popen([sys.executable, "-c", TRAINING], env=env)
        arriving = delays(line)
        found = sorted(next(arriving) for _ in range(VALUES))
        training.wait()
    return found


def request(served: Serving) -> float:
    begin = time.perf_counter()
    served.get("/healthz")
    return (time.perf_counter() - begin) * 1000


def main() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="tidelog-bench-") as folder,
        Serving(Path(folder)) as served,
    ):
        found = measure(served)
        least = sorted(request(served) for _ in range(100))[50]
    print(f"log() to socket, median  {found[VALUES // 2]:7.1f} ms  (target {TARGET_MEDIAN})")
    print(f"log() to socket, p95     {found[VALUES * 95 // 100]:7.1f} ms  (target {TARGET_P95})")
    print(f"log() to socket, longest {found[-1]:7.1f} ms")
    print(f"one bare request         {least:7.1f} ms")


if __name__ == "__main__":
    main()
