import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


class TestCompaction:
    def test_killed_at_any_moment_loses_and_doubles_nothing(self, tmp_path):
        env = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        done = subprocess.run(
            [sys.executable, "-m", "tests.server.metrics.compaction_victim", "25"],
            cwd=ROOT,
            env={
                **env,
                "DJANGO_SETTINGS_MODULE": "tidelog_server.settings",
                "TIDELOG_DATA_DIR": str(tmp_path),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == {"before": True, "after": True}
