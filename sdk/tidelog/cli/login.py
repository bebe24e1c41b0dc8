"""`tidelog login [URL] [KEY]`: check a key and remember it."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from typing import Any

from tidelog.settings import DEFAULT_URL, Credentials

ME = "/api/v1/me"


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("login", help="check an API key and remember it")
    parser.add_argument("url", nargs="?", help="the server, such as http://127.0.0.1:8000")
    parser.add_argument("key", nargs="?", help="the API key; asked for if it is left out")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Ask the server who the key belongs to, then write the credentials file."""
    from tidelog.transport import HttpTransport, Unreachable

    credentials = Credentials()
    url = options.url or os.environ.get("TIDELOG_URL") or credentials.default or DEFAULT_URL
    url = url.rstrip("/")
    key = options.key or os.environ.get("TIDELOG_API_KEY") or _ask(url)
    try:
        answer = HttpTransport(url, key).get(ME, {})
    except Unreachable as error:
        print(f"{url}: {error}; nothing was changed", file=sys.stderr)
        return 2
    about = answer.json()
    if answer.status != 200 or not isinstance(about.get("team"), str):
        return _refused(url, answer.status, about)
    credentials.remember(url=url, key=key, team=about["team"])
    print(f"{url}: signed in to team {about['team']}; the key is in {credentials.path}")
    return 0


def _ask(url: str) -> str:
    return getpass.getpass(f"API key for {url}: ").strip()


def _refused(url: str, status: int, about: dict[str, Any]) -> int:
    reason = about.get("message") or f"it answers {status}, which is not what Tidelog answers"
    print(f"{url}: {reason}", file=sys.stderr)
    return 3 if status in (401, 403) else 1
