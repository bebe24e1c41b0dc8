import json
import struct
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from django.test import Client
from tests.contracts.metric_store import NAN, columns_of, some_points
from tests.server.factories import a_project, a_run

from tidelog_server.metrics.store import store

CHART = "/api/v1/projects/blue/fish/chart"
POINTS = "/api/v1/projects/blue/fish/runs/run1/points"


@pytest.fixture
def client(people: SimpleNamespace) -> Client:
    return Client(headers={"Authorization": f"Bearer {people.alice_key}"})


def log(run: Any, points: Any, key: str = "loss") -> None:
    start = sum(total.n for total in store.series([run.pk])[run.pk])
    columns = columns_of({key: points})
    store.append(
        run_id=run.pk, stream="ab" * 16, start=start, end=start + len(points), columns=columns
    )


def ask(client: Client, accept: str = "application/json", **asked: Any) -> Any:
    body = {"key": "loss", "runs": ["run1"], "x": "step", "from": None, "to": None, "width": 500}
    return client.post(
        CHART, {**body, **asked}, content_type="application/json", headers={"Accept": accept}
    )


def opened(body: bytes) -> tuple[dict[str, Any], bytes]:
    (length,) = struct.unpack_from("<I", body)
    assert (4 + length) % 8 == 0
    return json.loads(body[4 : 4 + length]), body[4 + length :]


class TestChart:
    def test_few_points_come_as_they_are(self, client, people):
        log(people.run, [(0, 1.0, 0.5), (1, 2.0, NAN), (2, 3.0, 0.25)])
        answer = ask(client).json()
        assert (answer["mode"], answer["n"], answer["x"]) == ("raw", 3, [0, 1, 2])
        run = answer["runs"][0]
        assert run["value"] == [0.5, "NaN", 0.25]
        assert (run["id"], run["total"], run["range"], run["nan"]) == ("run1", 3, 3, [1])
        assert run["origin"] == people.run.created_at.timestamp()

    def test_raw_columns_are_padded_to_eight_bytes(self, client, people):
        other = a_run(people.project, "run2")
        log(people.run, [(0, 1.0, 0.5), (1, 2.0, 0.75), (2, 3.0, 0.25)])
        log(other, [(1, 2.0, 8.0)])
        response = ask(client, "application/octet-stream", runs=["run2", "run1"])
        assert response["Content-Type"] == "application/octet-stream"
        header, columns = opened(response.content)
        assert [run["id"] for run in header["runs"]] == ["run2", "run1"]
        assert len(columns) == 3 * 8 + 2 * 16
        assert np.frombuffer(columns, "<f8", 3).tolist() == [0, 1, 2]
        second = np.frombuffer(columns, "<f4", 3, 24)
        assert np.array_equal(second, [NAN, 8, NAN], equal_nan=True)
        assert np.frombuffer(columns, "<f4", 3, 40).tolist() == [0.5, 0.75, 0.25]

    def test_many_points_come_in_buckets_of_one_grid(self, client, people):
        log(people.run, some_points(5_000))
        header, columns = opened(ask(client, "application/octet-stream").content)
        assert header["mode"] == "buckets"
        assert header["n"] <= 750
        assert header["x0"] + header["n"] * header["dx"] > 4_999
        assert header["runs"][0]["cols"] == ["mean", "min", "max", "last"]
        assert len(columns) == 4 * (header["n"] + header["n"] % 2) * 4
        assert ask(client).json()["runs"][0]["mean"][0] is not None

    def test_a_range_is_echoed_and_kept(self, client, people):
        log(people.run, some_points(100))
        answer = ask(client, **{"from": 10, "to": 19.5}).json()
        assert (answer["from"], answer["to"], answer["x"]) == (10, 19.5, list(range(10, 20)))

    def test_a_key_that_nobody_logged_is_an_empty_chart(self, client):
        answer = ask(client, key="nothing").json()
        assert (answer["n"], answer["runs"][0]["total"]) == (0, 0)

    @pytest.mark.parametrize(
        "wrong",
        [
            {"key": ""},
            {"key": None},
            {"key": "k" * 600},
            {"runs": "run1"},
            {"runs": [1]},
            {"runs": [f"r{i}" for i in range(101)]},
            {"x": "epoch"},
            {"x": ["step"]},
            {"from": "1"},
            {"from": True},
            {"from": 2, "to": 1},
            {"width": "wide"},
            {"width": None},
        ],
    )
    def test_a_wrong_request_is_told_in_a_sentence(self, client, wrong):
        response = ask(client, **wrong)
        assert response.status_code == 422
        assert response.json()["message"].endswith(".")

    @pytest.mark.parametrize("width", [-5, 0, 1, 1e9])
    def test_any_width_is_brought_into_its_limits(self, client, people, width):
        log(people.run, some_points(10))
        assert ask(client, width=width).status_code == 200

    def test_runs_of_another_project_are_not_found(self, client, people):
        a_run(a_project(people.team, "meat"), "elsewhere")
        a_run(a_project(people.other_team, "fish"), "foreign")
        for name in ("elsewhere", "foreign", "missing"):
            assert ask(client, runs=["run1", name]).status_code == 404

    def test_strangers_find_nothing(self, people):
        stranger = Client(headers={"Authorization": f"Bearer {people.charlie_key}"})
        assert ask(stranger).status_code == 404
        assert stranger.get(POINTS, {"key": "loss"}).status_code == 404
        assert ask(Client()).status_code == 401


class TestPoints:
    def test_pages_through_every_point(self, client, people):
        points = some_points(25)
        log(people.run, points)
        first = client.get(POINTS, {"key": "loss", "limit": 20})
        assert (first.json()["next"], first["Tidelog-Next"]) == (20, "20")
        last = client.get(POINTS, {"key": "loss", "after": 20}).json()
        assert last["next"] is None
        assert [tuple(p) for p in first.json()["points"] + last["points"]] == points

    def test_nan_and_infinity_are_strings_in_json(self, client, people):
        log(people.run, [(0, 1.0, NAN), (1, 1.0, float("-inf"))])
        found = client.get(POINTS, {"key": "loss"}).json()["points"]
        assert found == [[0, 1, "NaN"], [1, 1, "-Infinity"]]

    def test_columns_are_float64(self, client, people):
        log(people.run, [(0.5, 1.25, 1e300)])
        answer = client.get(POINTS, {"key": "loss"}, headers={"Accept": "application/octet-stream"})
        header, columns = opened(answer.content)
        assert header["n"] == 1
        assert np.frombuffer(columns, "<f8").tolist() == [0.5, 1.25, 1e300]

    def test_a_key_is_no_formula_in_csv(self, client, people):
        log(people.run, [(0, 1.5, -2.0)], key="=cmd()")
        answer = client.get(POINTS, {"key": "=cmd()"}, headers={"Accept": "text/csv"})
        assert answer.content.decode() == "step,time,'=cmd()\n0.0,1.5,-2.0\n"
        assert answer["Content-Disposition"] == 'attachment; filename="run1.csv"'

    @pytest.mark.parametrize("wrong", [{}, {"key": "a", "limit": 0}, {"key": "a", "after": "x"}])
    def test_a_wrong_request_is_told_in_a_sentence(self, client, wrong):
        assert client.get(POINTS, wrong).status_code == 422
