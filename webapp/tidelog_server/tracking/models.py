from datetime import timedelta
from typing import ClassVar
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils.timezone import now

from tidelog.wire.runs import RunState
from tidelog.wire.topics import project_topic, run_topic
from tidelog_server.accounts.models import Team
from tidelog_server.core.gate import Caller
from tidelog_server.core.ids import uuid7

COLORS = 12


class ProjectQuerySet(models.QuerySet["Project"]):
    """The questions that are asked of projects, named."""

    def for_caller(self, caller: Caller) -> "ProjectQuerySet":
        """The projects that the caller can see; all questions about projects start here."""
        return self.filter(team_id__in=caller.team_ids)

    def named(self, team: str, project: str) -> "ProjectQuerySet":
        return self.filter(team__slug=team, slug=project)

    def with_run_count(self) -> "ProjectQuerySet":
        """The same projects, each with `run_count`; deleted runs are not counted."""
        return self.annotate(run_count=models.Count("runs", filter=Q(runs__deleted_at=None)))


class Project(models.Model):
    """Runs that belong together.

    rev  grows by one with every change of a run, under this row's lock: commit order is rev order
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    team = models.ForeignKey(Team, models.CASCADE, related_name="projects")
    slug = models.CharField(max_length=64)
    name = models.CharField(max_length=100, blank=True)
    description = models.TextField(blank=True)
    rev = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(default=now, editable=False)

    objects: ClassVar[ProjectQuerySet] = ProjectQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(name="project_slug_once_per_team", fields=["team", "slug"]),
        ]

    def __str__(self) -> str:
        return self.slug

    @property
    def topic(self) -> str:
        return project_topic(self.id)


class RunQuerySet(models.QuerySet["Run"]):
    """The questions that are asked of runs, named."""

    def for_caller(self, caller: Caller) -> "RunQuerySet":
        """The runs that the caller can see; all questions about runs start here."""
        return self.present().filter(project__team_id__in=caller.team_ids)

    def present(self) -> "RunQuerySet":
        """Runs that were not deleted."""
        return self.filter(deleted_at=None)

    def changed_since(self, rev: int) -> "RunQuerySet":
        """Runs, deleted ones too, whose row is newer than revision `rev`."""
        return self.filter(rev__gt=rev)

    def running(self) -> "RunQuerySet":
        return self.filter(state=Run.State.RUNNING, deleted_at=None)

    def silent(self, *, seconds: float) -> "RunQuerySet":
        """Runs that say they are running but have been silent for `seconds`."""
        return self.running().filter(heard_at__lt=now() - timedelta(seconds=seconds))

    def with_gaps(self) -> "RunQuerySet":
        """The same runs, each with `gap_count`: how many stretches of its records were lost."""
        gaps = Gap.objects.filter(run=models.OuterRef("pk")).order_by().values("run")
        counted = gaps.annotate(n=models.Count("pk")).values("n")
        count = Coalesce(models.Subquery(counted), 0)
        return self.annotate(gap_count=count)  # type: ignore[no-redef]

    def newest_first(self) -> "RunQuerySet":
        return self.order_by("-number")


class Run(models.Model):
    """One training job.

    number   1, 2, 3, ... in its project
    color    index in the palette, by number, for good
    written  who wrote each key last: {kind: {path: [wall ms, stream, seq]}}; settles SETs of ranks
    rev      the project's revision when this row last changed
    """

    class State(models.TextChoices):
        RUNNING = RunState.RUNNING.value
        FINISHED = RunState.FINISHED.value
        FAILED = RunState.FAILED.value
        CRASHED = RunState.CRASHED.value
        KILLED = RunState.KILLED.value

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="runs")
    run_id = models.CharField(max_length=64)
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=200)
    state = models.CharField(max_length=16, choices=State.choices, default=State.RUNNING)
    color = models.PositiveSmallIntegerField(default=0)
    group = models.CharField(max_length=200, blank=True)
    job_type = models.CharField(max_length=200, blank=True)
    notes = models.TextField(blank=True)
    tags = models.JSONField(default=list, blank=True)
    config = models.JSONField(default=dict, blank=True)
    summary = models.JSONField(default=dict, blank=True)
    environment = models.JSONField(default=dict, blank=True)
    written = models.JSONField(default=dict, blank=True)
    command = models.TextField(blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="runs"
    )
    host = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(default=now, editable=False)
    started_at = models.DateTimeField(null=True, blank=True)
    heard_at = models.DateTimeField(default=now)
    ended_at = models.DateTimeField(null=True, blank=True)
    exit_code = models.IntegerField(null=True, blank=True)
    dropped = models.JSONField(default=dict, blank=True)
    rev = models.BigIntegerField(default=0)
    deleted_at = models.DateTimeField(null=True, blank=True)

    gap_count: int  # only of runs that `with_gaps` was asked for

    objects: ClassVar[RunQuerySet] = RunQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(name="run_id_once_per_project", fields=["project", "run_id"]),
            models.UniqueConstraint(
                name="run_number_once_per_project", fields=["project", "number"]
            ),
            models.CheckConstraint(
                name="run_has_an_end_unless_it_is_running",
                condition=Q(state="running", ended_at=None)
                | (~Q(state="running") & Q(ended_at__isnull=False)),
            ),
        ]
        indexes = [
            models.Index(name="run_by_project_rev", fields=["project", "rev"]),
            models.Index(name="run_by_silence", fields=["heard_at"], condition=Q(state="running")),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def topic(self) -> str:
        return run_topic(self.id)


class Stream(models.Model):
    """What one process wrote about a run.

    next     the records below it are stored; the next batch begins here
    partial  console text after the last newline: {descriptor: [wall seconds, text]}
    """

    run = models.ForeignKey(Run, models.CASCADE, related_name="streams")
    stream_id = models.CharField(max_length=32)
    next = models.BigIntegerField(default=0)
    primary = models.BooleanField(default=False)
    rank = models.IntegerField(default=0)
    host = models.CharField(max_length=255, blank=True)
    pid = models.BigIntegerField(null=True, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    partial = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="stream_once_per_run", fields=["run", "stream_id"]),
            models.CheckConstraint(name="stream_next_is_a_count", condition=Q(next__gte=0)),
        ]

    def __str__(self) -> str:
        return f"{self.stream_id} < {self.next}"


class ConsoleChunkQuerySet(models.QuerySet["ConsoleChunk"]):
    def overlapping(self, first: int, after: int) -> "ConsoleChunkQuerySet":
        """Chunks with at least one line of [first, after)."""
        return self.filter(first__lt=after, first__gt=first - models.F("n"))


class ConsoleChunk(models.Model):
    """Console lines [first, first + n) of a run, compressed; see `services.console`."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="console")
    first = models.BigIntegerField()
    n = models.PositiveIntegerField()
    payload = models.BinaryField()

    objects: ClassVar[ConsoleChunkQuerySet] = ConsoleChunkQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(name="console_line_once_per_run", fields=["run", "first"]),
        ]

    def __str__(self) -> str:
        return f"lines {self.first} to {self.first + self.n}"


class Gap(models.Model):
    """Records [start, end) of a stream that were lost before they reached the server."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="gaps")
    stream = models.ForeignKey(Stream, models.CASCADE, related_name="gaps")
    start = models.BigIntegerField()
    end = models.BigIntegerField()
    why = models.CharField(max_length=32)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="gap_once_per_stream", fields=["stream", "start"]),
            models.CheckConstraint(name="gap_is_not_empty", condition=Q(end__gt=models.F("start"))),
        ]

    def __str__(self) -> str:
        return f"{self.start} to {self.end}: {self.why}"


class LooseRecord(models.Model):
    """A record that is kept as it came: events, and types that a later version will know."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="loose_records")
    stream = models.ForeignKey(Stream, models.CASCADE, related_name="loose_records")
    seq = models.BigIntegerField()
    type = models.PositiveSmallIntegerField()
    payload = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="loose_record_once", fields=["stream", "seq"]),
        ]

    def __str__(self) -> str:
        return f"{self.seq}: type {self.type}"
