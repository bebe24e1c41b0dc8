"""Whether a socket was opened by one of our own pages."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from tidelog_server.core.gate import header


def is_ours(scope: Mapping[str, Any]) -> bool:
    """Tell whether the page that opens this socket came from here.

    Browsers send cookies along with sockets that any site opens, and always say which site. A
    program that is no browser sends no Origin, and no one else's cookies either.
    """
    origin = header(scope, b"origin")
    if not origin:
        return True
    return urlsplit(origin).netloc.lower() in _our_names(scope)


def _our_names(scope: Mapping[str, Any]) -> set[str]:
    public = urlsplit(settings.PUBLIC_URL).netloc
    return {header(scope, b"host").lower(), public.lower()} - {""}
