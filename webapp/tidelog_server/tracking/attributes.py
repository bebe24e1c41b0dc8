"""SET records, applied to a run's fields: the last writer of each path wins. Pure.

Streams of several ranks arrive in any order, so who was last is told by (wall ms, stream, seq),
which the run remembers for each path in `Run.written`.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from tidelog.wire.runs import MAX_KEYS, is_key, number

DICTS = frozenset({"config", "summary", "environment"})
# What holds a single text, and how long it may be.
TEXTS = {"name": 200, "notes": 100_000, "group": 200, "job_type": 200}
LONGEST_TAG = 100
MOST_TAGS = 100
DEEPEST = 16

Stamp = list[Any]


class Attributes(Protocol):
    """The part of a run that SET records change."""

    name: str
    notes: str
    group: str
    job_type: str
    command: str
    tags: Any
    config: Any
    summary: Any
    environment: Any
    written: Any


def apply_set(run: Attributes, payload: Mapping[str, Any], *, stream: str, seq: int) -> str:
    """Apply a SET record to `run`; returns why it cannot be, or "" when it was."""
    kind, ops = payload.get("k"), payload.get("ops")
    if not isinstance(ops, list) or not all(_is_op(op) for op in ops):
        return "bad_record"
    stamp = [number(payload.get("t")) or 0.0, stream, seq]
    if kind in DICTS:
        return _set_paths(run, str(kind), ops, stamp)
    if kind in TEXTS or kind == "tags":
        return _set_whole(run, str(kind), ops, stamp)
    return "unknown_kind"


def set_by_hand(run: Attributes, kind: str, value: Any, *, wall: float) -> None:
    """Give a text or the tags a value that a person chose now."""
    if _wins(run, kind, "", [wall * 1000, "", 0]):
        setattr(run, kind, value)


def apply_last_values(run: Attributes, values: Mapping[str, Any]) -> None:
    """Put the last values of metrics into the summary, but for keys that a script set itself."""
    own = run.written.get("summary", {})
    run.summary = {**run.summary, **{k: v for k, v in values.items() if k not in own}}


def _is_op(op: Any) -> bool:
    return isinstance(op, list) and len(op) == 2 and isinstance(op[0], str)


def _set_paths(run: Attributes, kind: str, ops: list[Any], stamp: Stamp) -> str:
    paths = [pair for path, value in ops for pair in flat(path, value)]
    values = dict(getattr(run, kind))
    if not all(is_key(path) for path, _ in paths):
        return "bad_key"
    if len(values.keys() | {path for path, _ in paths}) > MAX_KEYS:
        return "too_many_keys"
    values |= {path: value for path, value in paths if _wins(run, kind, path, stamp)}
    setattr(run, kind, values)
    if kind == "environment":
        run.command = _command(values)
    return ""


def _set_whole(run: Attributes, kind: str, ops: list[Any], stamp: Stamp) -> str:
    for _, value in ops:
        chosen = _tags(value) if kind == "tags" else _text(kind, value)
        if chosen is None:
            return "bad_value"
        if _wins(run, kind, "", stamp):
            setattr(run, kind, chosen)
    return ""


def _wins(run: Attributes, kind: str, path: str, stamp: Stamp) -> bool:
    written = run.written.setdefault(kind, {})
    if path in written and written[path] > stamp:
        return False
    written[path] = stamp
    return True


def flat(path: str, value: Any, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield ("a/b", value) for every leaf of a nested dict."""
    if isinstance(value, dict) and value and depth < DEEPEST:
        for key, inner in value.items():
            yield from flat(f"{path}/{key}" if path else key, inner, depth + 1)
    else:
        yield path, value


def _text(kind: str, value: Any) -> str | None:
    return value[: TEXTS[kind]] if isinstance(value, str) else "" if value is None else None


def _tags(value: Any) -> list[str] | None:
    if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
        return None
    return list(dict.fromkeys(tag[:LONGEST_TAG] for tag in value if tag))[:MOST_TAGS]


def _command(environment: Mapping[str, Any]) -> str:
    command = environment.get("command", "")
    return " ".join(map(str, command)) if isinstance(command, list) else str(command or "")
