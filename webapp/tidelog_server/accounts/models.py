from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.timezone import now

from tidelog_server.core.gate import Caller
from tidelog_server.core.ids import uuid7
from tidelog_server.core.json import is_storable


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> "User":
        email = (username or "").strip().lower()
        if not is_storable(email):  # Postgres refuses even to look for it
            raise self.model.DoesNotExist
        return self.get(email=email)


class User(AbstractBaseUser, PermissionsMixin):
    """A person. They sign in with an e-mail address, which is kept in lower case."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=100, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="user_email_is_lower_case", condition=Q(email=Lower("email"))
            ),
        ]

    def __str__(self) -> str:
        return self.email

    def get_full_name(self) -> str:
        return self.name or self.email.partition("@")[0]


class Role(models.TextChoices):
    """What a member may do; `policies.GRANTED_BY_ROLE` says it in actions."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    VIEWER = "viewer"


class TeamQuerySet(models.QuerySet["Team"]):
    def for_caller(self, caller: Caller) -> "TeamQuerySet":
        """The teams that the caller can see; all questions about teams start here."""
        return self.filter(pk__in=caller.team_ids)


class Team(models.Model):
    """Those who see the same projects. Its slug is the first word of its pages' addresses."""

    slug = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(default=now, editable=False)
    members = models.ManyToManyField(User, through="Membership", related_name="teams")

    objects: ClassVar[TeamQuerySet] = TeamQuerySet.as_manager()  # type: ignore[assignment]

    def __str__(self) -> str:
        return self.slug


class Membership(models.Model):
    """A person's place in a team."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.MEMBER)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="member_once_per_team", fields=["team", "user"]),
            models.CheckConstraint(
                name="member_has_a_known_role", condition=Q(role__in=Role.values)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} is {self.role} of {self.team_id}"


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def living(self) -> "ApiKeyQuerySet":
        """Keys that are neither revoked nor expired."""
        return self.filter(revoked_at=None).exclude(expires_at__lte=now())

    def for_caller(self, caller: Caller) -> "ApiKeyQuerySet":
        """Keys of the caller's teams."""
        return self.filter(team_id__in=caller.team_ids)


class ApiKey(models.Model):
    """A person's key to one team. Only its digest is kept; the key itself is shown once."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    team = models.ForeignKey(Team, models.CASCADE, related_name="keys")
    user = models.ForeignKey(User, models.CASCADE, related_name="keys")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=8)
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(default=now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[ApiKeyQuerySet] = ApiKeyQuerySet.as_manager()  # type: ignore[assignment]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}...)"


class SignInLink(models.Model):
    """A link that signs one person in, once, until it expires. Only its digest is kept."""

    digest = models.CharField(max_length=64, unique=True)
    user = models.ForeignKey(User, models.CASCADE, related_name="sign_in_links")
    created_at = models.DateTimeField(default=now, editable=False)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"for {self.user_id} until {self.expires_at}"
