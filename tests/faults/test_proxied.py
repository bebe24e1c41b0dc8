"""Trainings behind a network that misbehaves: 0 lost, 0 doubled, 0 wrong."""

import pytest
from tests.faults.drills import Killing, plans, through_proxies
from tests.workers.serving import Serving


@pytest.mark.timeout(240)
class TestFaultsOnTheWay:
    def test_cost_no_point_and_double_none(self, served):
        accounts = through_proxies(served, plans(times=2), steps=2000)
        assert {account.logged for account in accounts.values()} == {2000}
        assert {name: each for name, each in accounts.items() if not each.is_whole} == {}


@pytest.mark.timeout(240)
class TestKillingWhatOneMeets:
    def test_costs_no_point_and_doubles_none(self, tmp_path):
        with Killing(Serving(tmp_path).__enter__(), seed=11) as killing:
            killing.kill(10)
            account = killing.settle()
        assert account.logged > 0
        assert account.is_whole, (account, killing.killed)
