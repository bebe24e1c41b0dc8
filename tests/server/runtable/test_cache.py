"""The tables of a process against the rows of the database."""

import random

import pytest
from django.db import transaction
from tests.server.factories import a_project, a_run, a_team
from tests.server.runtable.plain import Plain

from tidelog_server.accounts.models import User
from tidelog_server.core.models import ServerIdentity, forget_identity
from tidelog_server.runtable import snapshot
from tidelog_server.runtable.cache import Cache, cache, identity_of, path_of
from tidelog_server.runtable.query import QueryError, parse, parse_sort
from tidelog_server.runtable.query.tree import Scope
from tidelog_server.runtable.selectors import (
    KnownKey,
    KnownValue,
    known_keys,
    known_values,
    run_page,
    run_table,
)
from tidelog_server.tracking import services
from tidelog_server.tracking.models import Project, Run
from tidelog_server.tracking.services.runs import take_rev

NOW = 1_795_000_000.0
QUESTIONS = [
    ("", ""),
    ("lr<0.5 state:running", "-lr"),
    ("tag:base OR NOT opt:*", "opt,-loss"),
    ("loss:nan OR name~swift", "-summary.loss,name"),
    ("base", "tag"),
]


@pytest.fixture(autouse=True)
def _process_begins_anew(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    cache.clear()
    forget_identity()


@pytest.fixture
def project(db):
    return a_project(a_team(), "fish")


@transaction.atomic
def change(run: Run, **fields) -> None:
    run.rev = take_rev(run.project_id)
    for name, value in fields.items():
        setattr(run, name, value)
    run.save()


def some_fields(chance: random.Random) -> dict:
    return {
        "name": chance.choice(["tide-swift", "coral", "BASE camp"]),
        "tags": chance.sample(["base", "best"], chance.randrange(3)),
        "config": {k: chance.choice([0.1, 1, "adam"]) for k in chance.sample(["lr", "opt"], 1)},
        "summary": {"loss": chance.choice(["NaN", 0.5, 0.25])},
    }


def rows_of(project: Project) -> list[dict]:
    """Return what the table must hold, read without it."""
    return [
        {
            Scope.RUN: {
                "number": run.number,
                "id": run.run_id,
                "name": run.name,
                "tag": run.tags,
                "state": run.state,
                "notes": run.notes or None,
                "group": run.group or None,
            },
            Scope.CONFIG: run.config,
            Scope.SUMMARY: run.summary,
        }
        for run in Run.objects.filter(project=project, deleted_at=None)
    ]


def assert_true(project: Project) -> None:
    plain = Plain(rows_of(project), now=NOW)
    for query, sort in QUESTIONS:
        rows = plain.select(parse(query), parse_sort(sort))
        expected = [row[Scope.RUN]["id"] for row in rows]
        page = run_page(project, query=query, sort=sort, limit=1_000)
        assert [row["id"] for row in page.runs] == expected, (query, sort)
        assert page.count == len(expected)


class TestCache:
    @pytest.mark.parametrize("seed", range(4))
    def test_follows_what_is_made_changed_and_deleted(self, project, seed):
        chance = random.Random(seed)
        for _ in range(25):
            runs = list(Run.objects.filter(project=project, deleted_at=None))
            deed = chance.random()
            if deed < 0.4 or not runs:
                change(a_run(project), **some_fields(chance))
            elif deed < 0.8:
                change(chance.choice(runs), **some_fields(chance))
            else:
                services.delete_run(run=chance.choice(runs))
            assert_true(project)

    def test_closes_ranks_when_most_runs_are_gone(self, project, monkeypatch):
        monkeypatch.setattr("tidelog_server.runtable.table.MOST_DEAD", 2)
        chance = random.Random(5)
        runs = [a_run(project) for _ in range(8)]
        for run in runs:
            change(run, **some_fields(chance))
        assert_true(project)
        for run in runs[::2] + runs[1:4:2]:
            services.delete_run(run=run)
            assert_true(project)
        change(a_run(project), **some_fields(chance))
        assert_true(project)

    def test_reads_nothing_but_the_revision_while_nothing_changed(
        self, project, django_assert_num_queries
    ):
        change(a_run(project))
        run_table(project)
        with django_assert_num_queries(1):
            run_table(project, query="base", sort="-loss")

    def test_begins_anew_when_the_database_went_back(self, project):
        for _ in range(3):
            change(a_run(project), tags=["base"])
        assert_true(project)
        Run.objects.filter(project=project, rev__gt=1).delete()
        Project.objects.filter(pk=project.pk).update(rev=1)
        assert_true(project)

    def test_begins_anew_in_another_history_of_the_database(self, project):
        run = a_run(project)
        change(run, tags=["base"])
        assert_true(project)
        ServerIdentity.renew_epoch()
        Run.objects.filter(pk=run.pk).update(tags=[], rev=0)
        change(a_run(project))
        assert_true(project)

    def test_forgets_the_tables_that_were_not_asked_for_lately(self):
        small = Cache(limit=100)
        projects = [Project() for _ in range(3)]
        for each in projects:
            small.entry(each.pk).nbytes = 60
        small.shrink()
        assert small.nbytes == 60
        assert small.entry(projects[2].pk).nbytes == 60

    def test_keeps_the_table_in_use_whatever_its_size(self):
        small = Cache(limit=100)
        small.entry(Project().pk).nbytes = 1_000
        small.shrink()
        assert small.nbytes == 1_000


class TestSnapshot:
    @pytest.fixture
    def saved(self, project):
        """A project whose snapshot was written, and which changed since."""
        chance = random.Random(2)
        runs = [a_run(project) for _ in range(10)]
        for run in runs:
            change(run, **some_fields(chance))
        assert_true(project)
        cache.entry(project.pk).save()
        change(runs[0], **some_fields(chance))
        services.delete_run(run=runs[1])
        change(a_run(project), **some_fields(chance))
        cache.clear()
        return project

    def load(self, project):
        newest = Project.objects.get(pk=project.pk).rev
        return snapshot.load(path_of(project.pk), identity=identity_of(project.pk), newest=newest)

    def test_saves_the_next_process_the_reading(self, saved):
        table = self.load(saved)
        assert (table.rev, table.size) == (10, 10)
        assert_true(saved)

    def test_can_be_changed_after_it_was_loaded(self, saved):
        assert_true(saved)
        change(Run.objects.filter(project=saved, deleted_at=None)[3], tags=["best"], name="new")
        assert_true(saved)

    @pytest.mark.parametrize(
        "damage",
        [
            lambda content: b"",
            lambda content: content[:-7],
            lambda content: content[: len(content) // 2],
            lambda content: content[:60] + bytes([content[60] ^ 255]) + content[61:],
            lambda content: content.replace(b"table 1", b"table 0"),
            lambda content: b"something else",
        ],
        ids=["empty", "torn", "half", "one byte", "version", "foreign"],
    )
    def test_that_is_damaged_is_ignored(self, saved, damage):
        path = path_of(saved.pk)
        path.write_bytes(damage(path.read_bytes()))
        assert self.load(saved) is None
        assert_true(saved)

    def test_of_another_project_is_ignored(self, saved):
        other = a_project(saved.team)
        change(a_run(other), tags=["base"])
        path_of(saved.pk).replace(path_of(other.pk))
        Project.objects.filter(pk=other.pk).update(rev=100)
        assert self.load(other) is None
        assert_true(other)

    def test_of_another_history_is_ignored(self, saved):
        ServerIdentity.renew_epoch()
        assert self.load(saved) is None
        assert_true(saved)

    def test_that_knows_more_than_the_database_is_ignored(self, saved):
        Run.objects.filter(project=saved, rev__gt=5).delete()
        Project.objects.filter(pk=saved.pk).update(rev=5)
        assert self.load(saved) is None
        assert_true(saved)

    def test_leaves_no_other_file_behind(self, saved):
        assert list(path_of(saved.pk).parent.iterdir()) == [path_of(saved.pk)]

    def test_that_cannot_be_written_is_only_missed(self, saved):
        assert_true(saved)
        path_of(saved.pk).unlink()
        path_of(saved.pk).parent.rmdir()
        path_of(saved.pk).parent.write_text("in the way")
        cache.entry(saved.pk).save()
        assert_true(saved)


class TestSelection:
    def test_gives_pages_and_values(self, project):
        for number in range(1, 6):
            change(a_run(project), summary={"loss": number}, name=f"run {number}")
        found = run_table(
            project, query="loss>1", sort="-loss", offset=1, limit=2, columns=["loss", "name", "x"]
        )
        assert found.count == 4
        assert found.columns == {
            "loss": [4.0, 3.0],
            "name": ["run 4", "run 3"],
            "x": [None, None],
        }

    def test_says_which_keys_there_are(self, project):
        change(a_run(project), config={"lr": 1, "opt": "adam"}, tags=["base"])
        change(a_run(project), config={"lr": "high"})
        found = known_keys(project)
        assert KnownKey("config.lr", "mixed", 2) in found
        assert KnownKey("config.opt", "text", 1) in found
        assert KnownKey("run.tag", "tags", 2) in found
        assert KnownKey("run.duration", "duration", 2) in found
        assert not any(key.key == "run.group" for key in found)

    def test_says_which_values_there_are(self, project):
        for tags in (["base", "best"], ["base"], []):
            change(a_run(project), tags=tags, config={"lr": len(tags)})
        assert known_values(project, key="tag") == [KnownValue("base", 2), KnownValue("best", 1)]
        assert known_values(project, key="tag", part="ES") == [KnownValue("best", 1)]
        assert {(v.value, v.runs) for v in known_values(project, key="lr")} == {
            (0.0, 1),
            (1.0, 1),
            (2.0, 1),
        }
        assert known_values(project, key="nothing") == []

    def test_finds_authors_by_the_name_that_is_shown(self, project):
        author = User.objects.create(email="ann.lee@example.org")
        change(a_run(project), author=author)
        assert run_table(project, query="author=ann.lee").count == 1


class TestPatterns:
    @pytest.mark.parametrize(
        "pattern",
        [r"(a+)+$", r"(a|a)*b", r"(.*a){20}", r"^(([a-z])+.)+[A-Z]([a-z])+$", r"(x+x+)+y"],
    )
    def test_that_make_others_backtrack_for_ever_are_answered(self, project, pattern):
        change(a_run(project), notes="a" * 4_000 + "!")
        change(a_run(project), notes="x" * 4_000)
        run_table(project, query=f'notes~"{pattern}"')

    @pytest.mark.parametrize("pattern", ["(", "[", "a{1000}{1000}", r"(?=a)", r"(a)\1", "a" * 201])
    def test_that_are_no_patterns_say_so_and_where(self, project, pattern):
        change(a_run(project))
        with pytest.raises(QueryError) as caught:
            run_table(project, query=f'name~"{pattern}"')
        assert caught.value.at == 5

    def test_that_take_too_long_are_stopped(self, project, monkeypatch):
        change(a_run(project))
        change(a_run(project))
        monkeypatch.setattr("tidelog_server.runtable.texts.REGEX_SECONDS", -1.0)
        with pytest.raises(QueryError, match="too long"):
            run_table(project, query="name~a")

    @pytest.mark.parametrize("query", ["lr<high", 'lr>"3"', "created>soon", "duration>2x"])
    def test_and_values_that_cannot_be_compared_say_so(self, project, query):
        change(a_run(project), config={"lr": 1})
        with pytest.raises(QueryError) as caught:
            run_table(project, query=query)
        assert caught.value.at == query.index(">" if ">" in query else "<") + 1
