"""JSON at the borders: strict about what comes in, honest about NaN in what goes out."""

import json
import math
import re
from typing import Any, NoReturn

import orjson

from tidelog.wire.runs import MAX_DEPTH, jsonable
from tidelog_server.core.errors import BadRequest

# Postgres cannot keep these in a jsonb, and UTF-8 cannot say half of a surrogate pair.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
DEEPEST = MAX_DEPTH + 8
LARGEST_INT = 2**63


def dumps(value: Any) -> bytes:
    """Return `value` as JSON; NaN and the infinities become the strings of the wire format."""
    return orjson.dumps(jsonable(value), option=orjson.OPT_NON_STR_KEYS)


def parse(data: bytes | str, *, storable_only: bool = True) -> Any:
    """Parse what a client sent: no bare NaN, no key twice, no abyss. Raises BadRequest.

    storable_only  refuse also what a database cannot keep, rather than leave that to the caller
    """
    try:
        value = json.loads(data, parse_constant=_refuse, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"The JSON does not parse: {error}.", code="bad_json") from error
    return storable(value) if storable_only else value


def _refuse(name: str) -> NoReturn:
    raise ValueError(f'bare {name}; write it as the string "{name}"')


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("an object names a key twice")
    return value


def storable(value: Any) -> Any:
    """Return `value` unchanged if every database can keep it. Raises BadRequest."""
    level, depth = [value], 0
    while level:
        if depth > DEEPEST:
            raise BadRequest(f"The JSON is nested deeper than {DEEPEST} levels.", code="too_deep")
        level = [inner for item in level for inner in _inside(item)]
        depth += 1
    return value


def is_storable(value: Any) -> bool:
    """Whether every database can keep `value`."""
    try:
        storable(value)
    except BadRequest:
        return False
    return True


def _inside(item: Any) -> list[Any]:
    """Return what `item` contains, one level down; leaves are judged here."""
    if isinstance(item, dict):
        return [*item, *item.values()]
    if isinstance(item, list):
        return item
    if isinstance(item, str) and UNSTORABLE.search(item):
        raise BadRequest(
            "A text contains NUL or half of a surrogate pair; remove it.", code="bad_text"
        )
    if isinstance(item, int) and not -LARGEST_INT <= item < LARGEST_INT:
        raise BadRequest("A whole number does not fit 64 bits.", code="bad_number")
    if isinstance(item, float) and not math.isfinite(item):
        raise BadRequest("A number does not fit 64 bits.", code="bad_number")
    return []
