"""What people log, made into what can be written. Nothing here raises for a bad value.

Numbers of numpy, torch and jax are taken by the methods they share, without importing them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tidelog.wire.runs import MAX_DEPTH, MAX_KEY, MAX_KEYS, MAX_TEXT, is_key

Note = Callable[[str, str], None]
MAX_ITEMS = 10_000
TOO_LARGE = 9e15


class BadValue(ValueError):
    """What a strict run raises for a value that cannot be recorded as it is."""


def flat_numbers(values: Mapping[Any, Any], note: Note) -> dict[str, float]:
    """Return nested `values` as {"a/b": number}.

    note  called with (kind, sentence) for everything that could not be taken as it was
    """
    numbers: dict[str, float] = {}
    for path, value in _leaves(values, "", 1, note):
        if len(numbers) >= MAX_KEYS:
            note("too_many_keys", f"more than {MAX_KEYS} keys in one call; the rest is dropped")
            break
        found = as_number(value)
        if found is None:
            kind = type(value).__name__
            note("not_a_number", f"{path[:80]!r} is a {kind}, not a number; dropped")
        else:
            numbers[path] = found
    return numbers


def _leaves(
    values: Mapping[Any, Any], prefix: str, depth: int, note: Note
) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        path = usable_key(f"{prefix}{_text_of(key)}", note)
        if not isinstance(value, Mapping):
            yield path, value
        elif depth >= MAX_DEPTH:
            note("too_deep", f"{path[:80]!r} is nested deeper than {MAX_DEPTH} levels; dropped")
        else:
            yield from _leaves(value, path + "/", depth + 1, note)


def usable_key(key: str, note: Note) -> str:
    """Return `key`, or the nearest thing to it that can name a series."""
    if is_key(key):
        return key
    clean = "".join(c if c.isprintable() else "_" for c in _whole_text(key[: 2 * MAX_KEY]))
    clean = clean.encode()[:MAX_KEY].decode(errors="ignore") or "_"
    note("bad_key", f"the key {key[:40]!r} was shortened or cleaned to {clean[:40]!r}")
    return clean


def _text_of(key: object) -> str:
    if isinstance(key, str):
        return key
    try:
        return str(key)
    except Exception:  # noqa: BLE001  # a user's __str__ may do anything, training goes on
        return type(key).__name__


def _whole_text(text: str) -> str:
    """Replace lone surrogates, which UTF-8 cannot write."""
    return text.encode("utf-8", "replace").decode()


def as_number(value: Any) -> float | None:
    """Return `value` as a float64, or None if it is no single number."""
    if isinstance(value, (int, float)):
        return _float(value)
    if isinstance(value, (str, bytes)):
        return None
    try:
        return _foreign_number(value)
    except Exception:  # noqa: BLE001  # foreign conversions raise whatever they like
        return None


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _foreign_number(value: Any) -> float | None:
    if hasattr(value, "item"):  # arrays and tensors of one element
        value = value.item()
        return _float(value) if isinstance(value, (int, float)) else None
    if hasattr(value, "__float__") or hasattr(value, "__index__"):
        return float(value)
    return None


def as_step(step: Any) -> float | None:
    """Return `step` as a finite number that JSON can hold, or None if it is none."""
    if isinstance(step, int) and -TOO_LARGE < step < TOO_LARGE:
        return int(step)
    found = as_number(step)
    return found if found is not None and math.isfinite(found) else None


def as_attribute(value: Any, note: Note, depth: int = 1) -> Any:
    """Return `value` of a config or summary as JSON can hold it.

    Numbers keep their kind, containers keep their shape, texts above 64 KiB are cut, and
    anything else becomes the text that `str` makes of it.
    """
    if value is None or isinstance(value, (bool, float)):
        return value
    if isinstance(value, int):
        return int(value) if -(2**63) <= value < 2**63 else float_or_text(value)
    if isinstance(value, str):
        return as_text(value, note)
    if depth >= MAX_DEPTH:
        note("too_deep", f"a value is nested deeper than {MAX_DEPTH} levels; dropped")
        return None
    if isinstance(value, Mapping):
        pairs = list(value.items())[:MAX_ITEMS]
        return {_key(k, note): as_attribute(v, note, depth + 1) for k, v in pairs}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [as_attribute(item, note, depth + 1) for item in list(value)[:MAX_ITEMS]]
    return _foreign(value, note, depth)


def _key(key: object, note: Note) -> str:
    return usable_key(_text_of(key), note)


def float_or_text(value: int) -> float | str:
    """Return a whole number beyond 64 bits as the nearest float, or as text."""
    try:
        return float(value)
    except OverflowError:
        return f"{'-' if value < 0 else ''}a whole number of {value.bit_length()} bits"


def _foreign(value: Any, note: Note, depth: int) -> Any:
    """Take what numpy, torch or the caller made: arrays as lists, the rest as text."""
    try:
        if hasattr(value, "tolist") and getattr(value, "size", MAX_ITEMS) != MAX_ITEMS:
            small = not callable(value.size) and value.size <= 1_000
            return as_attribute(value.tolist() if small else str(value), note, depth + 1)
        if hasattr(value, "item"):
            return as_attribute(value.item(), note, depth + 1)
        return as_text(str(value), note)
    except BadValue:
        raise
    except Exception:  # noqa: BLE001  # a user's __str__ may do anything, training goes on
        return f"<{type(value).__name__}>"


def as_text(text: str, note: Note) -> str:
    """Return `text` in at most 64 KiB of UTF-8."""
    if len(text) * 4 <= MAX_TEXT and text.isascii():
        return str(text)
    data = text.encode("utf-8", "replace")
    if len(data) <= MAX_TEXT:
        return data.decode()
    note("cut", f"a text of {len(data)} bytes was cut to {MAX_TEXT}")
    return data[: MAX_TEXT - 20].decode(errors="ignore") + " [cut by tidelog]"


def flat_attributes(values: Mapping[Any, Any], note: Note) -> list[tuple[str, Any]]:
    """Return nested `values` as [("a/b", value)], ready for a SET record."""
    flat: list[tuple[str, Any]] = []
    for path, value in _leaves(values, "", 1, note):
        if len(flat) >= MAX_KEYS:
            note("too_many_keys", f"more than {MAX_KEYS} keys at once; the rest is dropped")
            break
        flat.append((path, as_attribute(value, note)))
    return flat
