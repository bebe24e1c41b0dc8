"""How fast the run table is, at the service, beside what numpy does with the same arrays.

    .venv/bin/python tests/bench/bench_runtable.py [--quick]

Everything lies in a temporary directory; DATABASE_URL is obeyed. `--quick` measures fewer times.
A page is 50 rows, read from the database by their keys, as the API answers them.
"""

# Django must know where to keep its data before anything of the server is imported.
# ruff: noqa: E402

from __future__ import annotations

import argparse
import atexit
import math
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

os.environ["DJANGO_SETTINGS_MODULE"] = "tidelog_server.settings"
if "TIDELOG_BENCH_COLD" not in os.environ:
    os.environ["TIDELOG_DATA_DIR"] = tempfile.mkdtemp(prefix="tidelog-bench-")
    atexit.register(shutil.rmtree, os.environ["TIDELOG_DATA_DIR"])

import django

django.setup()

import numpy as np
from django.core.management import call_command
from django.db import connection
from django.utils.timezone import now

from tidelog_server.accounts import services as accounts
from tidelog_server.runtable import cache as caching
from tidelog_server.runtable.selectors import known_keys, run_page, run_table
from tidelog_server.tracking import services as tracking
from tidelog_server.tracking.models import Project, Run

PAGE = 50
CONFIG, SUMMARY = 19, 21
LAST_KEYS = [f"summary.metric/{at}" for at in range(20)]
TARGET_HOT, TARGET_COLD = 20.0, 1_000.0


def a_project(runs: int) -> Project:
    """Return a project of runs with 40 attributes: numbers, words, and names of their own."""
    team = accounts.create_team(slug=f"bench-{runs}", owner=owner())
    project = tracking.create_project(team=team, slug="table")
    chance = random.Random(runs)
    for start in range(0, runs, 5_000):
        numbers = range(start + 1, min(start + 5_000, runs) + 1)
        Run.objects.bulk_create([a_run(project, chance, number) for number in numbers])
    Project.objects.filter(pk=project.pk).update(rev=runs)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE tracking_run")
    return project


def owner() -> accounts.User:
    email = "bench@example.org"
    found = accounts.User.objects.filter(email=email).first()
    return found or accounts.create_user(email=email, name="Bench")


def a_run(project: Project, chance: random.Random, number: int) -> Run:
    state = chance.choice(["finished", "finished", "failed", "crashed"])
    created = now() - timedelta(seconds=chance.random() * 1e7)
    config = {f"option/{at}": chance.choice([0.1, 0.01, 1, 2, 3]) for at in range(CONFIG - 2)}
    config |= {"lr": 10 ** chance.uniform(-5, -1), "optimizer": chance.choice(["adam", "sgd"])}
    return Run(
        project=project,
        run_id=f"{chance.getrandbits(40):010x}",
        number=number,
        name=f"{chance.choice(['tide', 'coral', 'reef'])}-swift-{number}",
        state=state,
        tags=chance.sample(["base", "wild", "best", "v2"], chance.randrange(3)),
        group=f"exp-{chance.randrange(40)}",
        config=config,
        summary={f"metric/{at}": chance.random() for at in range(SUMMARY)},
        created_at=created,
        started_at=created,
        ended_at=created + timedelta(seconds=chance.random() * 1e5),
        rev=number,
    )


QUESTIONS = {
    "everything, newest first": {},
    "state:failed": {"query": "state:failed"},
    "lr<1e-3 state:failed tag:base, by -metric/0": {
        "query": "lr<1e-3 state:failed tag:base",
        "sort": "-metric/0",
    },
    "everything, by metric/3": {"sort": "metric/3"},
    "everything, by optimizer, -lr, name": {"sort": "optimizer,-lr,name"},
    "lr>1e-4, by -metric/1, page at 50,000": {
        "query": "lr>1e-4",
        "sort": "-metric/1",
        "offset": 50_000,
    },
    "swift (a word), by metric/2": {"query": "swift", "sort": "metric/2"},
    "99 (a word)": {"query": "99"},
    "name:reef OR NOT optimizer=adam": {"query": "name:reef OR NOT optimizer=adam"},
    "created>-30d duration<2h, by duration": {
        "query": "created>-30d duration<2h",
        "sort": "duration",
    },
    r"name~swift-\d*9$": {"query": r"name~swift-\d*9$"},
}


@dataclass
class Taken:
    """Milliseconds: by the clock, which whoever shares the machine slows down, and of CPU."""

    median: float
    p95: float
    cpu: float = math.nan


def measured(times: int, work: Callable[[], object]) -> Taken:
    work()
    taken, cpu = [], []
    for _ in range(times):
        start, used = time.perf_counter(), time.thread_time()
        work()
        taken.append((time.perf_counter() - start) * 1e3)
        cpu.append((time.thread_time() - used) * 1e3)
    return Taken(median(taken), percentile(taken), percentile(cpu))


