"""Sign-in attempts, counted per account and per address; strangers can slow but not lock out."""

import hashlib
from contextlib import suppress

from django.core.cache import BaseCache, caches

from tidelog_server.core.errors import TooOften

ATTEMPTS_PER_ACCOUNT = 10
ATTEMPTS_PER_ADDRESS = 30
WINDOW_SECONDS = 300


def note_attempt(*, email: str, address: str) -> None:
    """Count a sign-in attempt before the password is looked at. Raises TooOften.

    address  the IP address it comes from
    """
    by_account = _count(_account(email, address))
    by_address = _count(f"sign-in.address.{_digest(address)}")
    if by_account > ATTEMPTS_PER_ACCOUNT or by_address > ATTEMPTS_PER_ADDRESS:
        raise TooOften("Too many sign-in attempts; try again in five minutes.")


def forget_attempts(*, email: str, address: str) -> None:
    """Start the account over after a sign-in that succeeded; the address stays counted."""
    for cache in (caches["default"], caches["local"]):
        with suppress(Exception):  # a cache that is down has nothing to forget
            cache.delete(_account(email, address))


def _account(email: str, address: str) -> str:
    # Counted for each address: strangers elsewhere cannot use up the owner's attempts.
    return f"sign-in.account.{_digest(email.strip().lower())}.{_digest(address)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]


def _count(name: str) -> int:
    try:
        return _increased(caches["default"], name)
    except Exception:  # noqa: BLE001  any cache, any error: sign-in stays limited, in this process
        return _increased(caches["local"], name)


def _increased(cache: BaseCache, name: str) -> int:
    if cache.add(name, 1, WINDOW_SECONDS):
        return 1
    try:
        return int(cache.incr(name))
    except ValueError:  # it expired between the two calls
        return 1
