"""Runs of a project, sent to a server as an uploader would, but all at once and at any time.

    python tests/e2e/seed.py http://127.0.0.1:8000 tl_... team [--live SECONDS]

fills team/vit-imagenet with 24 runs of every state.
"""

import argparse
import math
import random
import time
from array import array
from collections.abc import Mapping, Sequence
from typing import Any

import requests

from tidelog.wire.batch import encode
from tidelog.wire.frames import FrameType

NAMES = [
    "mist-grey", "quay-old", "wake-proud", "ebb-mellow", "delta-sharp", "atoll-dim", "fjord-plain",
    "shoal-late", "brine-soft", "isle-green", "spray-early", "drift-north", "cove-lucid",
    "swell-amber", "kelp-bright", "reef-calm", "gull-quiet", "moon-steady", "tide-swift",
    "sand-still", "foam-light", "cape-long", "buoy-red", "dune-warm",
]  # fmt: skip
LENGTH = 90_000
STREAM = "5eed" * 8
ENVIRONMENT = [
    ["python", "3.11.9"],
    ["platform", "Linux-6.8-x86_64"],
    ["cpu", "AMD EPYC 9354, 64 threads"],
    ["gpu", "2 x NVIDIA H100 80GB"],
    ["packages/torch", "2.5.1"],
    ["packages/numpy", "2.1.3"],
]


class Writer:
    """One run's stream: what it says reaches the server before the call returns."""

    def __init__(self, url: str, key: str, project: str, run: str) -> None:
        self.address = f"{url}/api/v1/runs/{run}/streams/{STREAM}/records?project={project}"
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {key}"
        self.run, self.key, self.next = run, key, 0

    def send(
        self,
        *,
        records: Sequence[tuple[FrameType, Mapping[str, Any]]] = (),
        steps: Sequence[float] = (),
        times: Sequence[float] = (),
        series: Mapping[str, Sequence[float]] | None = None,
        **more: Any,
    ) -> None:
        """Send some records and some points as one batch."""
        values = dict(series or {})
        first = self.next
        self.next += len(records) + len(steps)
        header = {
            "v": 1,
            "from": first,
            "to": self.next,
            "axes": [len(steps)] if steps else [],
            "series": [{"key": key, "axis": 0, "n": len(steps)} for key in values],
            "records": [[first + i, int(kind), body] for i, (kind, body) in enumerate(records)],
            "gaps": [],
            "run": {"v": 1, "run": self.run},
            **more,
        }
        axes = [(array("d", steps).tobytes(), array("d", times).tobytes())] if steps else []
        body = encode(header, axes, [array("d", column).tobytes() for column in values.values()])
        headers = {"Content-Type": "application/octet-stream"}
        answer = self.session.post(
            self.address,
            data=body,
            headers=headers,
            timeout=30,
        )
        assert answer.status_code == 200, answer.text
        assert not answer.json()["rejected"], answer.text

    def open(self, *, name: str, config: Mapping[str, Any], wall: float) -> None:
        """Say that the run begins."""
        ms = int(wall * 1000)
        self.send(
            records=[
                (
                    FrameType.OPEN,
                    {"pid": 4711, "host": "gpu-07", "rank": 0, "primary": True, "wall": ms},
                ),
                (FrameType.SET, {"t": ms, "k": "name", "ops": [["", name]]}),
                (
                    FrameType.SET,
                    {"t": ms, "k": "config", "ops": list(map(list, config.items()))},
                ),
                (FrameType.SET, {"t": ms, "k": "environment", "ops": ENVIRONMENT}),
            ]
        )

    def say(self, text: str, *, wall: float, fd: int = 1) -> None:
        self.send(records=[(FrameType.CONSOLE, {"t": int(wall * 1000), "f": fd, "x": text})])

    def finish(self, *, state: str, wall: float, exit_code: int = 0) -> None:
        body = {"t": int(wall * 1000), "state": state, "exit": exit_code}
        self.send(records=[(FrameType.FINISH, body)])


class Curves:
    """What a training of run number `index` would log at part `t` (0 to 1) of its way."""

    def __init__(self, index: int) -> None:
        self.random = random.Random(index)
        self.best = 0.775 + 0.003 * (index % 24) + self.random.uniform(-0.008, 0.008)
        self.pace = self.random.uniform(4.2, 8.0)
        self.heat = [1, 1, 0.6, 1, 0.5, 0.5, 0.8, 2, 1, 0.7][index % 10]
        self.speed = [2810, 2790, 1180, 1172, 2240, 2228][index % 6]
        self.memory = [31.2, 33.8, 58.3, 61.7, 36.1][index % 5]

    def at(self, t: float) -> dict[str, float]:
        noise = self.random.gauss
        fall = math.exp(-t * self.pace)
        quality = (self.best - 0.77) / 0.065
        warm = t / 0.06 if t < 0.06 else 0.5 * (1 + math.cos(math.pi * (t - 0.06) / 0.94))
        accuracy = self.best * (1 - 0.9 * fall) * (0.97 + 0.03 * t)
        return {
            "train/loss": 5.1 * fall + 2.1 - 0.6 * quality - 0.5 * t + noise(0, 0.085),
            "train/grad_norm": (1.6 * fall + 0.5) * (1 + abs(noise(0, 0.12))),
            "train/lr": warm * self.heat * 1e-3,
            "train/images_per_sec": self.speed * (1 + noise(0, 0.011)),
            "val/loss": 3.1 * fall + 1.1 - 0.3 * quality + 0.1 * t + noise(0, 0.02),
            "val/accuracy": accuracy + noise(0, 0.004),
            "val/top5": min(1.0, 0.2 + 0.95 * accuracy + noise(0, 0.003)),
            "system/gpu.0.utilisation": min(99.5, 95 + noise(0, 1.7)),
            "system/gpu.0.memory_gb": self.memory + noise(0, 0.06),
            "system/cpu_percent": 42 + noise(0, 6),
        }


