"""Where settings come from: arguments, then the environment, then the credentials file."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from tidelog.buffer import make_directory, read_whole, write_whole

VERSION = "0.1.0"
DEFAULT_URL = "http://127.0.0.1:8000"
DEFAULT_PROJECT = "playground"
Mode = Literal["online", "offline", "disabled"]
MODES: tuple[Mode, ...] = ("online", "offline", "disabled")


class Settings(NamedTuple):
    """How this process records and where it sends.

    url        the server, without a slash at the end
    key        API key, or None: then everything stays on disk
    team       slug, or None: the team of the key
    project    slug
    directory  the buffer
    mode       "online", "offline" or "disabled"
    run_id     of the run to begin or to go on with, or None: a new one
    primary    whether this process ends the run
    rank       of this process among those that share the run
    given      whether anybody said which server it is
    limit      bytes that the buffer may take, or None: what the disk has to spare
    """

    url: str
    key: str | None
    team: str | None
    project: str
    directory: Path
    mode: Mode
    run_id: str | None
    primary: bool
    rank: int
    given: bool = True
    limit: int | None = None


class Credentials:
    """The file that `tidelog login` writes: which servers there are, and their keys.

    {"default": url, "servers": {url: {"key": ..., "team": ...}}}, mode 0600.
    """

    def __init__(self, path: Path | None = None) -> None:  # noqa: D107
        self.path = path or config_directory() / "credentials.json"
        content = read_whole(self.path) or {}
        servers = content.get("servers")
        self.servers: dict[str, Any] = servers if isinstance(servers, dict) else {}
        default = content.get("default")
        self.default: str | None = default if isinstance(default, str) else None

    def of(self, url: str) -> dict[str, Any]:
        """Return {"key", "team"} for a server, or {}."""
        found = self.servers.get(url)
        return found if isinstance(found, dict) else {}

    def remember(self, *, url: str, key: str, team: str | None) -> None:
        """Add a server, make it the default, and write the file."""
        self.servers[url] = {"key": key, "team": team}
        self.default = url
        make_directory(self.path.parent)
        write_whole(self.path, {"default": url, "servers": self.servers})


def config_directory() -> Path:
    """Return `~/.tidelog`, or what TIDELOG_CONFIG_DIR says."""
    return Path(os.environ.get("TIDELOG_CONFIG_DIR") or Path.home() / ".tidelog")


def buffer_directory(given: str | os.PathLike[str] | None = None) -> Path:
    """Return the buffer: what was given, else TIDELOG_DIR, else `~/.tidelog/buffer`."""
    chosen = given or os.environ.get("TIDELOG_DIR") or Path.home() / ".tidelog" / "buffer"
    return Path(chosen).expanduser().absolute()


def resolve(
    *,
    project: str | None = None,
    run_id: str | None = None,
    mode: str | None = None,
    directory: str | os.PathLike[str] | None = None,
) -> Settings:
    """Put the settings of a run together. Raises ValueError if one of them makes no sense."""
    environment = os.environ
    credentials = Credentials()
    given = environment.get("TIDELOG_URL") or credentials.default
    url = (given or DEFAULT_URL).rstrip("/")
    known = credentials.of(url)
    team, slug = split_project(project or environment.get("TIDELOG_PROJECT") or DEFAULT_PROJECT)
    rank = rank_of(environment)
    return Settings(
        url=url,
        key=environment.get("TIDELOG_API_KEY") or known.get("key"),
        team=team or known.get("team"),
        project=slug,
        directory=buffer_directory(directory),
        mode=_mode(mode or environment.get("TIDELOG_MODE") or "online"),
        run_id=run_id or environment.get("TIDELOG_RUN_ID") or None,
        primary=rank == 0,
        rank=rank,
        given=given is not None,
        limit=_bytes(environment.get("TIDELOG_BUFFER_LIMIT") or ""),
    )


def _mode(text: str) -> Mode:
    for mode in MODES:
        if mode == text:
            return mode
    raise ValueError(f"mode is {text!r}; it can be {', '.join(MODES)}")


def _bytes(text: str) -> int | None:
    """Return how many bytes "500M", "20G" or "1000000" are, or None for an empty text."""
    if not text:
        return None
    found = re.fullmatch(r"(\d+)\s*([KMGT]?)(i?B)?", text.strip(), re.IGNORECASE)
    if not found:
        raise ValueError(f"TIDELOG_BUFFER_LIMIT is {text!r}; it can be a size such as 500M or 20G")
    return int(found[1]) << 10 * " KMGT".index(found[2].upper() or " ")


def split_project(text: str) -> tuple[str | None, str]:
    """Return (team or None, project), both as slugs, of "team/project" or "project"."""
    team, slash, project = text.strip().partition("/")
    if not slash:
        return None, slug(team)
    return slug(team), slug(project)


def slug(text: str) -> str:
    """Return `text` as it stands in a URL: lower-case letters, digits and dashes."""
    made = re.sub(r"[^a-z0-9_]+", "-", text.lower()).strip("-")[:64].rstrip("-")
    if not made:
        raise ValueError(f"{text!r} cannot name a project; use letters, digits and dashes")
    return made


def rank_of(environment: Mapping[str, str]) -> int:
    """Return which of the processes that share a run this one is, as launchers say it."""
    for name in ("RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "LOCAL_RANK"):
        value = environment.get(name, "")
        if value.isdigit() and (name != "SLURM_PROCID" or "SLURM_NTASKS" in environment):
            return int(value)
    return 0


def key_hint(key: str | None) -> str | None:
    """Return the first 8 digits of the key's SHA-256: enough to tell keys apart, no more."""
    import hashlib

    return hashlib.sha256(key.encode()).hexdigest()[:8] if key else None
