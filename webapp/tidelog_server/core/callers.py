"""Who asks, and what a route says about itself; `gate` decides with them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tidelog_server.core.errors import MethodNotAllowed


class Action(StrEnum):
    """What can be done to a team and to all that belongs to it."""

    READ = "read"
    INGEST = "ingest"
    WRITE = "write"
    MANAGE = "manage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who is asking, and what they may do in which team.

    user    the person; None: nobody is signed in
    key     the API key that speaks for the person, if one does
    roles   team id -> the person's role there; with a key, only the key's own team
    grants  team id -> the actions allowed there (role and, with a key, scopes)
    scopes  the key's scopes; None: a person in a browser
    team    the key's own team id, which a project named without a team belongs to
    """

    user: Any = None
    key: Any = None
    roles: Mapping[int, str] = field(default_factory=dict)
    grants: Mapping[int, frozenset[Action]] = field(default_factory=dict)
    scopes: frozenset[str] | None = None
    team: int | None = None

    @property
    def is_anonymous(self) -> bool:
        return self.user is None

    @property
    def is_operator(self) -> bool:
        """Whether they run this server: its health and figures are theirs to see, no more."""
        return self.user is not None and bool(self.user.is_superuser)

    @property
    def team_ids(self) -> list[int]:
        """The teams that the caller can see."""
        return list(self.roles)

    def may(self, action: Action, team_id: int) -> bool:
        return action in self.grants.get(team_id, ())


NOBODY = Caller()


@dataclass(frozen=True, slots=True)
class Opens:
    """A route's declaration: the kind of object its URL names, and the action of each method."""

    kind: str
    actions: Mapping[str, Action]

    def action_of(self, method: str) -> Action:
        """Return the action that `method` is here. Raises MethodNotAllowed."""
        action = self.actions.get("GET" if method == "HEAD" else method)
        if action is None:
            raise MethodNotAllowed
        return action


@dataclass(frozen=True, slots=True)
class Public:
    """A route that is open to everyone, and why."""

    why: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A route that needs a person or a key, but names no object."""


@dataclass(frozen=True, slots=True)
class OperatorOnly:
    """A route for those who run the server."""


Declaration = Opens | Public | SignedIn | OperatorOnly
