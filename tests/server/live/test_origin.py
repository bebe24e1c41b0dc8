"""Who may open a socket with our cookies."""

import pytest

from tidelog_server.live.origin import is_ours


def opened_by(origin: str | None, *, host: str = "tide.example:8000"):
    headers = [(b"host", host.encode())]
    if origin is not None:
        headers.append((b"origin", origin.encode()))
    return {"headers": headers}


class TestOrigin:
    @pytest.mark.parametrize("origin", ["http://tide.example:8000", "https://TIDE.example:8000"])
    def test_of_our_own_pages_is_ours(self, origin):
        assert is_ours(opened_by(origin))

    @pytest.mark.parametrize(
        "origin",
        [
            "http://evil.example",
            "http://tide.example",
            "http://tide.example:8000.evil.example",
            "null",
            "file://",
        ],
    )
    def test_of_anything_else_is_not(self, origin):
        assert not is_ours(opened_by(origin))

    def test_is_ours_when_a_proxy_renames_the_host_of_the_public_address(self, settings):
        settings.PUBLIC_URL = "https://tide.example"
        assert is_ours(opened_by("https://tide.example", host="10.0.0.7:8000"))

    def test_is_not_sent_by_programs_which_have_no_one_s_cookies(self):
        assert is_ours(opened_by(None))
