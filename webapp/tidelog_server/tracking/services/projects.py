from tidelog.wire.runs import SLUG
from tidelog_server.accounts.models import Team
from tidelog_server.core.errors import Conflict, Invalid, NotFound
from tidelog_server.tracking.models import Project

IMPOSSIBLE = (
    "A project's name is 1 to 64 lower-case letters, digits, '.', '_' or '-', beginning and "
    "ending with a letter or digit."
)


def create_project(*, team: Team, slug: str, name: str = "") -> Project:
    """Add a project. Raises Invalid or Conflict."""
    check_slug(slug)
    project, created = Project.objects.get_or_create(
        team=team, slug=slug, defaults={"name": name or slug}
    )
    if not created:
        raise Conflict(f"{team.slug} already has a project {slug}.", code="project_exists")
    return project


def project_for_ingest(team_id: int, slug: str) -> Project:
    """Return the project a batch is for, which `ingest_target` allowed; a new one is made.

    Raises NotFound for a name that no project can have: not Invalid, for which a client would
    blame its records.
    """
    projects = Project.objects.select_related("team")
    project = projects.filter(team_id=team_id, slug=slug).first()
    if project is None:
        if not SLUG.fullmatch(slug):
            raise NotFound(IMPOSSIBLE, code="bad_project")
        project, _ = projects.get_or_create(team_id=team_id, slug=slug, defaults={"name": slug})
    return project


def check_slug(slug: str) -> None:
    """Raise Invalid unless `slug` can name a project."""
    if not SLUG.fullmatch(slug):
        raise Invalid(IMPOSSIBLE, code="bad_project")
