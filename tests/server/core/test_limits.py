"""Token buckets: who may go on, who waits, and for how long."""

import pytest
from django.test import Client
from tests.server.asgi_client import AsgiClient, records_path
from tests.server.factories import a_json_batch, a_stream_id

from tidelog_server.core import limits
from tidelog_server.core.limits import Buckets


class TestABucket:
    def test_gives_its_burst_at_once_and_then_its_rate(self):
        buckets = Buckets(rate=2.0, burst=3.0)
        assert [buckets.take("a", 0.0) for _ in range(3)] == [0.0, 0.0, 0.0]
        assert buckets.take("a", 0.0) == 0.5
        assert buckets.take("a", 0.5) == 0.0

    def test_never_holds_more_than_its_burst(self):
        buckets = Buckets(rate=2.0, burst=1.0)
        buckets.take("a", 0.0)
        assert buckets.take("a", 1000.0) == 0.0
        assert buckets.take("a", 1000.0) > 0

    def test_is_nobody_else_s(self):
        buckets = Buckets(rate=1.0, burst=1.0)
        buckets.take("a", 0.0)
        assert buckets.take("b", 0.0) == 0.0

    def test_is_one_of_a_bounded_number(self, monkeypatch):
        monkeypatch.setattr(limits, "MOST_BUCKETS", 10)
        buckets = Buckets(rate=1.0, burst=1.0)
        for number in range(100):
            buckets.take(number, 0.0)
        assert len(buckets._levels) <= 10


@pytest.fixture
def strict(monkeypatch):
    monkeypatch.setattr(limits, "_keys", Buckets(rate=0.1, burst=2.0))
    monkeypatch.setattr(limits, "_wrong", Buckets(rate=0.1, burst=2.0))


@pytest.mark.django_db(transaction=True)
class TestAHerd:
    def send(self, key):
        path = records_path("run1", a_stream_id(), "blue/fish")
        return AsgiClient(key).post(path, json=a_json_batch(0))

    def test_is_told_to_come_back_each_at_another_time(self, people, strict):
        answers = [self.send(people.alice_key) for _ in range(12)]
        assert [answer.status for answer in answers] == [200] * 2 + [429] * 10
        waits = [int(answer.headers["retry-after"]) for answer in answers[2:]]
        assert all(1 <= wait <= 30 for wait in waits)
        assert len(set(waits)) > 1

    def test_of_wrong_keys_does_not_lock_out_a_right_one(self, people, strict):
        wrong = [self.send("tl_" + "x" * 43).status for _ in range(4)]
        assert wrong == [401, 401, 429, 429]
        assert self.send(people.alice_key).status == 200

    def test_is_refused_by_rest_and_sees_no_page_either(self, people, strict):
        headers = {"Authorization": f"Bearer {people.alice_key}"}
        answers = [Client().get("/api/v1/me", headers=headers) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert Client().get("/", headers=headers).status_code == 302
