"""Who may do what: a role allows actions, a key's scopes narrow them, both must agree."""

from collections.abc import Collection, Mapping
from typing import Final

from tidelog_server.core.gate import Action

GRANTED_BY_ROLE: Final[Mapping[str, frozenset[Action]]] = {
    "owner": frozenset(Action),
    "admin": frozenset(Action),
    "member": frozenset({Action.READ, Action.INGEST, Action.WRITE}),
    "viewer": frozenset({Action.READ}),
}
GRANTED_BY_SCOPE: Final[Mapping[str, frozenset[Action]]] = {
    "ingest": frozenset({Action.INGEST}),
    "read": frozenset({Action.READ}),
    "write": frozenset({Action.READ, Action.WRITE}),
    "admin": frozenset({Action.READ, Action.WRITE, Action.MANAGE}),
}
SCOPES: Final = frozenset(GRANTED_BY_SCOPE)
DEFAULT_SCOPES: Final = ("ingest", "read", "write")


def granted(role: str, scopes: Collection[str] | None) -> frozenset[Action]:
    """Return the actions of a role, narrowed by a key's scopes (None: no key, no narrowing)."""
    by_role = GRANTED_BY_ROLE.get(role, frozenset())
    if scopes is None:
        return by_role
    by_scope = (GRANTED_BY_SCOPE.get(scope, frozenset()) for scope in scopes)
    return by_role & frozenset[Action]().union(*by_scope)
