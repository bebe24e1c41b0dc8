"""The names under which what was just stored is published."""

from __future__ import annotations

from uuid import UUID


def project_topic(project: UUID) -> str:
    """Return the topic of everything that changes in a project."""
    return f"project.{project.hex}"


def run_topic(run: UUID) -> str:
    """Return the topic of one run."""
    return f"run.{run.hex}"
