"""Real trainings against a real server, each with a witness of what `log()` has promised."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from tests.workers.serving import PATIENCE, Serving, until

SCRIPT = Path(__file__).parent / "witnessed.py"


class Training:
    """A training that notes in a file, beside each `log()`, that it has returned."""

    def __init__(self, served: Serving, name: str, *, mode: str = "online", steps: int = 0) -> None:
        self.served = served
        self.name = name
        folder = served.folder / name
        folder.mkdir()
        self.buffer = folder / "buffer"
        self.witness = folder / "witness"
        self.env = {
            **served.env,
            "TIDELOG_URL": served.url,
            "TIDELOG_API_KEY": served.banner["api_key"],
            "TIDELOG_DIR": str(self.buffer),
            "TIDELOG_MODE": mode,
        }
        argv = [sys.executable, str(SCRIPT), str(self.witness), name, str(steps)]
        self.log = folder / "log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(argv, env=self.env, stderr=log)

    @property
    def promised(self) -> int:
        """How many calls of `log()` have returned."""
        return self.witness.read_bytes().count(b"\n") if self.witness.exists() else 0

    def uploaders(self) -> list[psutil.Process]:
        return [each for each in psutil.process_iter() if self._is_uploader(each)]

    def _is_uploader(self, process: psutil.Process) -> bool:
        try:
            words = process.cmdline()
        except psutil.Error:
            return False
        return "tidelog.uploader" in words and str(self.buffer) in words

    def kill(self, *, tree: bool = False) -> None:
        """Kill -9; with `tree` what sends the records, too."""
        self.process.kill()
        for uploader in self.uploaders() if tree else []:
            uploader.kill()
        self.process.wait()

    def ends(self) -> None:
        """Wait until the script is over."""
        assert self.process.wait(PATIENCE) == 0, self.log.read_text()

    def sync(self) -> subprocess.CompletedProcess[str]:
        argv = [str(Path(sys.executable).with_name("tidelog")), "sync", str(self.buffer)]
        return subprocess.run(argv, env=self.env, capture_output=True, text=True, check=False)

    def row(self) -> dict[str, object]:
        team = self.served.banner["team"]
        row: dict[str, object] = self.served.api(f"/projects/{team}/faults/runs/{self.name}")
        return row

    def stored(self) -> list[int]:
        """The steps that the server has, in the order in which it has them."""
        team = self.served.banner["team"]
        path = f"/projects/{team}/faults/runs/{self.name}/points?key=loss&limit=100000"
        status, body = self.served.get(f"/api/v1{path}", key=self.served.banner["api_key"])
        return [int(step) for step, *_ in json.loads(body)["points"]] if status == 200 else []

    def is_whole(self) -> bool:
        """Nothing lost, nothing doubled; one that was in flight when it died may be there."""
        stored = self.stored()
        return stored == list(range(len(stored))) and 0 <= len(stored) - self.promised <= 1


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with Serving(tmp_path_factory.mktemp("faults")) as serving:
        yield serving


@pytest.fixture
def train(served, request):
    """Start trainings; their processes are gone after the test."""
    started: list[Training] = []

    def start(**options):
        name = f"{request.node.name}-{len(started)}".translate(str.maketrans("[]", "--"))[-64:]
        started.append(Training(served, name, **options))
        return started[-1]

    yield start
    for training in started:
        training.kill(tree=True)
        until(lambda training=training: not training.uploaders(), "the uploader is gone")


def pytest_generate_tests(metafunc):
    if "moment" in metafunc.fixturenames:
        metafunc.parametrize("moment", range(int(os.environ.get("TIDELOG_TEST_KILLS", "10"))))
