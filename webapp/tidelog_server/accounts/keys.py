"""What an API key looks like.

    tl_ | u | 36 characters of base62 | 6 characters of checksum

46 characters of `[A-Za-z0-9_]`, 214 bits of randomness. The checksum (CRC-32 of what precedes it,
in base62) lets a secret scanner and a typing error be recognised without asking the database.
"""

import hashlib
import secrets
import string
import zlib

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
USER_KEY = "u"
SHOWN = 8


def new_key(kind: str = USER_KEY) -> str:
    """Return a fresh key; `kind` is the one letter that says what it speaks for."""
    body = f"tl_{kind}" + "".join(secrets.choice(ALPHABET) for _ in range(36))
    return body + checksum(body)


def is_key(text: str) -> bool:
    """Whether `text` has the form of a key, checksum included."""
    return (
        len(text) == 46
        and text.isascii()
        and text.startswith("tl_")
        and checksum(text[:-6]) == text[-6:]
    )


def digest(secret: str) -> str:
    """Return what is kept of a key or a link: its SHA-256.

    The secrets are long and random, so a slow hash would add nothing.
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def checksum(body: str) -> str:
    number = zlib.crc32(body.encode())
    digits = []
    for _ in range(6):
        number, digit = divmod(number, len(ALPHABET))
        digits.append(ALPHABET[digit])
    return "".join(digits)
