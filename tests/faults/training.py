"""A real training with a witness of what `log()` has promised, and the account of its points."""

import json
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import psutil
from tests.workers.serving import PATIENCE, Serving

SCRIPT = Path(__file__).parent / "witnessed.py"
TIDELOG = str(Path(sys.executable).with_name("tidelog"))
PAGE = 100_000


@dataclass(frozen=True, slots=True)
class Account:
    """What became of the points of a run.

    logged   calls of `log()` that returned
    lost     of those, how many the server lacks
    doubled  points that it has more than once
    wrong    points that it has with another value, or that nobody logged
    """

    logged: int
    lost: int
    doubled: int
    wrong: int

    def __add__(self, other: "Account") -> "Account":
        return Account(
            self.logged + other.logged,
            self.lost + other.lost,
            self.doubled + other.doubled,
            self.wrong + other.wrong,
        )

    @property
    def is_whole(self) -> bool:
        return not (self.lost or self.doubled or self.wrong)


NOTHING = Account(0, 0, 0, 0)


class Training:
    """A training that notes in a file, beside each `log()`, that it has returned.

    through  the address that it and its uploader know, if it is not the server's own
    """

    def __init__(
        self,
        served: Serving,
        name: str,
        *,
        mode: str = "online",
        steps: int = 0,
        through: str | None = None,
    ) -> None:
        self.served = served
        self.name = name
        folder = served.folder / name
        folder.mkdir()
        self.buffer = folder / "buffer"
        self.witness = folder / "witness"
        self.env = {
            **served.env,
            "TIDELOG_URL": through or served.url,
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

    @property
    def streams(self) -> list[Path]:
        return sorted(self.buffer.glob("v1/runs/*/streams/*"))

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
        if tree:
            self.kill_uploaders()
        self.process.wait()

    def kill_uploaders(self) -> None:
        for uploader in self.uploaders():
            uploader.kill()

    def ends(self) -> None:
        """Wait until the script is over."""
        assert self.process.wait(PATIENCE) == 0, self.log.read_text()

    def syncing(self, buffer: Path | None = None) -> "subprocess.Popen[str]":
        argv = [TIDELOG, "sync", str(buffer or self.buffer)]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            argv, env=self.env, stdout=pipe, stderr=subprocess.STDOUT, text=True
        )

    def sync(self) -> subprocess.CompletedProcess[str]:
        argv = [TIDELOG, "sync", str(self.buffer)]
        return subprocess.run(argv, env=self.env, capture_output=True, text=True, check=False)

    def row(self) -> dict[str, object]:
        team = self.served.banner["team"]
        row: dict[str, object] = self.served.api(f"/projects/{team}/faults/runs/{self.name}")
        return row

    def points(self) -> list[tuple[int, float]]:
        """The steps and values that the server has, in the order in which it has them."""
        found: list[tuple[int, float]] = []
        after: int | None = 0
        while after is not None:
            page = self._page(after)
            found += [(int(step), float(value)) for step, _, value in page["points"]]
            after = page["next"]
        return found

    def _page(self, after: int) -> dict[str, object]:
        team = self.served.banner["team"]
        query = f"points?key=loss&after={after}&limit={PAGE}"
        path = f"/api/v1/projects/{team}/faults/runs/{self.name}/{query}"
        status, body = self.served.get(path, key=self.served.banner["api_key"])
        return json.loads(body) if status == 200 else {"points": [], "next": None}

    def stored(self) -> list[int]:
        return [step for step, _ in self.points()]

    def account(self) -> Account:
        """Compare. One point that was in flight when the training died may be there, too."""
        points, promised = self.points(), self.promised
        times = Counter(step for step, _ in points)
        wrong = [step for step, value in points if value != 1 / (step + 1) or step > promised]
        return Account(
            logged=promised,
            lost=sum(step not in times for step in range(promised)),
            doubled=sum(many - 1 for many in times.values()),
            wrong=len(wrong),
        )

    def is_whole(self) -> bool:
        """Nothing lost, nothing doubled, and in order."""
        stored = self.stored()
        return stored == list(range(len(stored))) and self.account().is_whole
