"""What can be wrong with a request: each error is a status, a code and one sentence.

ApiError
  BadRequest 400   Unauthenticated 401   Forbidden 403   NotFound 404   Conflict 409
  Gone 410         TooLarge 413          UnsupportedMedia 415           Invalid 422
  TooOften 429     Unavailable 503       OutOfSpace 507
"""

from collections.abc import Mapping
from typing import Any, ClassVar


class ApiError(Exception):
    """Answered as `{"code", "message", **extra}`; the message says what to do."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad_request"
    message: ClassVar[str] = "The request cannot be understood."
    headers: Mapping[str, str] = {}

    def __init__(self, message: str = "", *, code: str = "", **extra: Any) -> None:
        super().__init__(message or self.message)
        self.body: dict[str, Any] = {
            "code": code or self.code,
            "message": message or self.message,
            **extra,
        }


class BadRequest(ApiError):
    pass


class Unauthenticated(ApiError):
    status, code = 401, "unauthenticated"
    message = "Send a valid API key as `Authorization: Bearer tl_...`."
    headers = {"WWW-Authenticate": "Bearer"}


class Forbidden(ApiError):
    status, code = 403, "forbidden"
    message = "You can see this, but your role or your key's scope does not allow the action."


class NotFound(ApiError):
    status, code = 404, "not_found"
    message = "There is nothing here that you can see."


class MethodNotAllowed(ApiError):
    status, code = 405, "method_not_allowed"
    message = "This address does not take that method."


class RequestTimeout(ApiError):
    status, code = 408, "timeout"
    message = "The request stopped arriving; send it again."


class Conflict(ApiError):
    status, code = 409, "conflict"
    message = "The state has changed meanwhile; read it again."


class Gone(ApiError):
    status, code = 410, "gone"
    message = "This was deleted."


class TooLarge(ApiError):
    status, code = 413, "too_large"
    message = "The body is too large; send it in smaller parts."


class UnsupportedMedia(ApiError):
    status, code = 415, "unsupported_media"
    message = "Send application/json or application/octet-stream."


class Invalid(ApiError):
    status, code = 422, "invalid"
    message = "The request is understood, but a value in it is not allowed."


class TooOften(ApiError):
    status, code = 429, "too_often"
    message = "Too many attempts; try again in a few minutes."

    def __init__(self, message: str = "", *, after: int = 60) -> None:
        super().__init__(message)
        self.headers = {"Retry-After": str(after)}


class Unavailable(ApiError):
    status, code = 503, "unavailable"
    message = "The server is busy; send the same request again."
    headers = {"Retry-After": "1"}


class OutOfSpace(ApiError):
    status, code = 507, "out_of_space"
    message = "The server's disk is full; send the same request again later."
    headers = {"Retry-After": "30"}
