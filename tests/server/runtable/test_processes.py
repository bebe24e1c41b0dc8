"""Two real web processes on one database, both writing: each must answer as plain SQL does."""

import json
import os
import random
import sqlite3
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from contextlib import ExitStack, closing
from pathlib import Path

import psycopg2
import pytest
from tests.server.runtable.plain import Plain
from tests.with_services import free_port
from tests.workers.serving import environment, until

from tidelog_server.runtable.query import parse, parse_sort
from tidelog_server.runtable.query.tree import Scope

ROOT = Path(__file__).parents[3]
WRITERS, DEEDS = 4, 25
RUNS = [f"run{n}" for n in range(25)]
COLUMNS = "number, run_id, name, state, notes, tags, config, summary"
QUESTIONS = [
    ("", ""),
    ("lr<0.5", "-lr,loss"),
    ("state:failed OR tag:base", "name"),
    ("NOT loss:*", "-number"),
    ("loss>=0.5 NOT lr=0.25", "opt,-loss"),
    ("swift opt:adam", "-summary.loss"),
    ("name~'[0-4]$'".replace("'", '"'), "tag,loss"),
]


class Web:
    """A web process and a key to it."""

    def __init__(self, env: dict[str, str]) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.key = ""
        words = ["-m", "uvicorn", "tidelog_server.asgi:application", "--port", str(port)]
        self.process = subprocess.Popen(
            [sys.executable, *words, "--log-level", "error"],
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(60)

    def is_ready(self) -> bool:
        try:
            return self.ask("GET", "/healthz")[0] == 200
        except urllib.error.URLError:
            return False

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, dict]:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, {}

    def select(self, query: str, sort: str) -> tuple[int, list[str]]:
        asked = urllib.parse.urlencode({"filter": query, "sort": sort, "limit": 500})
        status, page = self.ask("GET", f"/api/v1/projects/blue/fish/runs?{asked}")
        assert status == 200
        return page["count"], [row["id"] for row in page["runs"]]


@pytest.fixture
def installed(tmp_path):
    """The environment of an installation of its own: on Postgres if there is one, else SQLite."""
    more = {"TIDELOG_DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "tidelog_server.settings"}
    server = os.environ.get("DATABASE_URL", "")
    if server:
        name = f"runtable_{os.getpid()}"
        with closing(psycopg2.connect(server)) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            cursor.execute(f"DROP DATABASE IF EXISTS {name}")
            cursor.execute(f"CREATE DATABASE {name}")
        more["DATABASE_URL"] = f"{server.rpartition('/')[0]}/{name}"
    return environment(tmp_path, **more)


def manage(env: dict[str, str], *words: str) -> str:
    command = [sys.executable, str(ROOT / "manage.py"), *words]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def webs(installed):
    manage(installed, "migrate")
    manage(installed, "create-user", "ann@example.org", "--name", "Ann")
    manage(installed, "create-team", "blue", "--owner", "ann@example.org")
    manage(installed, "create-project", "blue", "fish")
    scopes = [word for scope in ("ingest", "write") for word in ("--scope", scope)]
    key = json.loads(manage(installed, "create-key", "blue", "ann@example.org", "--json", *scopes))
    with ExitStack() as stack:
        started = [stack.enter_context(closing(Web(installed))) for _ in range(2)]
        for web in started:
            until(web.is_ready, "the web process is ready")
            web.key = key["key"]
        yield started


def act(web: Web, chance: random.Random) -> None:
    """Do something to a run: log, change, delete it; sometimes only look."""
    run = chance.choice(RUNS)
    path = f"/api/v1/projects/blue/fish/runs/{run}"
    deed = chance.random()
    if deed < 0.6:
        stream = f"{chance.getrandbits(128):032x}"
        records = f"/api/v1/runs/{run}/streams/{stream}/records?project=blue/fish"
        web.ask("POST", records, a_batch(chance, run))
    elif deed < 0.75:
        web.ask("PATCH", path, {"tags": chance.sample(["base", "best"], 1)})
    elif deed < 0.8:
        web.ask("DELETE", path)
    else:
        web.select(*chance.choice(QUESTIONS))


def a_batch(chance: random.Random, run: str) -> dict:
    lr, opt = chance.choice([0.1, 0.25, 1]), chance.choice(["adam", "sgd"])
    state = chance.choice(["finished", "failed"])
    told = [
        (8, {"pid": 1, "host": "node", "rank": 0, "primary": True, "wall": 1_750_000_000_000}),
        (2, {"t": chance.random() * 1e12, "k": "config", "ops": [["lr", lr], ["opt", opt]]}),
        (2, {"t": 1, "k": "name", "ops": [["", f"swift {run}"]]}),
        (1, {"t": 1_750_000_000_000, "s": 1, "d": {"loss": chance.choice([0.5, 0.25, "NaN"])}}),
        (7, {"t": 1_750_000_009_000, "state": state, "exit": 0}),
    ][: chance.randrange(2, 6)]
    records = [[seq, kind, payload] for seq, (kind, payload) in enumerate(told)]
    return {"v": 1, "from": 0, "to": len(records), "records": records}


def in_sql(env: dict[str, str]) -> list[dict]:
    """Return the runs as SQL tells them."""
    url = env.get("DATABASE_URL", "")
    connect = (
        psycopg2.connect(url)
        if url
        else sqlite3.connect(Path(env["TIDELOG_DATA_DIR"]) / "tidelog.sqlite3")
    )
    with closing(connect) as connection, closing(connection.cursor()) as cursor:
        cursor.execute(f"SELECT {COLUMNS} FROM tracking_run WHERE deleted_at IS NULL")
        return [a_row(*row) for row in cursor.fetchall()]


def a_row(number, run_id, name, state, notes, tags, config, summary) -> dict:
    tags, config, summary = (
        json.loads(value) if isinstance(value, str) else value for value in (tags, config, summary)
    )
    own = {"number": number, "id": run_id, "name": name, "state": state}
    return {
        Scope.RUN: {**own, "tag": tags, "notes": notes or None},
        Scope.CONFIG: config,
        Scope.SUMMARY: summary,
    }


class TestTwoWebProcesses:
    @pytest.mark.timeout(300)
    def test_answer_as_plain_sql_does_while_both_are_written_to(self, webs, installed):
        def write(number: int) -> None:
            chance = random.Random(number)
            for _ in range(DEEDS):
                act(chance.choice(webs), chance)

        writers = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        plain = Plain(in_sql(installed), now=0.0)
        assert len(plain.rows) > 10
        for web in webs:
            for query, sort in QUESTIONS:
                rows = plain.select(parse(query), parse_sort(sort))
                expected = [row[Scope.RUN]["id"] for row in rows]
                assert web.select(query, sort) == (len(expected), expected), (query, sort)
