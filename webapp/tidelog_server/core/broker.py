"""Which broker carries the doorbells, for the server that rings and the worker that answers."""

import os
from pathlib import Path
from typing import Any

from django.conf import settings


def kind() -> str:
    """Return what carries the doorbells, in words without a password."""
    if settings.REDIS_URL:
        return "redis"
    return "own redis" if os.environ.get("TIDELOG_BROKER_URL") else "files"


def settings_for_celery() -> dict[str, Any]:
    """The team's Redis; else the broker that the supervisor started; else plain files."""
    url = settings.REDIS_URL or os.environ.get("TIDELOG_BROKER_URL")
    transport = {"broker_url": url} if url else _files(Path(settings.DATA_DIR) / "broker")
    return transport | {
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_ignore_result": True,
        "broker_connection_timeout": 1,
        "broker_connection_retry_on_startup": True,
    }


def _files(folder: Path) -> dict[str, Any]:
    """Kombu's filesystem transport: about half a second a task, enough for one person."""
    messages, control = folder / "messages", folder / "control"
    for each in (messages, control):
        each.mkdir(mode=0o700, parents=True, exist_ok=True)
    options = {
        "data_folder_in": str(messages),
        "data_folder_out": str(messages),
        "control_folder": str(control),
    }
    return {"broker_url": "filesystem://", "broker_transport_options": options}
