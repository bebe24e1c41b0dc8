"""Run the demo's trainings: 8 configurations, 3 seeds, two processes at a time."""

import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from tidelog_workers.demo.progress import Progress
from tidelog_workers.supervisor.children import PYTHON

RATES = (0.03, 0.1, 0.3, 1.0)
HIDDEN = (16, 64)
SEEDS = (1, 2, 3)
AT_A_TIME = 2


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a training takes.

    epochs  passes over the images
    pause   seconds between them, so that a person can watch: an epoch itself takes 8 ms
    """

    epochs: int
    pause: float


WATCHABLE = Pace(epochs=40, pause=0.07)
FAST = Pace(epochs=5, pause=0.0)


def train_all(pace: Pace) -> int:
    """Train everything, show how far it is, and return 0, or 1 if a training failed."""
    commands = list(_commands(pace))
    progress = Progress(len(commands))
    with ThreadPoolExecutor(AT_A_TIME) as two:
        for training in as_completed([two.submit(_train, command) for command in commands]):
            progress.ended(training.result())
    return progress.close()


def _train(command: list[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _commands(pace: Pace) -> Iterator[list[str]]:
    """Seeds turn slowest, so that all configurations are on the chart early."""
    for seed, hidden, rate in itertools.product(SEEDS, HIDDEN, RATES):
        words = ("--lr", rate, "--hidden", hidden, "--seed", seed)
        speed = ("--epochs", pace.epochs, "--pause", pace.pause)
        yield [*PYTHON, "tidelog_workers.demo.digits", *(str(word) for word in (*words, *speed))]


def main() -> int:
    # Two small networks at a time: threads inside each would only fight for the cores.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return train_all(FAST if "--fast" in sys.argv[1:] else WATCHABLE)


if __name__ == "__main__":
    sys.exit(main())
