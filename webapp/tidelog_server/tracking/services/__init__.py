"""What can be done to projects and runs."""

from tidelog_server.tracking.services.ingest import Receipt, ingest_batch
from tidelog_server.tracking.services.projects import create_project, project_for_ingest
from tidelog_server.tracking.services.runs import (
    delete_run,
    edit_run,
    open_run,
    reap_silent_runs,
)

__all__ = [
    "Receipt",
    "create_project",
    "delete_run",
    "edit_run",
    "ingest_batch",
    "open_run",
    "project_for_ingest",
    "reap_silent_runs",
]
