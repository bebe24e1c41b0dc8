"""REST views behind the gate."""

from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.views import APIView

from tidelog_server.core import errors, gate
from tidelog_server.core.gate import Action as Action
from tidelog_server.core.gate import Caller, Opens, SignedIn


class GatedView(APIView):
    """A REST view that says what it opens. `self.caller` asks, `self.subject` is the object.

    `self.subject` is what the URL names; None where the view opens `SignedIn()`.
    """

    opens: ClassVar[Opens | SignedIn]
    caller: Caller
    subject: Any = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.caller = gate.caller_of(request._request)
        if self.caller.is_anonymous:
            raise errors.Unauthenticated
        if isinstance(self.opens, Opens):
            self.subject = gate.check(self.caller, self.opens, str(request.method), kwargs)


def object_in(request: Request) -> dict[str, Any]:
    """Return the JSON object that was sent. Raises BadRequest."""
    if not isinstance(request.data, dict):
        raise errors.BadRequest("Send a JSON object.")
    return request.data
