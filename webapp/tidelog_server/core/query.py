"""Values out of a URL's query; what is wrong with them is a sentence."""

from collections.abc import Mapping

from tidelog_server.core.errors import Invalid
from tidelog_server.core.json import is_storable


def whole(
    query: Mapping[str, str], name: str, *, default: int, least: int = 0, most: int = 2**53
) -> int:
    """Return a whole number between `least` and `most`. Raises Invalid."""
    text = query.get(name, "")
    try:
        value = int(text[:20]) if text else default
    except ValueError:
        value = least - 1
    if not least <= value <= most:
        raise Invalid(f"`{name}` is a whole number from {least} to {most}.", code="bad_query")
    return value


def text(query: Mapping[str, str], name: str, *, longest: int = 500) -> str:
    """Return a text, empty when it is absent. Raises Invalid."""
    value = query.get(name, "").strip()
    if len(value) > longest or not is_storable(value):
        raise Invalid(f"`{name}` is too long or contains NUL.", code="bad_query")
    return value
