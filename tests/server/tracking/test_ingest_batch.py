"""What a batch does to a run, and that it does it once."""

import pytest
from django.db import IntegrityError
from tests.server.factories import (
    a_batch,
    a_caller,
    a_member,
    a_project,
    a_run,
    a_team,
    finish,
    metrics,
    opening,
    printed,
    setting,
)

from tidelog_server.accounts.models import Role
from tidelog_server.core.errors import Conflict, Forbidden, Gone, Invalid, NotFound
from tidelog_server.metrics.store import store
from tidelog_server.tracking import services
from tidelog_server.tracking.models import Gap, LooseRecord, Project, Run
from tidelog_server.tracking.selectors import console_lines
from tidelog_server.tracking.services import ingest, keys

STREAM = "0" * 31 + "1"
OTHER = "0" * 31 + "2"


class Sender:
    """A process that writes one stream of run `run1` of project `fish`."""

    def __init__(self, project="fish", run="run1", stream=STREAM, team=None, caller=None):
        self.team = team or a_team()
        self.caller = caller or a_caller(self.team, scopes=["ingest"])
        self.project, self.run_id, self.stream = project, run, stream
        self.next = 0

    def send(self, *records, **more):
        receipt = self.send_at(self.next, *records, **more)
        self.next = receipt.next
        return receipt

    def send_at(self, start, *records, **more):
        return services.ingest_batch(
            caller=self.caller,
            project_name=self.project,
            run_id=self.run_id,
            stream_id=self.stream,
            batch=a_batch(start, *records, **more),
        )

    @property
    def run(self):
        return Run.objects.get(run_id=self.run_id)

    def beside(self, stream=OTHER):
        """Another process of the same run."""
        return Sender(self.project, self.run_id, stream, self.team, self.caller)


@pytest.fixture
def sender(db):
    return Sender()


def totals(run):
    return {total.key: total.n for total in store.series([run.pk])[run.pk]}


class TestTheFirstBatch:
    def test_makes_the_project_and_the_run(self, sender):
        sender.send(opening())
        assert sender.run.project.slug == "fish"
        assert sender.run.number == 1
        assert sender.run.author == sender.caller.user

    def test_names_the_run_by_two_words_and_its_number(self, sender):
        sender.send(opening())
        assert sender.run.name.count("-") == 2
        assert sender.run.name.endswith("-1")

    def test_takes_the_name_that_the_client_chose(self, sender):
        sender.send(opening(), run={"name": "my run", "created": 1_750_000_000.0})
        assert sender.run.name == "my run"
        assert sender.run.created_at.year == 2025

    def test_gives_the_thirteenth_run_the_first_color_again(self, sender):
        for number in range(13):
            sender.run_id = f"run{number}"
            sender.send_at(0, opening())
        assert sender.run.number == 13
        assert sender.run.color == 0

    def test_finds_a_project_by_its_team(self, sender):
        sender.project = f"{sender.team.slug}/fish"
        sender.send(opening())
        assert Project.objects.get().team == sender.team

    def test_of_a_foreign_team_is_not_found(self, sender):
        sender.project = f"{a_team().slug}/fish"
        with pytest.raises(NotFound):
            sender.send(opening())

    def test_of_a_viewer_is_forbidden(self, sender):
        viewer = a_member(sender.team, Role.VIEWER)
        sender.caller = a_caller(sender.team, user=viewer, scopes=["ingest"])
        with pytest.raises(Forbidden):
            sender.send(opening())
        assert not Project.objects.exists()

    @pytest.mark.parametrize("slug", ["Fish", "a b", "", "x" * 65, "é", "../x"])
    def test_of_a_project_with_an_impossible_name_is_refused(self, sender, slug):
        sender.project = f"{sender.team.slug}/{slug}"
        with pytest.raises(NotFound):
            sender.send(opening())

    @pytest.mark.parametrize("run_id", ["..", "a b", "x" * 65])
    def test_of_a_run_with_an_impossible_id_is_refused(self, sender, run_id):
        sender.run_id = run_id
        with pytest.raises(NotFound, match="run's id"):
            sender.send(opening())

    def test_that_does_not_begin_at_zero_makes_nothing(self, sender):
        with pytest.raises(Conflict):
            sender.send_at(5, metrics(1, loss=1.0))
        assert not Project.objects.exists()


