from typing import Any

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from tidelog_server.accounts.models import User


class EmailBackend(ModelBackend):
    """Signs people in by e-mail address and password.

    Unknown addresses take as long as wrong passwords (ModelBackend hashes in both cases); a
    password beyond the cap is refused before it costs anything.
    """

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        email = username or kwargs.get("email") or ""
        if password is None or len(password) > settings.PASSWORD_MAX_LENGTH:
            return None
        return super().authenticate(request, username=str(email), password=password)
