"""Flat "a/b" keys as a tree, for pages that show a config."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# A group that is longer begins closed.
OPEN_UP_TO = 20


@dataclass(slots=True)
class Branch:
    """Values and groups under one name, each in the order of their names.

    name    the part of the key that the group stands for
    leaves  (the key's last part, the whole key, the value)
    """

    name: str = ""
    leaves: list[tuple[str, str, Any]] = field(default_factory=list)
    groups: list["Branch"] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.leaves) + sum(group.count for group in self.groups)

    @property
    def open(self) -> bool:
        return self.count <= OPEN_UP_TO


def tree_of(values: Mapping[str, Any]) -> Branch:
    """Return the tree of flat keys."""
    root = Branch()
    for key, value in sorted(values.items()):
        *path, name = key.split("/")
        _group(root, path).leaves.append((name, key, value))
    return root


def _group(branch: Branch, path: list[str]) -> Branch:
    for name in path:
        known = next((group for group in branch.groups if group.name == name), None)
        if known is None:
            known = Branch(name)
            branch.groups.append(known)
        branch = known
    return branch
