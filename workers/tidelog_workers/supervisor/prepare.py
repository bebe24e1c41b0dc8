"""What must be true before the first page: tables, static files, an owner with a key and a link."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tidelog_server.settings")

import django

from tidelog_workers.supervisor import credentials


def prepare(*, url: str, report: Callable[..., None]) -> dict[str, Any]:
    """Make the data directory or database ready, and return what the banner says about it.

    url     where this server will be found
    report  told what takes a while: `report("migrating", steps=23)`
    """
    django.setup()
    _migrate(report)
    _collect_static_files(report)
    return _welcome_owner(url)


def _migrate(report: Callable[..., None]) -> None:
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    if plan := executor.migration_plan(executor.loader.graph.leaf_nodes()):
        report("migrating", steps=len(plan))
        call_command("migrate", interactive=False, verbosity=0)


def _collect_static_files(report: Callable[..., None]) -> None:
    """Collect them into the data directory, unless nothing changed since the last start."""
    from django.conf import settings
    from django.core.management import call_command

    root = Path(settings.STATIC_ROOT)
    mark, digest = root / ".collected", _digest_of_static_files()
    if mark.exists() and mark.read_text() == digest:
        return
    report("collecting")
    call_command("collectstatic", interactive=False, verbosity=0, clear=True)
    mark.write_text(digest)


def _digest_of_static_files() -> str:
    """Names, sizes and times of all static files: enough to notice a new version or an edit."""
    from django.contrib.staticfiles.finders import get_finders

    seen = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list(None):
            file = Path(storage.path(path)).stat()
            seen.update(f"{path} {file.st_size} {file.st_mtime_ns}\n".encode())
    return seen.hexdigest()


def _welcome_owner(url: str) -> dict[str, Any]:
    """Return a fresh sign-in link of the owner, and a key that works here."""
    from tidelog_server.accounts import services

    owner, team = services.ensure_owner()
    key = _known_key() or services.create_key(team=team, user=owner, name="this machine")[1]
    token = services.make_sign_in_link(user=owner)
    credentials.remember(url=url, key=key, team=team.slug)
    return {"sign_in_url": f"{url}/login/link/{token}", "api_key": key, "team": team.slug}


def _known_key() -> str | None:
    """Return a key of the credentials file that this database knows, if there is one."""
    from tidelog_server.accounts.selectors import key_of

    return next((key for key in credentials.known_keys() if key_of(key)), None)
