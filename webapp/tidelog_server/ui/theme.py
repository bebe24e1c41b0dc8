"""The theme that a person chose: a cookie, read before the first byte, so nothing flashes."""

from django.http import HttpRequest

COOKIE = "tidelog_theme"

# For which media the dark style sheet counts.
MEDIA = {"light": "not all", "dark": "all", "system": "(prefers-color-scheme: dark)"}


def theme_of(request: HttpRequest) -> str:
    """Return "light", "dark" or "system"."""
    chosen = request.COOKIES.get(COOKIE, "")
    return chosen if chosen in MEDIA else "system"
