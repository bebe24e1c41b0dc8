import time
from uuid import UUID, uuid4

from django.db import models


class ServerIdentity(models.Model):
    """Who answers: one row, made by the first to ask.

    server  for good
    epoch   renewed when the data went back in time (a restored backup), so that clients send again
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    server = models.UUIDField(default=uuid4, editable=False)
    epoch = models.UUIDField(default=uuid4)

    class Meta:
        constraints = [
            models.CheckConstraint(name="server_has_one_identity", condition=models.Q(id=1)),
        ]

    def __str__(self) -> str:
        return str(self.server)

    @classmethod
    def current(cls) -> "ServerIdentity":
        return cls.objects.get_or_create(id=1)[0]

    @classmethod
    def renew_epoch(cls) -> UUID:
        """Say that the data went back in time; every process knows within seconds."""
        identity = cls.current()
        identity.epoch = uuid4()
        identity.save(update_fields=["epoch"])
        forget_identity()
        return identity.epoch


# A restored backup has a new epoch; every process learns it within this time.
IDENTITY_SECONDS = 5.0
_remembered: list[tuple[float, tuple[str, str]]] = []


def server_identity() -> tuple[str, str]:
    """Return (server, epoch) as text; asked of the database every few seconds."""
    known = remembered_identity()
    if known is None:
        identity = ServerIdentity.current()
        known = str(identity.server), str(identity.epoch)
        _remembered[:] = [(time.monotonic() + IDENTITY_SECONDS, known)]
    return known


def remembered_identity() -> tuple[str, str] | None:
    """Return what `server_identity` said a moment ago, without the database."""
    for until, known in _remembered:
        if time.monotonic() < until:
            return known
    return None


def forget_identity() -> None:
    """Ask the database again: the identity was just changed."""
    _remembered.clear()
