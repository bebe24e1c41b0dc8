"""What every test stands on: no setting of the person who runs them reaches the product."""

import os
import tempfile
from pathlib import Path

from hypothesis import settings

# Set before any test imports the SDK, so that nothing of a home directory is read or written.
# The folder goes with the process.
_HOME = tempfile.TemporaryDirectory(prefix="tidelog-tests-", ignore_cleanup_errors=True)
os.environ["TIDELOG_CONFIG_DIR"] = str(Path(_HOME.name) / "config")
os.environ["TIDELOG_DIR"] = str(Path(_HOME.name) / "buffer")

settings.register_profile("steady", deadline=None)  # a busy machine is not a failure
settings.load_profile("steady")
