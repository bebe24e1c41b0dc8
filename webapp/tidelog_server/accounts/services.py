"""What can be done to people, teams and keys: one function, one change."""

import getpass
import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import DatabaseError, transaction
from django.db.models import Q
from django.utils.timezone import now

from tidelog.wire.runs import SLUG
from tidelog_server.accounts.keys import SHOWN, digest, new_key
from tidelog_server.accounts.models import ApiKey, Membership, Role, SignInLink, Team, User
from tidelog_server.accounts.policies import DEFAULT_SCOPES, SCOPES
from tidelog_server.accounts.selectors import caller_with_key, caller_with_session, key_of
from tidelog_server.core import gate
from tidelog_server.core.errors import Conflict, Invalid, NotFound
from tidelog_server.core.gate import Caller
from tidelog_server.core.writer import without_waiting

# First words of our own addresses: no team can be called so.
_RESERVED = """
account accounts admin api assets docs favicon.ico healthz help home login logout manifest.json me
metrics new readyz reports robots.txt settings share start static status teams user users ws
"""
RESERVED_SLUGS = frozenset(_RESERVED.split())
LAST_USED_EVERY = timedelta(minutes=1)


class Identity:
    """Answers the gate's "who is this?"."""

    def by_key(self, key: str) -> Caller | None:
        found = key_of(key)
        if found is None:
            return None
        _note_use(found)
        return caller_with_key(found)

    def by_user(self, user: Any) -> Caller:
        return caller_with_session(user)


def _note_use(key: ApiKey) -> None:
    moment = now()
    stale = Q(last_used_at=None) | Q(last_used_at__lt=moment - LAST_USED_EVERY)
    if key.last_used_at is not None and key.last_used_at >= moment - LAST_USED_EVERY:
        return
    try:
        with without_waiting():
            ApiKey.objects.filter(stale, pk=key.pk).update(last_used_at=moment)
    except DatabaseError:
        # A full disk or a busy writer must not refuse a good key for the sake of a statistic.
        return


def create_user(
    *, email: str, name: str = "", password: str | None = None, operator: bool = False
) -> User:
    """Add a person; without a password they sign in by link.

    operator  they run this server: they see its status page and its figures, nobody's runs

    Raises Invalid (no e-mail address, weak password) or Conflict (the address is taken).
    """
    address = email.strip().lower()
    user = User(email=address, name=name.strip(), is_superuser=operator)
    try:
        validate_email(address)
        if password is not None:
            _check_password(password, user)
    except ValidationError as error:
        raise Invalid(" ".join(error.messages)) from error
    if User.objects.filter(email=address).exists():
        raise Conflict(f"There is already a user {address}.", code="user_exists")
    user.set_password(password)
    user.save()
    return user


def _check_password(password: str, user: User) -> None:
    if len(password) > settings.PASSWORD_MAX_LENGTH:
        raise ValidationError(f"A password has at most {settings.PASSWORD_MAX_LENGTH} characters.")
    validate_password(password, user)


@transaction.atomic
def create_team(*, slug: str, name: str = "", owner: User | None = None) -> Team:
    """Add a team, with its owner. Raises Invalid or Conflict."""
    if not SLUG.fullmatch(slug) or slug in RESERVED_SLUGS:
        raise Invalid(
            "A team's name is 1 to 64 lower-case letters, digits, '.', '_' or '-', "
            "and none of the words that our own pages use.",
            code="bad_slug",
        )
    if Team.objects.filter(slug=slug).exists():
        raise Conflict(f"There is already a team {slug}.", code="team_exists")
    team = Team.objects.create(slug=slug, name=name or slug)
    if owner is not None:
        add_member(team=team, user=owner, role=Role.OWNER)
    return team


def add_member(*, team: Team, user: User, role: str = Role.MEMBER) -> Membership:
    """Add a person to a team, or give a member another role. Raises Invalid."""
    if role not in Role.values:
        raise Invalid(f"A role is one of {', '.join(Role.values)}.", code="bad_role")
    member, _ = Membership.objects.update_or_create(team=team, user=user, defaults={"role": role})
    gate.forget_keys()
    return member


def create_key(
    *,
    team: Team,
    user: User,
    name: str = "key",
    scopes: Sequence[str] = DEFAULT_SCOPES,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Make a key for a member; returns it and its secret, which is never shown again.

    Raises Invalid (unknown scope, not a member).
    """
    if not scopes or not set(scopes) <= SCOPES:
        raise Invalid(f"Scopes are among {', '.join(sorted(SCOPES))}.", code="bad_scope")
    if not Membership.objects.filter(team=team, user=user).exists():
        raise Invalid(f"{user.email} is not a member of {team.slug}.", code="not_a_member")
    secret = new_key()
    key = ApiKey.objects.create(
        team=team,
        user=user,
        name=name,
        prefix=secret[:SHOWN],
        digest=digest(secret),
        scopes=sorted(set(scopes)),
        expires_at=expires_at,
    )
    return key, secret


def revoke_key(*, key: ApiKey) -> None:
    """End a key: at once in this process, within seconds in the others."""
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now())
    gate.forget_keys()


def make_sign_in_link(*, user: User, valid_for: timedelta = timedelta(hours=1)) -> str:
    """Return the token of a link that signs `user` in once: `/login/link/<token>`."""
    token = secrets.token_urlsafe(32)
    SignInLink.objects.create(user=user, digest=digest(token), expires_at=now() + valid_for)
    return token


def redeem_sign_in_link(*, token: str) -> User:
    """Return whom the link signs in, and use it up.

    Raises NotFound if it is unknown, expired or used: all three look the same.
    """
    usable = SignInLink.objects.filter(
        digest=digest(token), used_at=None, expires_at__gt=now(), user__is_active=True
    )
    # The update is the claim: of two clicks on one link, one wins.
    if not usable.update(used_at=now()):
        raise NotFound("This link has been used or has expired; ask for a new one.")
    return SignInLink.objects.select_related("user").get(digest=digest(token)).user


@transaction.atomic
def ensure_owner() -> tuple[User, Team]:
    """Return the owner of this installation and their team; a fresh database gets both.

    The owner is an operator, unless somebody else is.

    The team is named after the operating system's user, or "local".
    """
    membership = (
        Membership.objects.filter(role=Role.OWNER)
        .select_related("user", "team")
        .order_by("pk")
        .first()
    )
    if membership is not None:
        _make_operator(membership.user)
        return membership.user, membership.team
    name = _login_name()
    email = f"{name}@localhost.localdomain"
    user = User.objects.filter(email=email).first() or create_user(email=email, name=name)
    team = Team.objects.filter(slug=name).first() or create_team(slug=name)
    add_member(team=team, user=user, role=Role.OWNER)
    _make_operator(user)
    return user, team


def _make_operator(user: User) -> None:
    """The first owner, unless somebody else runs this server."""
    if not User.objects.filter(is_superuser=True).exists():
        user.is_superuser = True
        user.save(update_fields=["is_superuser"])


def _login_name() -> str:
    try:
        login = getpass.getuser()
    except (KeyError, OSError):  # no entry in the password file, as in many containers
        login = ""
    slug = re.sub(r"[^a-z0-9]+", "-", login.lower()).strip("-")[:64]
    return slug if slug and slug not in RESERVED_SLUGS else "local"