class TestExactlyOnce:
    def test_a_batch_sent_twice_is_stored_once(self, sender):
        sender.send(metrics(1, loss=1.0))
        rev = sender.run.rev
        receipt = sender.send_at(0, metrics(1, loss=1.0))
        assert receipt.next == 1
        assert totals(sender.run) == {"loss": 1}
        assert sender.run.rev == rev

    def test_a_batch_that_skips_records_is_told_where_to_begin(self, sender):
        sender.send(metrics(1, loss=1.0))
        with pytest.raises(Conflict) as refusal:
            sender.send_at(3, metrics(1, loss=1.0))
        assert refusal.value.body["code"] == "seq_gap"
        assert refusal.value.body["next"] == 1

    def test_a_batch_that_overlaps_is_told_where_to_begin(self, sender):
        sender.send(metrics(1, loss=1.0))
        with pytest.raises(Conflict) as refusal:
            sender.send_at(0, metrics(1, loss=1.0), metrics(2, loss=1.0))
        assert refusal.value.body["next"] == 1
        assert totals(sender.run) == {"loss": 1}

    def test_what_fails_half_way_leaves_nothing(self, sender, monkeypatch):
        sender.send(metrics(1, loss=1.0))

        def fail(*args):
            raise IntegrityError

        monkeypatch.setattr(ingest, "_keep_gaps", fail)
        with pytest.raises(IntegrityError):
            sender.send(metrics(2, loss=2.0))
        monkeypatch.undo()
        assert totals(sender.run) == {"loss": 1}
        assert sender.send(metrics(2, loss=2.0)).next == 2

    def test_streams_of_one_run_are_counted_apart(self, sender):
        sender.send(metrics(1, loss=1.0))
        assert sender.beside().send(metrics(1, loss=1.0)).next == 1
        assert totals(sender.run) == {"loss": 2}


class TestPoints:
    def test_put_their_last_value_into_the_summary(self, sender):
        sender.send(metrics(1, loss=3.0), metrics(2, loss=2.5, acc="NaN"))
        assert sender.run.summary == {"loss": 2.5, "acc": "NaN"}

    def test_leave_a_summary_that_the_script_set_itself(self, sender):
        sender.send(setting("summary", ("loss", "best")), metrics(1, loss=3.0))
        assert sender.run.summary == {"loss": "best"}

    def test_of_the_system_stay_out_of_the_summary(self, sender):
        sender.send((4, {"t": 1.7e12, "s": 1, "d": {"system/cpu": 5}}))
        assert sender.run.summary == {}
        assert totals(sender.run) == {"system/cpu": 1}

    def test_of_too_many_metrics_are_named_and_the_rest_is_kept(self, sender, monkeypatch):
        monkeypatch.setattr(keys, "MAX_KEYS", 2)
        receipt = sender.send(metrics(1, a=1.0, b=1.0, c=1.0))
        assert receipt.rejected == [{"key": "c", "code": "too_many_keys"}]
        assert totals(sender.run) == {"a": 1, "b": 1}

    def test_of_too_many_metrics_leave_a_note_on_the_run(self, sender, monkeypatch):
        monkeypatch.setattr(keys, "MAX_KEYS", 1)
        sender.send(metrics(1, a=1.0, b=1.0), metrics(2, a=1.0, b=1.0))
        sender.send(metrics(3, a=1.0, b=1.0))
        assert sender.run.dropped == {"too_many_keys": 3}

    def test_of_the_system_count_towards_the_cap_whichever_batch_brings_them(
        self, sender, monkeypatch
    ):
        monkeypatch.setattr(keys, "MAX_KEYS", 2)
        sender.send((4, {"t": 1.7e12, "s": 1, "d": {"system/cpu": 5}}))
        sender.send(metrics(1, a=1.0))
        keys.forget()  # another process takes the next batch
        receipt = sender.send(metrics(2, b=1.0), (4, {"t": 1.7e12, "s": 1, "d": {"system/gpu": 5}}))
        assert {each["key"] for each in receipt.rejected} == {"b", "system/gpu"}
        assert totals(sender.run) == {"system/cpu": 1, "a": 1}

    def test_raise_the_revision_of_project_and_run(self, sender):
        sender.send(metrics(1, loss=1.0))
        sender.send(metrics(2, loss=1.0))
        assert sender.run.rev == sender.run.project.rev == 2


