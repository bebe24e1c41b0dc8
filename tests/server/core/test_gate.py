"""The walk over every address: each says what it opens, and holds against those who may not."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.test import Client
from django.urls import URLPattern, get_resolver
from tests.server.asgi_client import AsgiClient
from tests.server.factories import a_key, a_stream_id

from tidelog_server.accounts.policies import SCOPES, granted
from tidelog_server.asgi import application, socket_routes
from tidelog_server.core.gate import (
    Action,
    Opens,
    OperatorOnly,
    Public,
    SignedIn,
    caller_by_key,
    declaration_of,
    forget_keys,
)
from tidelog_server.tracking import ingest

WORDS = {"team": "blue", "project": "fish", "run": "run1"}
MISSING = {"team": "blue", "project": "nothing", "run": "nothing"}


def addresses(patterns: Any = None, before: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        route = before + str(entry.pattern).lstrip("^")
        if isinstance(entry, URLPattern):
            yield route, entry
        else:
            yield from addresses(entry.url_patterns, route)


def url_of(route: str, words: dict[str, str]) -> str:
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda m: words.get(m[1], "x"), route)


EVERY = list(addresses())
OPENING = [(r, declaration_of(e.callback)) for r, e in EVERY]
CASES = [
    pytest.param(route, declared, method, id=f"{method} /{route}")
    for route, declared in OPENING
    if isinstance(declared, Opens)
    for method in declared.actions
]
REST = [case for case in CASES if str(case.values[0]).startswith("api/")]
CHANGING = [case for case in CASES if case.values[1].actions[case.values[2]] is not Action.READ]
INGEST = [pytest.param(route, id=f"{route.method} {route.pattern}") for route in ingest.ROUTES]


def browser_of(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def send(client: Client, method: str, url: str, key: str = "") -> Any:
    headers = {"X-Request-ID": "test"} | ({"Authorization": f"Bearer {key}"} if key else {})
    data = {} if method in {"GET", "HEAD"} else "{}"
    return client.generic(method, url, data or "", content_type="application/json", headers=headers)


def is_refused_to_sign_in(response: Any) -> bool:
    return response.status_code == 401 or (
        response.status_code == 302 and response["Location"].startswith("/login")
    )


class TestEveryAddress:
    @pytest.mark.parametrize(("route", "entry"), [pytest.param(r, e, id=f"/{r}") for r, e in EVERY])
    def test_declares_what_it_opens(self, route: str, entry: URLPattern):
        assert declaration_of(entry.callback) is not None

    def test_that_is_public_says_why(self):
        reasons = [d.why for _, d in OPENING if isinstance(d, Public)]
        assert all(len(why.split()) > 3 for why in reasons)

    @pytest.mark.parametrize(
        "route",
        [pytest.param(r, id=f"/{r}") for r, d in OPENING if isinstance(d, SignedIn | OperatorOnly)],
    )
    @pytest.mark.django_db
    def test_for_people_who_are_signed_in_asks_others_to_sign_in(self, route: str):
        assert is_refused_to_sign_in(Client().get(url_of(route, WORDS)))

    @pytest.mark.parametrize(
        "route", [pytest.param(r, id=f"/{r}") for r, d in OPENING if isinstance(d, OperatorOnly)]
    )
    def test_for_operators_is_not_there_for_the_owner_of_a_team(self, people, route: str):
        assert browser_of(people.alice).get(url_of(route, WORDS)).status_code == 404


class TestAnAddressThatNamesAnObject:
    @pytest.mark.parametrize(("route", "declared", "method"), CASES)
    def test_asks_the_anonymous_to_sign_in(self, people, route, declared, method):
        assert is_refused_to_sign_in(send(Client(), method, url_of(route, WORDS)))

    @pytest.mark.parametrize(("route", "declared", "method"), CASES)
    def test_is_not_there_for_a_stranger(self, people, route, declared, method):
        response = send(browser_of(people.charlie), method, url_of(route, WORDS))
        assert response.status_code == 404

    @pytest.mark.parametrize(("route", "declared", "method"), REST)
    def test_is_missing_and_foreign_byte_for_byte(self, people, route, declared, method):
        client = browser_of(people.charlie)
        foreign = send(client, method, url_of(route, WORDS))
        missing = send(client, method, url_of(route, {**MISSING, "team": "nothing"}))
        assert (foreign.content, foreign.headers) == (missing.content, missing.headers)

    @pytest.mark.parametrize(("route", "declared", "method"), CHANGING)
    def test_refuses_a_viewer_all_but_reading(self, people, route, declared, method):
        response = send(browser_of(people.viewer), method, url_of(route, WORDS))
        assert response.status_code == 403

    @pytest.mark.parametrize("scope", sorted(SCOPES))
    @pytest.mark.parametrize(("route", "declared", "method"), REST)
    def test_holds_a_key_to_its_scopes(self, people, route, declared, method, scope):
        key = a_key(people.team, user=people.alice, scopes=[scope])
        response = send(Client(), method, url_of(route, WORDS), key)
        allowed = declared.actions[method] in granted("owner", {scope})
        assert (response.status_code not in {401, 403, 404}) is allowed

    @pytest.mark.parametrize(("route", "declared", "method"), REST)
    def test_refuses_a_key_that_is_wrong(self, people, route, declared, method):
        response = send(Client(), method, url_of(route, WORDS), people.alice_key[:-1] + "!")
        assert response.status_code == 401


@pytest.mark.django_db(transaction=True)
class TestAnIngestAddress:
    @pytest.mark.parametrize("route", INGEST)
    def test_asks_for_a_key(self, people, route):
        assert AsgiClient().call(route.method, self.path(route)).status == 401

    @pytest.mark.parametrize("route", INGEST)
    def test_takes_no_cookie(self, people, route):
        cookie = browser_of(people.alice).cookies["tidelog_session"].value
        headers = {"cookie": f"tidelog_session={cookie}"}
        answer = AsgiClient().call(route.method, self.path(route), headers=headers)
        assert answer.status == 401

    @pytest.mark.parametrize("route", INGEST)
    def test_is_not_there_for_a_stranger(self, people, route):
        client = AsgiClient(people.charlie_key)
        foreign = client.call(route.method, self.path(route), json=self.body())
        missing = client.call(route.method, self.path(route, "none/x"), json=self.body())
        assert foreign.status == 404
        assert foreign == missing

    @pytest.mark.parametrize("route", INGEST)
    def test_refuses_a_viewer_s_key(self, people, route):
        key = a_key(people.team, user=people.viewer)
        answer = AsgiClient(key).call(route.method, self.path(route), json=self.body())
        assert answer.status == 403

    @pytest.mark.parametrize("scope", sorted(SCOPES))
    @pytest.mark.parametrize("route", INGEST)
    def test_holds_a_key_to_its_scopes(self, people, route, scope):
        key = a_key(people.team, user=people.alice, scopes=[scope])
        answer = AsgiClient(key).call(route.method, self.path(route), json=self.body())
        assert (answer.status == 200) is (route.action in granted("owner", {scope}))

    def path(self, route: ingest.Route, project: str = "blue/fish") -> str:
        path = re.sub(r"\(\?P<run>.*?\)", "run1", route.pattern)
        path = re.sub(r"\(\?P<stream>.*?\)", a_stream_id(), path)
        return f"{path}?project={project}"

    def body(self) -> dict[str, Any]:
        return {"v": 1, "from": 0, "to": 0, "records": []}


def sockets() -> Iterator[tuple[str, Any]]:
    for route in socket_routes:
        app = route.callback
        while not hasattr(app, "consumer_class") and hasattr(app, "inner"):
            app = app.inner
        yield str(route.pattern), getattr(app, "consumer_class", app)


SOCKETS = [
    pytest.param(route, id=f"/{route}")
    for route, consumer in sockets()
    if isinstance(declaration_of(consumer), Opens)
]


class TestEverySocket:
    @pytest.mark.parametrize("consumer", [pytest.param(c, id=f"/{r}") for r, c in sockets()])
    def test_declares_what_it_opens(self, consumer: Any):
        assert declaration_of(consumer) is not None

    @pytest.mark.parametrize("route", SOCKETS)
    @pytest.mark.django_db(transaction=True)
    async def test_is_closed_to_the_anonymous(self, route: str):
        assert await self.close_code(url_of(route, WORDS), "") == 4401

    @pytest.mark.parametrize("route", SOCKETS)
    @pytest.mark.django_db(transaction=True)
    async def test_is_not_there_for_a_stranger(self, stranger_session: str, route: str):
        assert await self.close_code(url_of(route, WORDS), stranger_session) == 4404

    @pytest.fixture
    def stranger_session(self, transactional_db: None, people: Any) -> str:
        return browser_of(people.charlie).cookies["tidelog_session"].value

    async def close_code(self, path: str, session: str) -> int:
        headers = [(b"host", b"localhost"), (b"origin", b"http://localhost")]
        if session:
            headers.append((b"cookie", f"tidelog_session={session}".encode()))
        scope = {"type": "websocket", "path": path, "query_string": b"", "headers": headers}
        socket = ApplicationCommunicator(application, {**scope, "subprotocols": []})
        await socket.send_input({"type": "websocket.connect"})
        said = await socket.receive_output()
        while said["type"] != "websocket.close":
            said = await socket.receive_output()
        await socket.send_input({"type": "websocket.disconnect", "code": said["code"]})
        await socket.wait()
        return int(said["code"])


class TestAKey:
    def test_is_refused_once_it_is_revoked(self, people):
        from tidelog_server.accounts import selectors, services

        send(Client(), "GET", "/api/v1/me", people.alice_key)
        services.revoke_key(key=selectors.key_called(people.alice_key))
        assert send(Client(), "GET", "/api/v1/me", people.alice_key).status_code == 401

    def test_of_a_member_who_was_removed_sees_nothing(self, people):
        people.team.memberships.filter(user=people.alice).delete()
        forget_keys()
        response = send(Client(), "GET", "/api/v1/projects/blue", people.alice_key)
        assert response.status_code == 404

    def test_is_remembered_for_a_few_seconds_only(self, people, monkeypatch):
        from tidelog_server.core import gate

        caller_by_key(people.alice_key)
        assert gate.remembered(people.alice_key) is not None
        monkeypatch.setattr(gate.time, "monotonic", lambda: 10.0**12)
        assert gate.remembered(people.alice_key) is None

    def test_in_the_query_is_no_key(self, people):
        assert Client().get(f"/api/v1/me?key={people.alice_key}").status_code == 401


class TestACookie:
    def test_changes_nothing_without_a_csrf_token(self, people):
        client = Client(enforce_csrf_checks=True)
        client.force_login(people.alice)
        response = send(client, "DELETE", "/api/v1/projects/blue/fish/runs/run1")
        assert response.status_code == 403
        assert response.json()["code"] == "csrf"
