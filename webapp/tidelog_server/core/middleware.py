from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

POLICY = (
    "default-src 'none'; script-src 'self'{scripts}; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


class ContentSecurityMiddleware:
    """Allows our own scripts and nothing else.

    A template tag that must write an inline script (the import map) appends its hash, as
    `'sha256-...'`, to `request.csp_scripts`.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        hashes: list[str] = []
        request.csp_scripts = hashes  # type: ignore[attr-defined]
        response = self.get_response(request)
        allowed = "".join(f" {value}" for value in dict.fromkeys(hashes))
        response.headers.setdefault("Content-Security-Policy", POLICY.format(scripts=allowed))
        return response
