"""Who is at the other end of a socket, now."""

from collections.abc import Mapping
from typing import Any

from channels.auth import get_user
from django.conf import settings
from django.http import parse_cookie
from django.utils.module_loading import import_string

from tidelog_server.core.gate import Caller, caller_of_scope, header


async def caller_now(scope: Mapping[str, Any]) -> Caller:
    """Return the caller as the database knows them at this moment.

    The session is read again, not taken from the handshake: signing out, a changed password and a
    revoked key close what they opened. Raises Unauthenticated for a key that is no longer good.
    """
    session = import_string(f"{settings.SESSION_ENGINE}.SessionStore")(_session_key(scope))
    user = await get_user({"session": session})
    return await caller_of_scope({**scope, "user": user})


def _session_key(scope: Mapping[str, Any]) -> str | None:
    return parse_cookie(header(scope, b"cookie")).get(settings.SESSION_COOKIE_NAME)