class TestSettings:
    def test_fill_config_flat(self, sender):
        sender.send(setting("config", ("lr", 0.1), ("model", {"depth": 3, "act": {"k": "relu"}})))
        assert sender.run.config == {"lr": 0.1, "model/depth": 3, "model/act/k": "relu"}

    def test_of_texts_and_tags_are_taken_whole(self, sender):
        sender.send(
            setting("tags", ("", ["a", "b", "a"])),
            setting("name", ("", "swift")),
            setting("notes", ("", "try again")),
            setting("group", ("", "g")),
            setting("job_type", ("", "train")),
        )
        run = sender.run
        assert (run.tags, run.name, run.notes) == (["a", "b"], "swift", "try again")
        assert (run.group, run.job_type) == ("g", "train")

    def test_of_the_environment_tell_the_command(self, sender):
        sender.send(setting("environment", ("command", ["python", "train.py"])))
        assert sender.run.command == "python train.py"

    def test_are_settled_by_their_time_between_streams(self, sender):
        other = sender.beside()
        sender.send(setting("config", ("lr", "new"), t=2_000))
        other.send(setting("config", ("lr", "old"), t=1_000))
        assert sender.run.config == {"lr": "new"}

    def test_that_mean_nothing_are_named_and_the_rest_is_kept(self, sender):
        receipt = sender.send(
            setting("colour", ("", "blue")),
            (2, {"k": "config", "ops": "what"}),
            setting("tags", ("", "one")),
            setting("config", ("a\nb", 1)),
            setting("config", ("ok", 1)),
        )
        codes = [(each["seq"], each["code"]) for each in receipt.rejected]
        assert codes == [
            (0, "unknown_kind"),
            (1, "bad_record"),
            (2, "bad_value"),
            (3, "bad_key"),
        ]
        assert sender.run.config == {"ok": 1}


class TestConsole:
    def texts(self, sender):
        return [line[3] for line in console_lines(sender.run).lines]

    def test_is_cut_into_numbered_lines(self, sender):
        sender.send(printed("one\ntwo\n"), printed("three\n", fd=2))
        assert [(n, fd, text) for n, _, fd, text in console_lines(sender.run).lines] == [
            (0, 1, "one"),
            (1, 1, "two"),
            (2, 2, "three"),
        ]

    def test_joins_a_line_that_came_in_two_batches(self, sender):
        sender.send(printed("hel"))
        sender.send(printed("lo\nworld\n"))
        assert self.texts(sender) == ["hello", "world"]

    def test_shows_a_line_without_end_when_the_run_ends(self, sender):
        sender.send(opening(), printed("bye"))
        assert self.texts(sender) == []
        sender.send(finish())
        assert self.texts(sender) == ["bye"]

    def test_keeps_what_a_progress_bar_showed_last(self, sender):
        sender.send(printed("10 %\r50 %\r"), printed("100 %\n"))
        assert self.texts(sender) == ["100 %"]

    def test_is_read_from_any_line_and_from_the_end(self, sender):
        for number in range(5):
            sender.send(printed(f"{number}a\n{number}b\n"))
        assert [line[3] for line in console_lines(sender.run, first=3, limit=2).lines] == [
            "1b",
            "2a",
        ]
        tail = console_lines(sender.run, first=-2)
        assert (tail.total, tail.first) == (10, 8)
        assert [line[3] for line in tail.lines] == ["4a", "4b"]


class TestTheStateOfARun:
    def test_is_what_the_primary_s_finish_says(self, sender):
        sender.send(opening(), metrics(1, loss=1.0))
        assert sender.run.state == "running"
        sender.send(finish("failed", exit=3, dropped={"disk_full": 2}))
        assert (sender.run.state, sender.run.exit_code) == ("failed", 3)
        assert sender.run.dropped == {"disk_full": 2}
        assert sender.run.ended_at is not None

    def test_is_not_ended_by_another_rank(self, sender):
        sender.send(opening())
        other = sender.beside()
        other.send(opening(primary=False, rank=1), finish("failed"))
        assert sender.run.state == "running"

    def test_is_crashed_when_the_uploader_says_that_the_writer_is_gone(self, sender):
        sender.send(opening())
        sender.send_at(1, writer="gone")
        assert sender.run.state == "crashed"

    def test_stays_when_the_writer_of_another_rank_is_gone(self, sender):
        sender.send(opening())
        other = sender.beside()
        other.send(opening(primary=False, rank=1))
        other.send_at(1, writer="gone")
        assert sender.run.state == "running"

    def test_is_running_again_when_a_crashed_run_is_heard_of(self, sender):
        sender.send(opening())
        sender.send_at(1, writer="gone")
        sender.send(metrics(1, loss=1.0))
        assert (sender.run.state, sender.run.ended_at) == ("running", None)

    def test_of_a_crashed_run_is_what_its_late_finish_says(self, sender):
        sender.send(opening())
        sender.send_at(1, writer="gone")
        sender.send(metrics(1, loss=1.0), finish("killed"))
        assert sender.run.state == "killed"

    def test_is_running_again_when_another_process_resumes_the_run(self, sender):
        sender.send(opening(), finish())
        sender.beside().send(opening(wall=1_750_000_100_000))
        assert sender.run.state == "running"

    def test_is_told_by_the_process_that_began_last_whatever_comes_late(self, sender):
        resumed = sender.beside()
        resumed.send(opening(wall=1_750_000_100_000), finish("finished"))
        sender.send(opening(), finish("failed"))
        assert sender.run.state == "finished"

    def test_ends_when_it_last_trained_although_it_is_synced_later(self, sender):
        sender.send(opening(), metrics(60, loss=1.0), finish())
        assert (sender.run.ended_at - sender.run.started_at).total_seconds() == 60

    def test_of_a_crash_that_is_synced_later_ends_when_it_last_trained(self, sender):
        sender.send(opening(), metrics(60, loss=1.0))
        sender.send_at(2, writer="gone")
        assert (sender.run.ended_at - sender.run.started_at).total_seconds() == 60


