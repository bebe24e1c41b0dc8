"""The SDK's credentials file, which `tidelog up` writes so that `import tidelog` just works here.

{"default": url, "servers": {url: {"key", "team"}}}
"""

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def path() -> Path:
    folder = os.environ.get("TIDELOG_CONFIG_DIR") or "~/.tidelog"
    return Path(folder).expanduser() / "credentials.json"


def read() -> dict[str, Any]:
    """Return the file's content; a missing or broken file is an empty one."""
    try:
        content = json.loads(path().read_text())
    except (OSError, ValueError):
        return {"servers": {}}
    if not isinstance(content, dict) or not isinstance(content.get("servers"), dict):
        return {"servers": {}}
    return content


def local_keys() -> list[str]:
    """Return the keys in the file, those of servers on this machine first."""
    servers = read()["servers"]
    urls = sorted(servers, key=lambda url: not is_local(url))
    return [servers[url]["key"] for url in urls if "key" in servers[url]]


def remember(*, url: str, key: str, team: str) -> None:
    """Write a server's key, atomically. It becomes the default unless that is another machine."""
    content = read()
    content["servers"] = _without_former(content["servers"], key) | {
        url: {"key": key, "team": team}
    }
    if is_local(content.get("default") or url):
        content["default"] = url
    file = path()
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = file.with_name(f"{file.name}.{os.getpid()}")
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(content, indent=2) + "\n")
    fresh.replace(file)


def is_local(url: str) -> bool:
    return urlsplit(url).hostname in LOOPBACK


def _without_former(servers: dict[str, Any], key: str) -> dict[str, Any]:
    """Forget the ports where this server was found before."""
    return {url: each for url, each in servers.items() if each.get("key") != key}
