"""`run.config` and `run.summary`: dicts whose changes are recorded as they are made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from typing import Any

from tidelog import values


class Attributes(MutableMapping[str, Any]):
    """A dict that writes a SET record for each change.

    Nested dicts are flattened: `config["optimizer"] = {"lr": 0.1}` sets "optimizer/lr", and
    `config["optimizer"]` gives the dict back. A key can be set again; it is never removed
    from the record, only set to None.
    """

    def __init__(  # noqa: D107
        self,
        write: Callable[[Sequence[tuple[str, Any]]], None],
        note: values.Note,
    ) -> None:
        self._write = write
        self._note = note
        self._flat: dict[str, Any] = {}

    def __getitem__(self, key: str) -> Any:
        """Return a value, or the dict of those below `key`."""
        if key in self._flat:
            return self._flat[key]
        below = {
            path[len(key) + 1 :]: value
            for path, value in self._flat.items()
            if path.startswith(f"{key}/")
        }
        if not below:
            raise KeyError(key)
        return _nested(below)

    def __setitem__(self, key: str, value: Any) -> None:
        """Set one value and record it."""
        self._set({key: value})

    def __delitem__(self, key: str) -> None:
        """Forget a value; the record says it is None from now on."""
        gone = [path for path in self._flat if path == key or path.startswith(f"{key}/")]
        if not gone:
            raise KeyError(key)
        for path in gone:
            del self._flat[path]
        self._write([(path, None) for path in gone])

    def __iter__(self) -> Iterator[str]:
        """Iterate over the flat paths."""
        return iter(self._flat)

    def __len__(self) -> int:
        """Count the flat paths."""
        return len(self._flat)

    def __repr__(self) -> str:
        """Show what is set."""
        return repr(self._flat)

    def update(self, *others: Any, **named: Any) -> None:
        """Set many values at once, in one record."""
        self._set(dict(*others, **named))

    def _set(self, content: Mapping[Any, Any]) -> None:
        ops = values.flat_attributes(content, self._note)
        if ops:
            self._flat.update(ops)
            self._write(ops)


def _nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path, value in flat.items():
        *parents, last = path.split("/")
        place = tree
        for parent in parents:
            inner = place.setdefault(parent, {})
            place = inner if isinstance(inner, dict) else place
        place[last] = value
    return tree


def as_config(config: Any) -> Mapping[Any, Any]:
    """Return a dict of what was given as config: a mapping, a namespace, a dataclass."""
    if config is None:
        return {}
    if isinstance(config, Mapping):
        return config
    if hasattr(config, "__dict__"):
        return dict(vars(config))
    fields = getattr(config, "__dataclass_fields__", None)
    if fields is not None:
        return {name: getattr(config, name) for name in fields}
    raise TypeError(f"config takes a dict, not a {type(config).__name__}")
