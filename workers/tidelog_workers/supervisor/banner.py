"""What `tidelog up` says when it is ready."""

import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome:
    """What a person or a script needs to begin.

    pids  process ids by name: supervisor, web, worker, broker
    """

    url: str
    sign_in_url: str
    api_key: str
    team: str
    pids: dict[str, int]
    data_dir: str

    def as_json(self) -> str:
        return json.dumps(asdict(self))

    def as_text(self, *, jobs: str) -> str:
        """Return the banner. `jobs` says what carries the doorbells."""
        database = "Postgres" if os.environ.get("DATABASE_URL") else _size(Path(self.data_dir))
        return f"""
  {_bold("Tidelog")} is running.

  Open      {_bold(self.sign_in_url)}
            signs you in once; every start prints a new link
  Data      {self.data_dir}  ({database})
  Jobs      {jobs}
  Key       in {_credentials()}, so a script on this machine needs no configuration:

      import tidelog
      run = tidelog.init(project="first", config={{"lr": 1e-3}})
      run.log({{"train/loss": 0.42}})

  Ctrl-C stops everything.
"""


def _size(data_dir: Path) -> str:
    size = sum(file.stat().st_size for file in data_dir.glob("tidelog.sqlite3*"))
    return f"SQLite, {size / 1e6:.1f} MB"


def _credentials() -> str:
    folder = os.environ.get("TIDELOG_CONFIG_DIR") or "~/.tidelog"
    return f"{folder}/credentials.json"


def _bold(text: str) -> str:
    return f"\x1b[1m{text}\x1b[0m" if sys.stdout.isatty() and "NO_COLOR" not in os.environ else text
