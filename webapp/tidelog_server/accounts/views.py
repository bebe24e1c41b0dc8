"""Signing in and out."""

from django.contrib.auth import authenticate, login, logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from tidelog_server.accounts.models import User
from tidelog_server.accounts.services import redeem_sign_in_link
from tidelog_server.accounts.throttle import forget_attempts, note_attempt
from tidelog_server.core.errors import NotFound, TooOften
from tidelog_server.core.gate import public

BACKEND = "tidelog_server.accounts.backends.EmailBackend"
WRONG = "E-mail or password is wrong."


@public("signing in is how one becomes somebody")
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        return _sign_in_with_password(request)
    if request.user.is_authenticated:
        return redirect(_onwards(request, request.GET.get("next", "")))
    return _form(request, next_page=request.GET.get("next", ""))


def _sign_in_with_password(request: HttpRequest) -> HttpResponse:
    email, address = request.POST.get("email", ""), request.META.get("REMOTE_ADDR", "")
    next_page = request.POST.get("next", "")
    try:
        note_attempt(email=email, address=address)
    except TooOften as error:
        return _form(request, email=email, next_page=next_page, error=str(error), status=429)
    user = authenticate(request, username=email, password=request.POST.get("password", ""))
    if user is None:
        return _form(request, email=email, next_page=next_page, error=WRONG, status=401)
    forget_attempts(email=email, address=address)
    login(request, user)
    return redirect(_onwards(request, next_page))


def _form(
    request: HttpRequest, *, email: str = "", next_page: str, error: str = "", status: int = 200
) -> HttpResponse:
    context = {"email": email, "next": next_page, "error": error}
    return render(request, "accounts/login.html", context, status=status)


def _onwards(request: HttpRequest, wanted: str) -> str:
    """Return where to go after signing in: only to an address of our own."""
    own = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if own and wanted else "home"


@public("the link itself says who may come in, once")
@never_cache
@require_safe
def sign_in_by_link(request: HttpRequest, token: str) -> HttpResponse:
    # A browser that fetches ahead, or a scanner that only looks, must not use the link up.
    if request.method == "HEAD" or "prefetch" in request.headers.get("Sec-Purpose", ""):
        return HttpResponse(status=204)
    try:
        user = redeem_sign_in_link(token=token)
    except NotFound:
        return _link_used(request)
    login(request, user, backend=BACKEND)
    return redirect("home")


def _link_used(request: HttpRequest) -> HttpResponse:
    """Who is signed in already came by this link before: take them in, else say what to do."""
    if isinstance(request.user, User):
        return redirect("home")
    return render(request, "accounts/link.html", status=410)


@public("signing out needs no right")
@require_http_methods(["POST"])
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("login")