class TestAHeartbeat:
    def test_stores_nothing_and_is_heard(self, sender):
        sender.send(opening())
        before = sender.run
        assert sender.send_at(1).next == 1
        assert sender.run.heard_at > before.heard_at
        assert sender.run.rev == before.rev


class TestOtherRecords:
    def test_of_unknown_types_are_kept_as_they_are(self, sender):
        sender.send((6, {"alert": "hot"}), (77, {"from": "the future"}))
        kept = LooseRecord.objects.order_by("seq").values_list("type", "payload")
        assert list(kept) == [(6, {"alert": "hot"}), (77, {"from": "the future"})]

    def test_that_were_dropped_are_counted_by_reason(self, sender):
        sender.send((9, {"n": 3, "why": "disk_full"}), (9, {"n": 4, "why": "disk_full"}))
        assert sender.run.dropped == {"disk_full": 7}

    def test_that_were_lost_are_kept_as_gaps(self, sender):
        sender.send(metrics(1, loss=1.0), end=10, gaps=[[1, 10, "corrupt"]])
        gap = Gap.objects.get()
        assert (gap.start, gap.end, gap.why) == (1, 10, "corrupt")


class TestADeletedRun:
    def test_answers_late_records_with_gone(self, sender):
        sender.send(metrics(1, loss=1.0))
        services.delete_run(run=sender.run)
        with pytest.raises(Gone) as refusal:
            sender.send(metrics(2, loss=1.0))
        assert refusal.value.body["code"] == "run_deleted"

    def test_leaves_a_tombstone_with_a_new_revision_and_no_points(self, sender):
        sender.send(metrics(1, loss=1.0))
        rev = sender.run.rev
        services.delete_run(run=sender.run)
        assert sender.run.rev == rev + 1
        assert totals(sender.run) == {}


class TestReapSilentRuns:
    def test_marks_only_the_silent_as_crashed(self, db):
        project = a_project()
        silent = a_run(project, heard_at="2026-01-01T00:00:00Z")
        loud = a_run(project)
        assert services.reap_silent_runs(seconds=300) == 1
        silent.refresh_from_db()
        loud.refresh_from_db()
        assert (silent.state, loud.state) == ("crashed", "running")
        assert silent.ended_at == silent.heard_at

    def test_finds_nothing_the_second_time(self, db):
        a_run(heard_at="2026-01-01T00:00:00Z")
        services.reap_silent_runs()
        assert services.reap_silent_runs() == 0


class TestEditRun:
    def test_changes_what_people_may_change(self, db):
        run = a_run()
        services.edit_run(run=run, changes={"name": "new", "tags": ["x"], "notes": "n"})
        run.refresh_from_db()
        assert (run.name, run.tags, run.notes, run.rev) == ("new", ["x"], "n", 1)

    @pytest.mark.parametrize(
        "changes",
        [
            *({"state": "finished"}, {"name": ""}, {"name": 3}, {"name": "x" * 201}),
            *({"tags": "x"}, {"tags": [1]}, {"tags": [""]}, {"rev": 9}, {"project": "other"}),
        ],
    )
    def test_refuses_everything_else(self, db, changes):
        run = a_run()
        with pytest.raises(Invalid):
            services.edit_run(run=run, changes=changes)

    def test_wins_over_an_older_name_that_comes_late(self, sender):
        sender.send(opening())
        services.edit_run(run=sender.run, changes={"name": "by hand"})
        sender.send(setting("name", ("", "by script"), t=1_000))
        assert sender.run.name == "by hand"


def test_a_stream_id_must_be_one(sender):
    sender.stream = "nope"
    with pytest.raises(NotFound):
        sender.send(opening())
