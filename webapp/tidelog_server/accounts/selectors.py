"""Questions about people that change nothing."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser

from tidelog_server.accounts.keys import digest, is_key
from tidelog_server.accounts.models import ApiKey, Membership, Team, User
from tidelog_server.accounts.policies import granted
from tidelog_server.core import gate
from tidelog_server.core.errors import NotFound
from tidelog_server.core.gate import Caller


def key_of(secret: str) -> ApiKey | None:
    """Return the living key that `secret` is, with its person and team."""
    if not is_key(secret):
        return None
    living = ApiKey.objects.living().filter(user__is_active=True)
    return living.select_related("user", "team").filter(digest=digest(secret)).first()


def caller_with_key(key: ApiKey) -> Caller:
    """Return whom a key speaks for: its person, in its team only, within its scopes."""
    scopes = frozenset(key.scopes)
    roles = dict(
        Membership.objects.filter(team_id=key.team_id, user_id=key.user_id).values_list(
            "team_id", "role"
        )
    )
    return Caller(
        user=key.user,
        key=key,
        roles=roles,
        grants={team: granted(role, scopes) for team, role in roles.items()},
        scopes=scopes,
        team=key.team_id,
    )


def caller_with_session(user: AbstractBaseUser) -> Caller:
    """Return the caller that a signed-in person is: every team of theirs, by role."""
    roles = dict(Membership.objects.filter(user_id=user.pk).values_list("team_id", "role"))
    return Caller(
        user=user, roles=roles, grants={team: granted(role, None) for team, role in roles.items()}
    )


def teams_of(caller: Caller) -> list[Team]:
    """Return the teams that a caller can see, by name."""
    return list(Team.objects.for_caller(caller).order_by("slug"))


def person(user: User) -> dict[str, Any]:
    """Return a person as the API shows them."""
    return {"email": user.email, "name": user.get_full_name()}


@gate.resolves("team", team_of=lambda team: team.pk)
def visible_team(caller: Caller, kwargs: Mapping[str, Any]) -> Team | None:
    return Team.objects.for_caller(caller).filter(slug=kwargs["team"]).first()


def user_called(email: str) -> User:
    """Return the person with this address. Raises NotFound."""
    user = User.objects.filter(email=email.strip().lower()).first()
    if user is None:
        raise NotFound(f"There is no user {email}.")
    return user


def team_called(slug: str) -> Team:
    """Return the team with this slug. Raises NotFound."""
    team = Team.objects.filter(slug=slug).first()
    if team is None:
        raise NotFound(f"There is no team {slug}.")
    return team


def key_called(name: str) -> ApiKey:
    """Return the key with this id or this secret. Raises NotFound."""
    found = ApiKey.objects.filter(digest=digest(name)).first()
    if found is None:
        with suppress(ValueError):
            found = ApiKey.objects.filter(pk=UUID(name)).first()
    if found is None:
        raise NotFound("There is no such key.")
    return found
