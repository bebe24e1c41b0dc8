"""The proxy itself: what it does to an exchange, seen from both ends."""

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.faults.proxy import Fault, FaultProxy


class Echo(BaseHTTPRequestHandler):
    """Answers every request with its own body, and counts."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append(body)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def echo():
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        server.seen = []
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def proxy(echo):
    with FaultProxy(echo.server_address[1], lambda: None) as made:
        yield made


def post(proxy: FaultProxy, fault: Fault | None, body: bytes = b"0123456789"):
    """Return the status, the type and the body of the answer."""
    proxy.strikes = lambda: fault
    client = http.client.HTTPConnection(proxy.url.removeprefix("http://"), timeout=2)
    try:
        client.request("POST", "/", body)
        answer = client.getresponse()
        return answer.status, answer.headers.get("Content-Type"), answer.read()
    finally:
        client.close()


class TestProxy:
    @pytest.mark.parametrize("fault", [None, Fault.THROTTLE, Fault.DELAY])
    def test_passes_on_what_only_takes_longer(self, proxy, echo, fault):
        body = bytes(5000)
        assert post(proxy, fault, body) == (200, "application/json", body)
        assert echo.seen == [body]

    @pytest.mark.parametrize("fault", [Fault.DROP, Fault.HALF_OPEN, Fault.BREAK_REQUEST])
    def test_keeps_a_request_from_the_server(self, proxy, echo, fault):
        with pytest.raises((OSError, http.client.HTTPException)):
            post(proxy, fault)
        assert echo.seen == []

    def test_loses_an_answer_of_a_server_that_has_the_request(self, proxy, echo):
        with pytest.raises((OSError, http.client.HTTPException)):
            post(proxy, Fault.LOSE_ANSWER)
        assert echo.seen == [b"0123456789"]

    def test_cuts_an_answer_in_the_middle_of_its_body(self, proxy):
        with pytest.raises(http.client.IncompleteRead) as broken:
            post(proxy, Fault.TRUNCATE)
        assert broken.value.partial == b"01234"

    def test_doubles_and_trebles_a_request(self, proxy, echo):
        assert post(proxy, Fault.DUPLICATE)[0] == 200
        assert echo.seen == [b"0123456789"] * 3

    def test_gives_an_earlier_answer_again(self, proxy):
        post(proxy, None, b"first")
        assert post(proxy, Fault.STALE, b"second")[2] == b"first"

    @pytest.mark.parametrize(
        ("fault", "status", "kind"),
        [
            (Fault.PORTAL, 200, "text/html"),
            (Fault.EMPTY, 204, None),
            (Fault.REDIRECT, 302, "text/html"),
            (Fault.OK, 200, "application/json"),
            (Fault.STATUS, 500, "text/html"),
        ],
    )
    def test_answers_in_place_of_the_server(self, proxy, echo, fault, status, kind):
        assert post(proxy, fault)[:2] == (status, kind)
        assert echo.seen == []
