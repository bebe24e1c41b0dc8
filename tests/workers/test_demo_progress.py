"""What a person sees of the demo's trainings."""

import io
import re
import subprocess
from pathlib import Path

import pytest

from tidelog_workers.demo.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def trained(name: str, accuracy: float) -> "subprocess.CompletedProcess[str]":
    return subprocess.CompletedProcess([], 0, stdout=f"{name} {accuracy}\n", stderr="chatter")


FAILED = subprocess.CompletedProcess([], 1, stdout="", stderr="Traceback: no numbers")


@pytest.fixture
def out():
    return io.StringIO()


class TestProgress:
    def test_is_a_line_for_each_training_with_the_best_so_far(self, out):
        progress = Progress(3, out)
        for training in (trained("tide-gull", 0.9), trained("tide-swift", 0.978)):
            progress.ended(training)
        progress.ended(trained("reef-tern", 0.95))
        assert out.getvalue().splitlines() == [
            "tidelog: 1 of 3 trained, best val/accuracy 0.900 (tide-gull)",
            "tidelog: 2 of 3 trained, best val/accuracy 0.978 (tide-swift)",
            "tidelog: 3 of 3 trained, best val/accuracy 0.978 (tide-swift)",
        ]
        assert progress.close() == 0

    def test_is_one_line_that_is_renewed_on_a_terminal(self):
        out = Terminal()
        progress = Progress(2, out)
        progress.ended(trained("tide-gull", 0.9))
        progress.ended(trained("tide-swift", 0.978))
        progress.close()
        assert out.getvalue().count("\n") == 1
        assert out.getvalue().count("\r") == 2

    def test_says_where_to_read_what_a_failed_training_said(self, out):
        progress = Progress(2, out)
        progress.ended(FAILED)
        progress.ended(trained("tide-gull", 0.9))
        assert progress.close() == 1
        (path,) = re.findall(r"is in (\S+)", out.getvalue())
        assert "Traceback: no numbers" in Path(path).read_text()
