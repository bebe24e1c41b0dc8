"""The key that signs sessions: given by the environment, or made once and kept with the data."""

import os
import secrets
from pathlib import Path


def secret_key(data_dir: Path, *, given: str = "") -> str:
    """Return the given key, or the one in `data_dir`, which is made when it is missing."""
    return given or _kept(data_dir / "secret-key")


def _kept(path: Path) -> str:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    if not path.exists():
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(64))
        # A link, unlike a rename, refuses to replace what another process made meanwhile.
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text()
