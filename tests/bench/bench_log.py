"""What `log()` costs, beside one JSON line by write(2) in the same process.

.venv/bin/python tests/bench/bench_log.py

The last column leaves out the calls in whose middle the kernel gave the processor to somebody
else: what is left is ours (locks, flushes, the collector), the rest is the machine's.
"""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

CALLS = 20_000
POINTS = 5 * CALLS


class Taken(NamedTuple):
    """Nanoseconds: of every call, the shortest first; and of the longest that was undisturbed."""

    calls: list[int]
    ours: int


def main() -> None:
    directory = Path(tempfile.mkdtemp(prefix="tidelog-bench-"))
    try:
        os.environ["TIDELOG_CONFIG_DIR"] = str(directory / "config")
        os.environ["TIDELOG_DIR"] = str(directory / "buffer")
        print(
            f"{'':34}{'median':>10}{'p99':>10}{'max':>10}{'ours':>10}   "
            f"us a call, {CALLS} calls of 5 scalars"
        )
        report("one JSON line by write(2)", json_lines(directory))
        report("run.log, offline", logged("offline"), target="12 / 100 / 5000")
        os.environ.update(TIDELOG_URL="http://127.0.0.1:9", TIDELOG_API_KEY="none")
        report("run.log, online, server down", logged("online"), target="12 / 100 / 5000")
        size = disk(directory / "buffer" / "v1" / "runs" / "offline")
        print(f"\ndisk a point, offline: {size / POINTS:.1f} bytes (target 30)")
        print(f"init with the server down: {init_ms():.1f} ms (target 100)")
    finally:
        remove(directory)
    imports()


def remove(directory: Path) -> None:
    """Take the buffer away for good: the uploader that we started ends when it is gone."""
    while directory.exists():
        shutil.rmtree(directory, ignore_errors=True)


def scalars() -> dict[str, float]:
    return {
        "train/loss": random.random(),
        "train/accuracy": random.random(),
        "val/loss": random.random(),
        "gradient/norm": 10 * random.random(),
        "lr": 1e-3 * random.random(),
    }


def timed(call: Callable[[int, dict[str, float]], object]) -> Taken:
    """Time each call, the data being made outside of it."""
    taken, undisturbed = [], []
    for step in range(CALLS):
        data, preempted = scalars(), preemptions()
        start = time.perf_counter_ns()
        call(step, data)
        taken.append(time.perf_counter_ns() - start)
        if preemptions() == preempted:
            undisturbed.append(taken[-1])
    return Taken(sorted(taken), max(undisturbed))


def preemptions() -> int:
    return resource.getrusage(resource.RUSAGE_THREAD).ru_nivcsw


def json_lines(directory: Path) -> Taken:
    descriptor = os.open(directory / "lines", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        return timed(
            lambda step, data: os.write(
                descriptor, (json.dumps({"step": step, **data}) + "\n").encode()
            )
        )
    finally:
        os.close(descriptor)


def logged(mode: str) -> Taken:
    import tidelog

    run = tidelog.init(project="bench/log", id=mode, mode=mode, console=False)
    taken = timed(lambda step, data: run.log(data, step))
    run.finish(timeout=0)
    return taken


def disk(path: Path) -> int:
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def init_ms() -> float:
    import tidelog

    start = time.perf_counter()
    run = tidelog.init(project="bench/log", console=False)
    taken = 1000 * (time.perf_counter() - start)
    run.finish(timeout=0)
    return taken


def report(name: str, taken: Taken, *, target: str = "") -> None:
    calls = taken.calls
    figures = [calls[len(calls) // 2], calls[len(calls) * 99 // 100], calls[-1], taken.ours]
    shown = "".join(f"{figure / 1000:10.1f}" for figure in figures)
    print(f"{name:34}{shown}" + (f"   (target {target})" if target else ""))


def imports() -> None:
    print()
    for module, note in (("json", ""), ("tidelog", " (target 50)"), ("requests", "")):
        print(f"import {module:10}{import_ms(module):8.1f} ms{note}")


def import_ms(module: str) -> float:
    """The best of five, each in a fresh interpreter."""
    source = (
        f"import time; a = time.perf_counter(); import {module}; print(time.perf_counter() - a)"
    )
    runs = [
        subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
        for _ in range(5)
    ]
    return 1000 * min(float(run.stdout) for run in runs)


if __name__ == "__main__":
    main()
