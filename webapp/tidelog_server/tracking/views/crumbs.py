"""Where a page stands, as the top bar shows it."""

from typing import TypedDict

from django.urls import reverse

from tidelog_server.tracking.models import Project


class Crumb(TypedDict):
    text: str
    url: str


def crumb(text: str, url: str = "") -> Crumb:
    """Return one step of the path; the page itself has no link."""
    return Crumb(text=text, url=url)


def project_crumbs(project: Project, *, leaf: str = "") -> list[Crumb]:
    """Return team / project, or team / project / leaf."""
    team, slug = project.team.slug, project.slug
    up = reverse("workspace", args=[team, slug])
    above = [crumb(team, reverse("team", args=[team]))]
    if not leaf:
        return [*above, crumb(slug)]
    return [*above, crumb(slug, up), crumb(leaf)]
