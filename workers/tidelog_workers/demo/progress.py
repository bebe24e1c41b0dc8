"""What a person sees of the demo's trainings: one line, renewed as each of them ends."""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TextIO


class Progress:
    """Counts trainings, remembers the best, and keeps what the failed ones said.

    On a terminal the line is renewed in place; elsewhere each training that ends adds a line.
    """

    def __init__(self, total: int, out: TextIO = sys.stderr) -> None:
        self._total = total
        self._out = out
        self._in_place = out.isatty()
        self._trained = 0
        self._best = ("", -1.0)
        self._log: Path | None = None

    def ended(self, training: "subprocess.CompletedProcess[str]") -> None:
        """Take note of a training: the last thing it prints is its name and its accuracy."""
        if training.returncode:
            self._keep(training.stdout + training.stderr)
            return
        name, accuracy = training.stdout.split()[-2:]
        self._trained += 1
        self._best = max(self._best, (name, float(accuracy)), key=lambda best: best[1])
        self._show()

    def close(self) -> int:
        """Say where to look if a training failed, and return the exit code."""
        if self._in_place and self._trained:
            self._out.write("\n")
        if self._log is not None:
            self._out.write(f"tidelog: what the failed trainings said is in {self._log}\n")
        self._out.flush()
        return 0 if self._log is None else 1

    def _show(self) -> None:
        name, accuracy = self._best
        line = (
            f"{self._trained} of {self._total} trained, best val/accuracy {accuracy:.3f} ({name})"
        )
        start, end = ("\r", "\x1b[K") if self._in_place else ("", "\n")
        self._out.write(f"{start}tidelog: {line}{end}")
        self._out.flush()

    def _keep(self, said: str) -> None:
        if self._log is None:
            self._log = Path(tempfile.mkdtemp(prefix="tidelog-demo-")) / "failed.log"
        with self._log.open("a") as log:
            log.write(f"{said}\n")
