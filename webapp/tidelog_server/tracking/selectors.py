"""Questions about projects and runs that change nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tidelog.wire.runs import is_run_id
from tidelog_server.accounts.models import Team
from tidelog_server.core import gate
from tidelog_server.core.errors import Forbidden, Gone, NotFound
from tidelog_server.core.gate import Action, Caller
from tidelog_server.core.json import is_storable
from tidelog_server.metrics.store import store
from tidelog_server.metrics.values import SeriesTotal
from tidelog_server.tracking import console
from tidelog_server.tracking.models import ConsoleChunk, Project, Run, Stream
from tidelog_server.tracking.rows import RunDetail, RunRow, iso, run_detail, run_row

MOST_LINES = 5_000


@gate.resolves("project", team_of=lambda project: project.team_id)
def visible_project(caller: Caller, kwargs: Mapping[str, Any]) -> Project | None:
    projects = Project.objects.for_caller(caller).select_related("team")
    return projects.named(kwargs["team"], kwargs["project"]).first()


@gate.resolves("run", team_of=lambda run: run.project.team_id)
def visible_run(caller: Caller, kwargs: Mapping[str, Any]) -> Run | None:
    runs = Run.objects.for_caller(caller).select_related("project__team", "author").with_gaps()
    return runs.filter(
        project__team__slug=kwargs["team"],
        project__slug=kwargs["project"],
        run_id=kwargs["run"],
    ).first()


def projects_of(team: Team) -> list[Project]:
    """Return a team's projects by name; each has `run_count`."""
    return list(Project.objects.filter(team=team).with_run_count().order_by("slug"))


def project_json(project: Project) -> dict[str, Any]:
    """Return a project as the API shows it."""
    return {
        "id": str(project.id),
        "slug": project.slug,
        "name": project.name or project.slug,
        "description": project.description,
        "rev": project.rev,
        "created_at": iso(project.created_at),
    }


@dataclass(frozen=True, slots=True)
class RunPage:
    """Some rows of a project's run table.

    rev    the project's revision that they are true at, or older than the truth
    count  runs there are, not only the ones here
    """

    rev: int
    count: int
    runs: list[RunRow]


def run_page(project: Project, *, limit: int) -> RunPage:
    """Return the first rows of a project, newest first."""
    # Before the rows: who asks again from this revision can see a row twice but misses none.
    rev = Project.objects.values_list("rev", flat=True).get(pk=project.pk)
    runs = Run.objects.filter(project=project).present()
    page = runs.with_gaps().select_related("author").newest_first()[:limit]
    return RunPage(rev, runs.count(), [run_row(run, gaps=run.gap_count) for run in page])


def detail(run: Run) -> RunDetail:
    """Return all that the API shows of a run that the gate found."""
    return run_detail(run, gaps=run.gap_count)


def series_of(run: Run) -> list[SeriesTotal]:
    """Return what is known of each metric of a run, by key."""
    return list(store.series([run.pk])[run.pk])


def metric_catalogue(project: Project) -> dict[str, int]:
    """Return every metric's key in a project and how many of its runs have it."""
    runs = Run.objects.filter(project=project).present().values_list("pk", flat=True)
    return store.keys(list(runs))


@dataclass(frozen=True, slots=True)
class Lines:
    """Some console lines of a run: [number, seconds since the epoch, descriptor, text]."""

    total: int
    first: int
    lines: list[list[Any]]


def console_lines(run: Run, *, first: int = 0, limit: int = 1_000) -> Lines:
    """Return lines [first, first + limit) of a run's console; a negative `first` counts back."""
    chunks = ConsoleChunk.objects.filter(run=run)
    last = chunks.order_by("-first").values_list("first", "n").first()
    total = sum(last) if last else 0
    first = max(0, total + first) if first < 0 else first
    after = first + min(limit, MOST_LINES)
    wanted = chunks.overlapping(first, after).order_by("first")
    lines = [line for chunk in wanted for line in _numbered(chunk)]
    return Lines(total, first, [line for line in lines if first <= line[0] < after])


def _numbered(chunk: ConsoleChunk) -> list[list[Any]]:
    lines = console.unpack(chunk.payload)
    return [[chunk.first + index, *line] for index, line in enumerate(lines)]


def stream_positions(*, caller: Caller, project_name: str, run_id: str) -> dict[str, int]:
    """Return what is stored of each stream of a run: {stream id: next}.

    A run that is not there has no streams; its first batch will make it. Raises Gone `run_deleted`,
    NotFound, Forbidden.
    """
    team_id, slug = ingest_target(caller, project_name)
    project = Project.objects.filter(team_id=team_id, slug=slug).first()
    if project is None or not is_run_id(run_id):
        return {}
    run = Run.objects.filter(project=project, run_id=run_id).first()
    if run is not None and run.deleted_at is not None:
        raise Gone("This run was deleted on the server.", code="run_deleted")
    return dict(Stream.objects.filter(run=run).values_list("stream_id", "next")) if run else {}


def ingest_target(caller: Caller, named: str) -> tuple[int, str]:
    """Return the team's id and the project's slug that an ingest route names.

    named  "team/project", or "project" in the key's own team

    Raises NotFound (no such team for this caller), Forbidden (may not ingest).
    """
    team_id, slug = team_and_slug(caller, named)
    if not caller.may(Action.INGEST, team_id):
        raise Forbidden
    return team_id, slug


def team_and_slug(caller: Caller, named: str) -> tuple[int, str]:
    """Return the id of the team that `named` means for this caller, and the project's slug."""
    if not named:
        raise NotFound("Name the project: ?project=team/project.", code="no_project")
    if not is_storable(named):
        raise NotFound
    team, slash, slug = named.rpartition("/")
    team_id = _team_called(caller, team) if slash else caller.team
    if team_id is None or team_id not in caller.roles:
        raise NotFound
    return team_id, slug


def _team_called(caller: Caller, slug: str) -> int | None:
    if caller.key is not None:  # it opens one team, which came with it
        return caller.team if caller.key.team.slug == slug else None
    teams = Team.objects.for_caller(caller).filter(slug=slug)
    return teams.values_list("pk", flat=True).first()
