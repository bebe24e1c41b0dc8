"""The one place where it is decided who may do what.

Everything is denied until it is declared. A route says which *kind* of object its URL names and
which *action* each method is; the gate finds the object among those that the caller can see, and
only then runs the view. What is foreign is answered exactly like what is missing.

    class RunView(GatedView):                                   # REST
        opens = Opens("run", {"GET": Action.READ, "PATCH": Action.WRITE})

    @opens("project", Action.READ)                              # pages
    def workspace(request, project): ...

    @public("a load balancer asks this without a key")
    def alive(request): ...

The apps that own people and objects register themselves: `identifies` (who is this?) and
`resolves` (which object does this URL name?).
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlencode

import structlog
from channels.db import database_sync_to_async
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect, resolve_url

from tidelog_server.core import limits
from tidelog_server.core.callers import NOBODY as NOBODY
from tidelog_server.core.callers import Action as Action
from tidelog_server.core.callers import Caller as Caller
from tidelog_server.core.callers import Declaration as Declaration
from tidelog_server.core.callers import Opens as Opens
from tidelog_server.core.callers import OperatorOnly as OperatorOnly
from tidelog_server.core.callers import Public as Public
from tidelog_server.core.callers import SignedIn as SignedIn
from tidelog_server.core.errors import ApiError, Forbidden, MethodNotAllowed, NotFound, TooOften
from tidelog_server.core.errors import Unauthenticated as Unauthenticated

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser
    from django.http.response import HttpResponseBase

log = structlog.get_logger(__name__)

# A revoked key is forgotten after this long, in every process.
KEY_CACHE_SECONDS = 10.0
KEY_CACHE_SIZE = 10_000

SAFE_METHODS = frozenset({"GET", "HEAD"})


class Identity(Protocol):
    """Who a key or a signed-in person is; accounts knows."""

    def by_key(self, key: str) -> Caller | None: ...
    def by_user(self, user: AbstractBaseUser) -> Caller: ...


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object: how to find the one a URL names, and whose it is."""

    find: Callable[[Caller, Mapping[str, Any]], Any]
    team_of: Callable[[Any], int]


_kinds: dict[str, Kind] = {}
_identity: list[Identity] = []
_keys: dict[str, tuple[float, Caller]] = {}


def identifies(identity: Identity) -> None:
    """Register who answers "who is this?"."""
    _identity[:] = [identity]


def resolves(name: str, *, team_of: Callable[[Any], int]) -> Callable[..., Any]:
    """Register a finder `(caller, url_kwargs) -> object | None` for a kind of object.

    It starts from `Model.objects.for_caller(caller)`, so that a foreign object is None.
    """

    def register(find: Callable[[Caller, Mapping[str, Any]], Any]) -> Any:
        _kinds[name] = Kind(find, team_of)
        return find

    return register


def check(caller: Caller, declared: Opens, method: str, kwargs: Mapping[str, Any]) -> Any:
    """Return the object that the URL names, if the caller may do this to it.

    Raises Unauthenticated, NotFound (missing and foreign alike), MethodNotAllowed, Forbidden.
    """
    if caller.is_anonymous:
        raise Unauthenticated
    kind = _kinds[declared.kind]
    # Postgres refuses to look for a NUL; what holds one cannot exist.
    found = None if any("\0" in str(v) for v in kwargs.values()) else kind.find(caller, kwargs)
    if found is None:
        raise NotFound
    if not caller.may(declared.action_of(method), kind.team_of(found)):
        raise Forbidden
    return found


def caller_by_key(key: str) -> Caller:
    """Return who a key speaks for; remembered for a few seconds. Raises Unauthenticated."""
    known = remembered(key)
    if known is None:
        known = _identity[0].by_key(key)
        if known is None:
            raise Unauthenticated
        if len(_keys) >= KEY_CACHE_SIZE:
            _keys.clear()
        _keys[key] = (time.monotonic() + KEY_CACHE_SECONDS, known)
    return known


def admitted(key: str, address: str) -> Caller:
    """Return who a key speaks for, unless it (or wrong keys from there) came too often.

    Raises Unauthenticated, TooOften.
    """
    try:
        known = caller_by_key(key)
    except Unauthenticated:
        limits.note_wrong_key(address)
        raise
    limits.note_key(key)
    return known


def remembered(key: str) -> Caller | None:
    """Return the caller of a key that was looked up a moment ago, without the database."""
    until, caller = _keys.get(key, (0.0, NOBODY))
    return caller if time.monotonic() < until else None


def keys_remembered() -> int:
    """Return how many keys need no question to the database."""
    return len(_keys)


def forget_keys() -> None:
    """Look every key up again; called when one is revoked."""
    _keys.clear()


def bearer(authorization: str) -> str | None:
    """Return the key in an Authorization header; None: the header says nothing to us."""
    scheme, _, key = authorization.partition(" ")
    return key.strip() if scheme.lower() == "bearer" else None


