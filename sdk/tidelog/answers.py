"""What an answer of the server means. Pure: the sender does what is said here.

ok        the batch is stored up to `next`
rewind    the server wants another batch: it has [0, next)
retry     nothing is known; try again, later
halve     too large: send fewer records
bisect    something in it is bad: find out what
auth      the key is not good (any more)
missing   no such project for this key
deleted   the run was deleted: keep the files, send no more
upgrade   the server speaks a later protocol
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeGuard

Verdict = Literal[
    "ok", "rewind", "retry", "halve", "bisect", "auth", "missing", "deleted", "upgrade"
]
MAX_RETRY_AFTER = 3600.0

BY_STATUS: Mapping[int, Verdict] = {
    400: "bisect",
    401: "auth",
    403: "auth",
    404: "missing",
    413: "halve",
    422: "bisect",
    426: "upgrade",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back over HTTP. Header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """Return the JSON object in the body, or {} if there is none."""
        if not self.headers.get("content-type", "").startswith("application/json"):
            return {}
        try:
            content = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return content if isinstance(content, dict) else {}


@dataclass(frozen=True, slots=True)
class Meaning:
    """A verdict and what goes with it.

    next     where the server is, for "ok" and "rewind"
    after    seconds that the server asks to wait, or None
    message  one sentence for people
    content  the answer's JSON
    """

    verdict: Verdict
    next: int = 0
    after: float | None = None
    message: str = ""
    content: Mapping[str, Any] = field(default_factory=dict)


def meaning(answer: Answer, *, stream: str, start: int, end: int) -> Meaning:
    """Say what the answer to the batch [start, end) of `stream` means."""
    content = answer.json()
    if answer.status == 200:
        following = acknowledged(content, stream=stream, start=start, end=end)
        if following is None:
            return Meaning("retry", message="something on the way answers instead of the server")
        return Meaning("ok", next=following, content=content)
    message = str(content.get("message") or f"the server answers {answer.status}")
    code = content.get("code")
    if answer.status == 409 and code == "seq_gap" and _is_count(content.get("next")):
        return Meaning("rewind", next=content["next"], message=message)
    if answer.status == 410 and code == "run_deleted":
        return Meaning("deleted", message=message)
    if code == "unknown_version":
        return Meaning("upgrade", message=message)
    verdict = BY_STATUS.get(answer.status, "retry")
    if verdict in ("bisect", "auth", "missing") and not content:
        verdict = "auth" if verdict == "auth" else "retry"  # a proxy's page, not our server
    return Meaning(verdict, after=retry_after(answer.headers), message=message)


def acknowledged(content: Mapping[str, Any], *, stream: str, start: int, end: int) -> int | None:
    """Return how far the server has the stream, or None: then this is no acknowledgement."""
    following = content.get("next")
    if content.get("stream") != stream or not _is_count(following):
        return None
    return following if start <= following <= end else None


def _is_count(value: object) -> TypeGuard[int]:
    return type(value) is int and value >= 0


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that the server asks for, from 0 to an hour; None for junk."""
    text = headers.get("retry-after", "").strip()
    return min(float(text), MAX_RETRY_AFTER) if text.isdecimal() and len(text) < 9 else None
