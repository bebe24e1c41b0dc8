"""Three people in every story: Alice owns it, Bob is on her team, Charlie is a stranger."""

import os
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings as installed
from django.core.cache import caches
from tests.server.factories import a_key, a_member, a_project, a_run, a_team, a_user

from tidelog_server.accounts.models import Role
from tidelog_server.core import disk, gate, limits
from tidelog_server.core.models import forget_identity
from tidelog_server.core.writer import stop_writer
from tidelog_server.tracking.services import keys

# Clearing a cache in Redis empties a whole database there: each test process has one of its own.
if installed.REDIS_URL:
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) + 1
    server = installed.REDIS_URL.rpartition("/")[0]
    installed.CACHES["default"]["LOCATION"] = f"{server}/{number}"


@pytest.fixture(scope="session")
def _writer_ends_before_the_database(django_db_setup: None) -> Iterator[None]:
    yield
    stop_writer()


@pytest.fixture(autouse=True)
def _nothing_is_remembered(_writer_ends_before_the_database: None) -> None:
    gate.forget_keys()
    forget_identity()
    limits.forget()
    disk.forget()
    keys.forget()
    for cache in caches.all(initialized_only=True):
        cache.clear()


@pytest.fixture(autouse=True)
def _pages_need_no_collected_files(settings: Any) -> None:
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


@pytest.fixture
def people(db: None) -> SimpleNamespace:
    """Alice's team `blue` with project `fish` and run `run1`; Charlie's team is `red`."""
    alice, charlie = a_user("Alice"), a_user("Charlie")
    blue, red = a_team("blue", owner=alice), a_team("red", owner=charlie)
    fish = a_project(blue, "fish")
    return SimpleNamespace(
        alice=alice,
        bob=a_member(blue, user=a_user("Bob")),
        viewer=a_member(blue, Role.VIEWER, user=a_user("Vera")),
        charlie=charlie,
        team=blue,
        other_team=red,
        project=fish,
        run=a_run(fish, "run1"),
        alice_key=a_key(blue, user=alice),
        charlie_key=a_key(red, user=charlie),
    )