def median(taken: list[float]) -> float:
    return float(np.median(taken))


def percentile(taken: list[float]) -> float:
    return float(np.percentile(taken, 95))


def show(what: str, taken: Taken, note: str = "") -> None:
    times = f"p50 {taken.median:8.2f} ms   p95 {taken.p95:8.2f} ms   CPU p95 {taken.cpu:7.2f} ms"
    print(f"  {what:<48} {times}   {note}", flush=True)


def bare(runs: int, times: int) -> Taken:
    """Mask one array and sort another by it: what any answer costs at the least."""
    values, others = np.random.default_rng(1).random((2, runs))

    def work() -> object:
        found = np.flatnonzero(values < 0.9)
        return found[np.argsort(others[found])][:PAGE]

    return measured(times, work)


def hot(project: Project, times: int) -> None:
    slowest = cpu = 0.0
    for what, question in QUESTIONS.items():
        taken = measured(times, partial(run_page, project, limit=PAGE, **question))
        alone = measured(times, partial(run_table, project, limit=PAGE, **question))
        count = run_table(project, **question).count
        slowest = max(slowest, taken.p95)
        cpu = max(cpu, taken.cpu)
        show(what, taken, f"in memory {alone.cpu:6.2f} ms CPU, {count:,} match")
    print(f"  slowest p95 {slowest:.2f} ms, of CPU {cpu:.2f} ms; target {TARGET_HOT:g} ms")


def after_a_change(project: Project, times: int) -> None:
    """100 runs that train log between two questions."""
    keys = list(Run.objects.filter(project=project).values_list("pk", flat=True)[:100])

    def ask() -> float:
        rev = Project.objects.get(pk=project.pk).rev
        Run.objects.filter(pk__in=keys).update(rev=rev + 1)
        Project.objects.filter(pk=project.pk).update(rev=rev + 1)
        start = time.perf_counter()
        run_page(project, limit=PAGE, query="lr<1e-3", sort="-metric/0")
        return (time.perf_counter() - start) * 1e3

    taken = [ask() for _ in range(times)]
    show("after 100 runs changed", Taken(median(taken), percentile(taken)))


def cold(project: Project) -> None:
    """Ask a process that has just started, with a snapshot and without one."""
    path = caching.path_of(project.pk)
    caching.cache.entry(project.pk).save()
    print(f"  snapshot {path.stat().st_size / 2**20:.1f} MiB")
    show("cold after a restart, by the snapshot", cold_times(project))
    path.unlink()
    show("cold after a restart, by the database alone", cold_times(project, n=1))


def cold_times(project: Project, n: int = 5) -> Taken:
    environment = {**os.environ, "TIDELOG_BENCH_COLD": str(project.pk)}
    command = [sys.executable, __file__]
    taken = [
        tuple(map(float, subprocess.check_output(command, env=environment).split()))
        for _ in range(n)
    ]
    return Taken(
        median([wall for wall, _ in taken]),
        max(wall for wall, _ in taken),
        max(cpu for _, cpu in taken),
    )


def answer_cold(pk: str) -> None:
    """What the started process does: one question, timed from the first line that it needs."""
    project = Project.objects.get(pk=pk)
    start, used = time.perf_counter(), time.thread_time()
    run_page(project, limit=PAGE, query="lr<1e-3 state:failed tag:base", sort="-metric/0")
    print((time.perf_counter() - start) * 1e3, (time.thread_time() - used) * 1e3)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    times = 20 if quick else 100
    call_command("migrate", verbosity=0)
    print(f"{connection.vendor}: curve, {CONFIG + SUMMARY} attributes, {PAGE} rows a page")
    for runs in (1_000, 10_000, 100_000):
        project = a_project(runs)
        question = {"query": "lr<1e-3 state:failed", "sort": "-metric/0"}
        taken = measured(times, partial(run_page, project, limit=PAGE, **question))
        show(f"{runs:,} runs: lr<1e-3 state:failed, by -metric/0", taken)
        if runs == 10_000:
            wanted = partial(run_table, project, limit=runs, columns=LAST_KEYS)
            show("last values of 20 keys of 10,000 runs", measured(times, wanted))
    print(f"{connection.vendor}: 100,000 runs, hot")
    hot(project, times)
    show("mask and argsort by numpy, nothing else", bare(runs, times))
    show("keys with their counts", measured(times, partial(known_keys, project)))
    after_a_change(project, times)
    held = caching.cache.entry(project.pk).nbytes / 2**20
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    print(f"  held {held:.0f} MiB by its own count; process at most {peak:.0f} MiB")
    cold(project)
    print(f"  target cold {TARGET_COLD:g} ms")


if __name__ == "__main__":
    if "TIDELOG_BENCH_COLD" in os.environ:
        answer_cold(os.environ["TIDELOG_BENCH_COLD"])
    else:
        main()
