"""How fast batches become chunks, and what a point then takes on disk.

    .venv/bin/python tests/bench/bench_compact.py [--quick]

One process, one thread; everything lies in a temporary directory; DATABASE_URL is obeyed.
"""

# Django must know where to keep its data before anything of the server is imported.

from __future__ import annotations

import argparse
import time
from uuid import uuid4

import numpy as np
from bench_chart import Bench
from django.db import transaction
from django.db.models import Sum
from django.db.models.functions import Length

from tidelog_server.metrics import codec
from tidelog_server.metrics.columns import Axis, Columns, SeriesColumn
from tidelog_server.metrics.models import Chunk
from tidelog_server.metrics.store import store

MEMORY = {"float32": "<f4", "float64": "<f8"}


def columns(start: int, steps: int, keys: int, precision: str) -> Columns:
    """Return records of all keys on one axis: regular steps, times in milliseconds."""
    dice = np.random.default_rng(start)
    axis = np.arange(start, start + steps, dtype=float)
    times = np.round(1.79e9 + axis / 10 + dice.random(steps) / 50, 3)
    values = dice.normal(size=(keys, steps)).astype(MEMORY[precision]).astype(float)
    return Columns(
        (Axis(axis, times),),
        tuple(SeriesColumn(f"train/metric{k}", 0, values[k]) for k in range(keys)),
    )


def measure(*, keys: int, points: int, rounds: int, precision: str) -> None:
    """Compact a run of so many points a key, in rounds of several batches each."""
    run_id, merged, taken, cpu = uuid4(), 0, 0.0, 0.0
    steps = points // rounds // 8
    for part in range(rounds * 8):
        with transaction.atomic():
            store.append(
                run_id=run_id,
                stream="ab" * 16,
                start=part * steps,
                end=(part + 1) * steps,
                columns=columns(part * steps, steps, keys, precision),
            )
        if part % 8 == 7:
            start, used = time.perf_counter(), time.process_time()
            merged += store.compact(run_id, force=True)
            taken += time.perf_counter() - start
            cpu += time.process_time() - used
    size = Chunk.objects.filter(run_id=run_id).aggregate(size=Sum(Length("payload")))["size"]
    print(
        f"  {keys:5,} keys x {points:9,}, {rounds:3} rounds, {precision}"
        f" {merged / taken / 1e6:8.2f} million points/s, by CPU {merged / cpu / 1e6:6.2f}"
        f"   {size / merged:5.2f} bytes a point",
        flush=True,
    )


def limit() -> None:
    """What compressing chunks alone takes, without a database and without aggregates."""
    one = columns(0, 4_096, 1, "float32")
    parts = [one.axes[0].steps, one.axes[0].times, one.series[0].values]
    start = time.process_time()
    for _ in range(300):
        codec.encode(parts)
    rate = 300 * 4_096 / (time.process_time() - start)
    print(f"  limit: encode chunks of 4,096 in memory {rate / 1e6:20.2f} million points/s of CPU")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    share = 10 if quick else 1
    Bench()
    print("compaction, one process (targets 5 million points/s, 7 bytes a point)")
    measure(keys=1, points=4_000_000 // share, rounds=10, precision="float32")
    measure(keys=1, points=4_000_000 // share, rounds=10, precision="float64")
    measure(keys=10, points=400_000 // share, rounds=10, precision="float32")
    measure(keys=1_000, points=6_400 // share, rounds=1, precision="float32")
    measure(keys=1_000, points=6_400 // share, rounds=10, precision="float32")
    limit()


if __name__ == "__main__":
    main()
