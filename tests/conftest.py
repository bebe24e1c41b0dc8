"""What every test stands on: no setting of the person who runs them reaches the product."""

import os
import tempfile
from pathlib import Path

from hypothesis import settings

# Set before any test imports the SDK or the server, so that nothing is read from or written to a home directory.
_HOME = Path(tempfile.mkdtemp(prefix="tidelog-tests-"))
os.environ["TIDELOG_CONFIG_DIR"] = str(_HOME / "config")
os.environ["TIDELOG_DIR"] = str(_HOME / "buffer")

settings.register_profile("steady", deadline=None)  # a busy machine is not a failure
settings.load_profile("steady")
