"""What a run's page says in words, and to whom it offers what."""

from types import SimpleNamespace

import pytest
from django.test import Client
from django.utils.timezone import now, timedelta
from tests.server.factories import a_member, a_run

from tidelog_server.accounts.models import Role
from tidelog_server.tracking.models import Run
from tidelog_server.tracking.views.loss import dropped_words, missing_words
from tidelog_server.tracking.views.tree import tree_of


class TestLosses:
    def test_are_told_in_words(self) -> None:
        assert dropped_words({"disk_full": 1204, "too_large": 1}) == [
            "1,204 points were not recorded: the disk was full.",
            "1 point was not recorded: one record was larger than a record may be.",
        ]
        assert missing_words({"corrupt": 12}) == ["12 records are missing: damaged on disk."]

    def test_of_an_unknown_kind_are_told_too(self) -> None:
        assert dropped_words({"solar_flare": 3, "none": 0}) == [
            "3 points were not recorded: solar flare."
        ]


class TestTree:
    def test_groups_keys_by_their_parts(self) -> None:
        tree = tree_of({"lr": 1, "opt/name": "adam", "opt/betas/0": 0.9})
        assert tree.leaves == [("lr", "lr", 1)]
        assert [(g.name, g.count) for g in tree.groups] == [("opt", 2)]
        assert tree.groups[0].groups[0].leaves == [("0", "opt/betas/0", 0.9)]

    def test_holds_a_key_that_is_also_a_group(self) -> None:
        tree = tree_of({"a": 1, "a/b": 2})
        assert tree.count == 2


def page_of(run: Run, user: object) -> str:
    client = Client()
    client.force_login(user)  # type: ignore[arg-type]
    address = f"/{run.project.team.slug}/{run.project.slug}/runs/{run.run_id}"
    return client.get(address).content.decode()


@pytest.mark.django_db
class TestRunPage:
    def test_offers_changes_to_members_only(self, people: SimpleNamespace) -> None:
        run = a_run()
        viewer = a_member(run.project.team, Role.VIEWER)
        writer = a_member(run.project.team, Role.MEMBER)
        assert "data-edit" in page_of(run, writer)
        assert "data-delete" in page_of(run, writer)
        assert "data-edit" not in page_of(run, viewer)
        assert "data-delete" not in page_of(run, viewer)

    def test_says_that_a_run_gives_no_signal(self) -> None:
        run = a_run()
        Run.objects.filter(pk=run.pk).update(heard_at=now() - timedelta(minutes=3, seconds=5))
        assert "No signal for 3 min" in page_of(run, a_member(run.project.team))

    def test_says_what_was_lost(self) -> None:
        run = a_run()
        Run.objects.filter(pk=run.pk).update(dropped={"disk_full": 5})
        page = page_of(run, a_member(run.project.team))
        assert "5 points were not recorded: the disk was full." in page
