"""The seam to the network. Imported by the uploader and the command line, never by training."""

from __future__ import annotations

import contextlib
import gzip
import threading
import time
from typing import Any, Protocol
from urllib.parse import quote

import requests

from tidelog.answers import Answer
from tidelog.settings import VERSION

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
WHOLE_SECONDS = 60.0
MAX_ANSWER = 1024 * 1024
COMPRESS_ABOVE = 512


class Unreachable(Exception):
    """No answer: no connection, a timeout, or a connection that broke off."""


class Transport(Protocol):
    """Takes a request to the server and brings its answer back."""

    def get(self, path: str, params: dict[str, str]) -> Answer:
        """Ask for `path`. Raises Unreachable."""
        ...

    def post(self, path: str, params: dict[str, str], body: bytes) -> Answer:
        """Send a batch to `path`. Raises Unreachable."""
        ...

    def use_key(self, key: str) -> None:
        """Go on with another API key."""
        ...


class HttpTransport:
    """Transport over HTTP(S), one session a thread. Redirects are never followed."""

    def __init__(self, url: str, key: str) -> None:  # noqa: D107
        self._url = url
        self._key = key
        self._sessions = threading.local()

    def use_key(self, key: str) -> None:
        """Go on with another API key."""
        self._key = key

    def _session(self) -> requests.Session:
        """Return this thread's session: they are not made to be shared."""
        session: requests.Session | None = getattr(self._sessions, "mine", None)
        if session is None:
            session = self._sessions.mine = requests.Session()
            session.headers["User-Agent"] = f"tidelog/{VERSION}"
        return session

    def get(self, path: str, params: dict[str, str]) -> Answer:
        """Ask for `path`. Raises Unreachable."""
        return self._ask("GET", path, params=params)

    def post(self, path: str, params: dict[str, str], body: bytes) -> Answer:
        """Send a batch to `path`. Raises Unreachable."""
        headers: dict[str, str] = {"Content-Type": "application/octet-stream"}
        if len(body) > COMPRESS_ABOVE:
            body, encoding = compressed(body)
            headers["Content-Encoding"] = encoding
        return self._ask("POST", path, params=params, data=body, headers=headers)

    def _ask(self, method: str, path: str, **arguments: Any) -> Answer:
        try:
            with self._session().request(
                method,
                self._url + path,
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                allow_redirects=False,
                stream=True,
                auth=_Bearer(self._key),
                **arguments,
            ) as response:
                return _answer(response)
        except (requests.RequestException, OSError) as error:
            raise Unreachable(_reason(error)) from error

    def close(self) -> None:
        """Close this thread's connections."""
        self._session().close()


class _Bearer(requests.auth.AuthBase):
    """The key in the header that it belongs in; a .netrc file has no say."""

    def __init__(self, key: str) -> None:
        self._value = f"Bearer {key}".encode("ascii", "replace").decode()

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self._value
        return request


def _answer(response: requests.Response) -> Answer:
    body, deadline = b"", time.monotonic() + WHOLE_SECONDS
    for part in response.iter_content(64 * 1024):
        body += part
        if len(body) > MAX_ANSWER:
            raise requests.ConnectionError("an answer without end")
        if time.monotonic() > deadline:
            raise requests.Timeout("an answer that drips")
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status_code, headers, body)


def _reason(error: Exception) -> str:
    if isinstance(error, requests.Timeout):
        return "the server does not answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return "the server's certificate is not trusted"
    return "the server cannot be reached"


def compressed(body: bytes) -> tuple[bytes, str]:
    """Return the body compressed, and how: zstd where it is installed, else gzip."""
    with contextlib.suppress(ImportError):
        import zstandard

        return zstandard.ZstdCompressor(level=1).compress(body), "zstd"
    return gzip.compress(body, 1), "gzip"


def streams_path(run: str) -> str:
    """Return where a run's streams are asked for."""
    return f"/api/v1/runs/{quote(run, safe='')}/streams"


def records_path(run: str, stream: str) -> str:
    """Return where a stream's batches are sent."""
    return f"{streams_path(run)}/{stream}/records"
