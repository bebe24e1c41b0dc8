"""Real trainings against a real server."""

import os

import pytest
from tests.faults.training import Training
from tests.workers.serving import Serving, until


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with Serving(tmp_path_factory.mktemp("faults")) as serving:
        yield serving


@pytest.fixture
def train(served, request):
    """Start trainings; their processes are gone after the test."""
    started: list[Training] = []

    def start(**options):
        name = f"{request.node.name}-{len(started)}".translate(str.maketrans("[]", "--"))[-64:]
        started.append(Training(served, name, **options))
        return started[-1]

    yield start
    for training in started:
        training.kill(tree=True)
        until(lambda training=training: not training.uploaders(), "the uploader is gone")


def pytest_generate_tests(metafunc):
    if "moment" in metafunc.fixturenames:
        metafunc.parametrize("moment", range(int(os.environ.get("TIDELOG_TEST_KILLS", "10"))))