def points(curves: Curves, steps: Sequence[float]) -> dict[str, list[float]]:
    """Return columns for these steps."""
    columns: dict[str, list[float]] = {}
    for step in steps:
        for key, value in curves.at(step / LENGTH).items():
            columns.setdefault(key, []).append(value)
    return columns


def log_text(name: str, reached: float) -> str:
    """Return what such a training prints: colours, a progress bar, a table."""
    out = [f"\x1b[1mvit-s/16\x1b[0m on \x1b[36mimagenet\x1b[0m, run {name}"]
    for epoch in range(1, 1 + int(90 * reached)):
        bar = "".join(f"\repoch {epoch}: {part}%" for part in range(0, 101, 20))
        out.append(
            f"{bar}\repoch {epoch:>2}: \x1b[32m100%\x1b[0m 1251/1251 [06:12<00:00, 3.36it/s]"
        )
        out.append(f"  val/accuracy \x1b[33m{0.84 * (1 - math.exp(-epoch / 12)):.4f}\x1b[0m")
    return "\n".join(out) + "\n"


def seed(url: str, key: str, project: str, *, points_each: int = 1500) -> list[Writer]:
    """Fill a project; returns the writers of its running runs."""
    running = []
    begin = time.time() - 26 * 3600
    for index, word in enumerate(NAMES):
        state, reached = _fate(index)
        name = f"{word}-{index + 101}"
        length = (2.5 + (index * 7 % 9)) * 3600 * reached
        start = time.time() - length if state == "running" else begin + index * 600
        writer = Writer(url, key, project, name)
        config = {
            "arch": ["vit-s/16", "vit-b/16", "convnext-t"][index % 3],
            "lr": [1e-3, 5e-4, 8e-4][index % 3],
            "batch_size": 1024,
            "augment/mixup": 0.2 * (index % 4),
            "augment/randaug": index % 2 == 0,
            "weight_decay": 0.05,
            "epochs": 90,
            "seed": index,
            "optimizer": "adamw",
        }
        writer.open(name=name, config=config, wall=start)
        steps = [i * LENGTH / points_each for i in range(int(points_each * reached))]
        if steps:
            times = [start + length * i / len(steps) for i in range(len(steps))]
            writer.send(steps=steps, times=times, series=points(Curves(index), steps))
        writer.say(log_text(name, reached), wall=start + 5)
        _end(writer, state, start + length)
        if state == "running":
            running.append(writer)
    return running


def _fate(index: int) -> tuple[str, float]:
    if index in (16, 17, 18, 23):
        return "running", {16: 0.38, 17: 0.71, 18: 0.52, 23: 0.12}[index]
    if index == 6:
        return "failed", 0.0
    if index == 11:
        return "crashed", 0.44
    return ("killed", 0.3) if index in (1, 10) else ("finished", 1.0)


def _end(writer: Writer, state: str, wall: float) -> None:
    if state == "failed":
        writer.say(
            "Traceback (most recent call last):\n"
            '  File "train.py", line 88, in <module>\n'
            "RuntimeError: CUDA out of memory. Tried to allocate 2.41 GiB\n",
            wall=wall,
            fd=2,
        )
    if state == "crashed":
        writer.send(writer="gone")
    elif state != "running":
        writer.finish(state=state, wall=wall, exit_code=int(state == "failed"))


def live(writers: Sequence[Writer], seconds: float, *, gap: float = 0.2) -> None:
    """Let running runs go on for a while."""
    curves = {writer.run: Curves(int(writer.run.rsplit("-", 1)[1]) - 101) for writer in writers}
    at = {w.run: LENGTH * _fate(int(w.run.rsplit("-", 1)[1]) - 101)[1] for w in writers}
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for writer in writers:
            at[writer.run] += 20
            step = [at[writer.run]]
            writer.send(steps=step, times=[time.time()], series=points(curves[writer.run], step))
        time.sleep(gap)


def main() -> None:
    """Fill a server from the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("key")
    parser.add_argument("team")
    parser.add_argument("--live", type=float, default=0)
    asked = parser.parse_args()
    running = seed(asked.url, asked.key, f"{asked.team}/vit-imagenet")
    live(running, asked.live)


if __name__ == "__main__":
    main()
