"""Compact runs in processes that are killed at random moments: `python compaction_victim.py TIMES`.

A program of its own, because it forks before it opens a database: TIDELOG_DATA_DIR's, on SQLite.
Says as JSON whether all points were there exactly, before and after a last compaction.
"""

# Django must be set up before anything of the server is imported.
# ruff: noqa: E402

import json
import os
import random
import signal
import sys
import time
from datetime import timedelta
from uuid import uuid4

import django

django.setup()

from django.core.management import call_command
from django.db import connection, transaction
from tests.contracts.metric_store import columns_of, some_points

from tidelog_server.metrics import compaction, leases
from tidelog_server.metrics.store import store

KEYS = ("loss", "accuracy", "lr")


def compacting(run_id, steps):
    """Compact in a child process for ever; it writes a byte whenever a transaction begins."""
    if pid := os.fork():
        return pid
    hold = leases.Lease.hold

    def hold_and_say(lease):
        os.write(steps, b".")
        return hold(lease)

    leases.Lease.hold = hold_and_say
    while True:
        store.compact(run_id, force=True)


def kill_in_the_middle(run_id, dice):
    """Kill a compaction some milliseconds after one of its transactions began."""
    said, steps = os.pipe()
    pid = compacting(run_id, steps)
    os.close(steps)
    for _ in range(dice.randint(1, len(KEYS) + 1)):
        os.read(said, 1)
    time.sleep(dice.random() * 0.02)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(said)


def append(run_id, start, n):
    points = some_points(n, first_step=start)
    with transaction.atomic():
        store.append(
            run_id=run_id,
            stream="ab" * 16,
            start=start,
            end=start + n,
            columns=columns_of(dict.fromkeys(KEYS, points)),
        )


def found(run_id, key):
    points = store.points(run_id=run_id, key=key, limit=10**9)
    return points.steps.astype(int).tolist()


def main(times):
    call_command("migrate", verbosity=0)
    # A lease that ends at once, so that the next worker need not wait for it.
    leases.LEASE = timedelta(0)
    compaction.SERIES_AT_ONCE = 1
    run_id, logged, dice = uuid4(), 0, random.Random(7)
    for _ in range(times):
        append(run_id, logged, 2_000)
        logged += 2_000
        connection.close()
        kill_in_the_middle(run_id, dice)
    before = [found(run_id, key) for key in KEYS]
    store.compact(run_id, force=True)
    after = [found(run_id, key) for key in KEYS]
    expected = [list(range(logged))] * len(KEYS)
    json.dump({"before": before == expected, "after": after == expected}, sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]))
