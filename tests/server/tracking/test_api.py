"""Projects and runs over REST, as their owner, a colleague and a stranger meet them."""

import json
import re
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from tests.server.core.test_gate import addresses
from tests.server.factories import a_batch, a_caller, a_key, a_run, a_stream_id, metrics, printed

from tidelog_server.tracking import services
from tidelog_server.tracking.ingest import ROUTES
from tidelog_server.tracking.models import Run

PROJECT = "/api/v1/projects/blue/fish"
RUN = f"{PROJECT}/runs/run1"


class Api:
    """REST with a key."""

    def __init__(self, key):
        self.client = Client(headers={"Authorization": f"Bearer {key}"})

    def get(self, path):
        return self.client.get(path)

    def patch(self, path, changes):
        return self.client.patch(path, data=changes, content_type="application/json")

    def delete(self, path):
        return self.client.delete(path)


@pytest.fixture
def api(people):
    return Api(people.alice_key)


@pytest.fixture
def colleague(people):
    return Api(a_key(people.team, user=people.bob))


def ingest(people, *records, run="run1", stream=None):
    return services.ingest_batch(
        caller=a_caller(people.team, user=people.alice, scopes=["ingest"]),
        project_name="fish",
        run_id=run,
        stream_id=stream or a_stream_id(),
        batch=a_batch(0, *records),
    )


class TestMe:
    def test_says_whose_key_it_is(self, api):
        assert api.get("/api/v1/me").json() == {
            "user": {"email": "alice@example.org", "name": "Alice"},
            "team": "blue",
            "teams": ["blue"],
            "scopes": ["ingest", "read", "write"],
        }

    def test_says_who_is_signed_in(self, people):
        client = Client()
        client.force_login(people.bob)
        assert client.get("/api/v1/me").json()["user"]["name"] == "Bob"


class TestProjects:
    def test_of_a_team_are_listed(self, api):
        found = api.get("/api/v1/projects/blue").json()["projects"]
        assert [project["slug"] for project in found] == ["fish"]

    def test_are_shown_one_by_one(self, colleague):
        assert colleague.get(PROJECT).json()["rev"] == 0

    def test_list_their_metrics(self, api, people):
        ingest(people, metrics(1, loss=1.0, acc=0.5))
        ingest(people, metrics(1, loss=1.0), run="run2")
        assert api.get(f"{PROJECT}/series").json() == {
            "keys": [{"key": "acc", "runs": 1}, {"key": "loss", "runs": 2}]
        }


class TestRuns:
    def ids(self, answer):
        return [row["id"] for row in answer.json()["runs"]]

    def test_are_listed_newest_first_and_by_pages(self, api, people):
        for number in range(2, 5):
            a_run(people.project, f"run{number}")
        answer = api.get(f"{PROJECT}/runs?offset=1&limit=2")
        assert self.ids(answer) == ["run3", "run2"]
        assert answer.json()["count"] == 4

    @pytest.mark.parametrize("text", ["SWIFT", "run2", "exp-7", "wild"])
    def test_are_found_by_name_id_group_and_tag(self, api, people, text):
        a_run(people.project, "run2", name="Swift otter", group="exp-7", tags=["wildcard"])
        assert self.ids(api.get(f"{PROJECT}/runs?filter={text}")) == ["run2"]

    def test_that_changed_since_a_revision_are_listed_alone(self, api, people):
        ingest(people, metrics(1, loss=1.0))
        rev = api.get(f"{PROJECT}/runs").json()["rev"]
        ingest(people, metrics(1, loss=1.0), run="run2")
        answer = api.get(f"{PROJECT}/runs?after_rev={rev}")
        assert self.ids(answer) == ["run2"]
        assert answer.json()["rev"] == rev + 1

    @pytest.mark.parametrize(
        "query",
        [
            "limit=0",
            "limit=501",
            "offset=-1",
            "after_rev=x",
            "filter=%00",
            "filter=lr<",
            "limit=" + "9" * 5000,
        ],
    )
    def test_refuse_a_query_that_makes_no_sense(self, api, query):
        answer = api.get(f"{PROJECT}/runs?{query}")
        assert answer.status_code == 422
        assert answer.json()["code"] == "bad_query"

    def test_do_not_cost_a_query_each(self, api, people, django_assert_max_num_queries):
        a_run(people.project, "run2", author=people.alice)
        with CaptureQueriesContext(connection) as two:
            api.get(f"{PROJECT}/runs")
        for number in range(3, 30):
            a_run(people.project, f"run{number}", author=people.alice)
        now_and_then = 3  # what is remembered for some seconds is asked again
        with django_assert_max_num_queries(len(two) + now_and_then):
            api.get(f"{PROJECT}/runs")