def caller_of(request: HttpRequest) -> Caller:
    """Return who sends this request: its key's person, or else who is signed in.

    Raises Unauthenticated for a key that is wrong, revoked or expired.
    """
    known: Caller | None = getattr(request, "_gate_caller", None)
    if known is None:
        key = bearer(request.headers.get("Authorization", ""))
        address = request.META.get("REMOTE_ADDR", "")
        known = caller_by_user(request.user) if key is None else admitted(key, address)
        request._gate_caller = known  # type: ignore[attr-defined]
    return known


def caller_by_user(user: Any) -> Caller:
    """Return the caller that a signed-in (or anonymous) user is; never remembered."""
    return _identity[0].by_user(user) if user.is_authenticated else NOBODY


async def caller_of_scope(scope: Mapping[str, Any]) -> Caller:
    """Return who opened this ASGI connection: by its key, or by `scope["user"]`.

    Raises Unauthenticated for a key that is wrong, revoked or expired, TooOften.
    """
    key = bearer(header(scope, b"authorization"))
    if key is not None:
        address = (scope.get("client") or ("",))[0]
        if remembered(key) is not None:
            return admitted(key, address)
        found: Caller = await database_sync_to_async(admitted, thread_sensitive=False)(key, address)
        return found
    user = scope.get("user")
    return NOBODY if user is None else await database_sync_to_async(caller_by_user)(user)


def header(scope: Mapping[str, Any], name: bytes) -> str:
    """Return a header of an ASGI connection; empty when it is absent."""
    for key, value in scope.get("headers", ()):
        if key == name:
            return str(value.decode("latin-1"))
    return ""


def public(why: str) -> Callable[..., Any]:
    """Open a view to everyone, saying why."""

    def declare(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        view.gate = Public(why)  # type: ignore[attr-defined]
        return view

    return declare


def signed_in(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Open a page to anyone who is signed in. `caller_of(request)` says who it is."""

    @functools.wraps(view)
    def gated(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if page_caller(request).is_anonymous:
            return to_login(request)
        return view(request, *args, **kwargs)

    gated.gate = SignedIn()  # type: ignore[attr-defined]
    return gated


def operator_only(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Open a page to those who run the server; for all others it is not there."""

    @functools.wraps(view)
    def gated(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        caller = page_caller(request)
        if caller.is_anonymous:
            return to_login(request)
        if not caller.is_operator:
            raise Http404
        return view(request, *args, **kwargs)

    gated.gate = OperatorOnly()  # type: ignore[attr-defined]
    return gated


def opens(kind: str, action: Action | Mapping[str, Action]) -> Callable[..., Any]:
    """Open a page to those who may do `action` to the object that its URL names.

    The view takes the object in place of the URL's words: `view(request, run)`. A lone READ opens
    GET and HEAD; another lone action opens every method; a mapping says each.
    """
    declared = Opens(kind, _per_method(action))

    def declare(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @functools.wraps(view)
        def gated(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
            caller = page_caller(request)
            if caller.is_anonymous:
                return to_login(request)
            try:
                found = check(caller, declared, str(request.method), kwargs)
            except ApiError as error:
                return _refuse_page(error, declared)
            return view(request, found, **_unnamed(kwargs))

        gated.gate = declared  # type: ignore[attr-defined]
        return gated

    return declare


def page_caller(request: HttpRequest) -> Caller:
    """Return who looks at a page; a wrong key is nobody."""
    try:
        return caller_of(request)
    except (Unauthenticated, TooOften):
        return NOBODY


def to_login(request: HttpRequest) -> HttpResponse:
    """Send an anonymous visitor to the login page and back afterwards."""
    target = request.get_full_path() if request.method in SAFE_METHODS else "/"
    return redirect(f"{resolve_url('login')}?{urlencode({'next': target})}")


def _refuse_page(error: ApiError, declared: Opens) -> HttpResponse:
    if isinstance(error, NotFound):
        raise Http404 from error
    if isinstance(error, MethodNotAllowed):
        return HttpResponseNotAllowed(list(declared.actions))
    raise PermissionDenied(str(error)) from error


def _per_method(action: Action | Mapping[str, Action]) -> Mapping[str, Action]:
    if not isinstance(action, Action):
        return action
    methods = ["GET"] if action is Action.READ else ["GET", "POST", "PUT", "PATCH", "DELETE"]
    return dict.fromkeys(methods, action)


def _unnamed(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in kwargs.items() if name not in {"team", "project", "run"}}


def declaration_of(view: Any) -> Declaration | None:
    """Return what a view declares, or None if it says nothing."""
    for holder in (view, getattr(view, "cls", None), getattr(view, "view_class", None)):
        declared = getattr(holder, "gate", None) or getattr(holder, "opens", None)
        if isinstance(declared, Opens | Public | SignedIn | OperatorOnly):
            return declared
    return None


class GateMiddleware:
    """Refuses every view that declares nothing: forgetting the gate closes the door."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> None:
        if declaration_of(view) is None:
            log.error("a view without a declaration was refused", path=request.path)
            raise Http404
