from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from tidelog_server.accounts.models import Team
from tidelog_server.accounts.policies import SCOPES
from tidelog_server.accounts.selectors import person, teams_of
from tidelog_server.core.api import GatedView
from tidelog_server.core.gate import SignedIn


class PersonShape(serializers.Serializer[Any]):
    email = serializers.EmailField()
    name = serializers.CharField()


class MeShape(serializers.Serializer[Any]):
    user = PersonShape()
    team = serializers.CharField(allow_null=True)
    teams = serializers.ListField(child=serializers.CharField())
    scopes = serializers.ListField(child=serializers.ChoiceField(sorted(SCOPES)))


class MeView(GatedView):
    """Who asks: the person, the teams they see and, with a key, its team and scopes."""

    opens: ClassVar = SignedIn()

    @extend_schema(operation_id="me", responses=MeShape)
    def get(self, request: Request) -> Response:
        teams = teams_of(self.caller)
        return Response(
            {
                "user": person(self.caller.user),
                "team": _own_team(teams, self.caller.team),
                "teams": [team.slug for team in teams],
                "scopes": sorted(SCOPES if self.caller.scopes is None else self.caller.scopes),
            }
        )


def _own_team(teams: list[Team], own: int | None) -> str | None:
    """Return the key's team, or the only team of a person; None if there is a choice."""
    mine = [team.slug for team in teams if own is None or team.pk == own]
    return mine[0] if len(mine) == 1 else None
