from functools import cache
from uuid import uuid4

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


@cache
def server_identity() -> tuple[str, str]:
    """Return (server, epoch) as text; asked of the database once a process."""
    identity = ServerIdentity.current()
    return str(identity.server), str(identity.epoch)