class TestARun:
    def test_is_shown_with_numbers_that_json_knows(self, api, people):
        ingest(people, metrics(1, loss="NaN", acc="Infinity"))
        row = api.get(RUN).json()
        assert row["summary"] == {"loss": "NaN", "acc": "Infinity"}
        assert row["state"] == "running"
        assert row["created_at"].endswith("Z")
        assert row["environment"] == {}

    def test_is_changed_by_a_colleague(self, colleague):
        answer = colleague.patch(RUN, {"name": "better", "tags": ["x"]})
        assert answer.status_code == 200
        assert (answer.json()["name"], answer.json()["tags"]) == ("better", ["x"])

    @pytest.mark.parametrize("changes", [{"state": "finished"}, {"name": 1}, {"number": 5}])
    def test_is_not_changed_where_people_may_not(self, api, changes):
        assert api.patch(RUN, changes).status_code == 422

    @pytest.mark.parametrize(
        ("body", "kind", "status"),
        [
            ('{"name":"a","name":"b"}', "application/json", 400),
            ('{"name":NaN}', "application/json", 400),
            ('{"name":"\\ud800"}', "application/json", 400),
            ('{"name":"\\u0000"}', "application/json", 400),
            ("[" * 100_000, "application/json", 400),
            ("[]", "application/json", 400),
            ('{"name":"a"}', "text/plain", 415),
            ("name=a", "application/x-www-form-urlencoded", 415),
        ],
    )
    def test_refuses_a_body_that_is_none(self, api, body, kind, status):
        answer = api.client.generic("PATCH", RUN, body, content_type=kind)
        assert answer.status_code == status
        assert answer.json().keys() == {"code", "message"}

    def test_is_deleted_and_then_missing(self, api):
        assert api.delete(RUN).status_code == 204
        assert api.get(RUN).status_code == 404
        assert api.delete(RUN).status_code == 404
        assert Run.objects.get(run_id="run1").deleted_at is not None

    def test_tells_its_series(self, api, people):
        ingest(people, metrics(1, loss=4.0), metrics(3, loss=2.0), metrics(2, loss="NaN"))
        assert api.get(f"{RUN}/series").json()["series"] == [
            {
                "key": "loss",
                "n": 3,
                "first_step": 1.0,
                "last_step": 3.0,
                "last": 2.0,
                "min": 2.0,
                "max": 4.0,
                "last_time": 1_750_000_003.0,
            }
        ]

    def test_tells_its_log(self, api, people):
        ingest(people, printed("one\ntwo\n"))
        answer = api.get(f"{RUN}/logs?from=1&limit=5").json()
        assert (answer["total"], answer["from"]) == (2, 1)
        assert answer["lines"] == [[1, 1_750_000_000.0, 1, "two"]]


class TestErrors:
    def test_of_an_unknown_address_are_json(self, api):
        answer = api.get("/api/v1/nothing/here")
        assert answer.status_code == 404
        assert answer.json()["code"] == "not_found"

    def test_of_a_method_that_is_not_there_are_json(self, api):
        answer = api.client.put(RUN)
        assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


class TestTheDocument:
    @pytest.fixture
    def document(self):
        return SchemaGenerator().get_schema(request=None, public=True)

    def test_is_valid(self, document):
        validate_schema(document)

    def test_is_served_to_everyone(self, client):
        answer = client.get("/api/v1/schema?format=json")
        assert json.loads(answer.content)["openapi"].startswith("3.")

    def test_covers_every_route(self, document):
        routes = {f"/{route}" for route, _ in addresses() if route.startswith("api/")}
        routes |= {route.pattern for route in ROUTES}
        known = {path.replace("<str:", "{") for path in document["paths"]}
        wanted = {self.as_written(route) for route in routes - {"/api/v1/schema"}}
        assert wanted == known

    def test_and_the_manual_name_the_same_routes(self, document):
        manual = (Path(__file__).parents[3] / "docs/reference/http-api.md").read_text()
        written = set(re.findall(r"^### `(\w+ /api/\S+)`$", manual, re.MULTILINE))
        paths = document["paths"].items()
        assert written == {f"{m.upper()} {path}" for path, methods in paths for m in methods}

    def as_written(self, route):
        for pattern in ("<str:", "(?P<"):
            route = route.replace(pattern, "{")
        return route.replace(">[^/]+)", "}").replace(">", "}")


def test_an_answer_fits_the_document(api, people):
    document = SchemaGenerator().get_schema(request=None, public=True)
    shape = {**document["components"]["schemas"]["RunRowShape"]}
    assert set(api.get(f"{PROJECT}/runs").json()["runs"][0]) == set(shape["properties"])
