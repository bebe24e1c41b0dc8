"""`tidelog demo`: watch a model train, on a server that runs already or on one of its own."""

import importlib.util
import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping

from tidelog.settings import Credentials
from tidelog_workers.supervisor.children import PYTHON, Child
from tidelog_workers.supervisor.options import Options, options_of, parser
from tidelog_workers.supervisor.tree import say
from tidelog_workers.supervisor.up import Server, up

TRAINER = (*PYTHON, "tidelog_workers.demo.trainer")


def demo(argv: list[str]) -> int:
    """Train on the server at --url, TIDELOG_URL, --port or the credentials file.

    If none answers, start one, train, and serve until Ctrl-C (with --fast: until trained).
    """
    described = parser("tidelog demo", "Watch 24 small networks learn to read digits.")
    described.add_argument("--url", help="train on this server")
    described.add_argument("--fast", action="store_true", help="few epochs, no pauses; for tests")
    arguments = described.parse_args(argv)
    options = options_of(arguments)
    if importlib.util.find_spec("sklearn") is None:
        say("the demo needs scikit-learn: pip install 'tidelog[server,demo]'.")
        return 1
    words = ("--fast",) if arguments.fast else ()
    url = running_server(arguments.url, options, port_given=any(_is_port(word) for word in argv))
    if url is not None:
        return _train_on(url, words)
    if arguments.url:
        say(f"no server answers at {arguments.url}.")
        return 1
    return _train_on_own_server(options, words)


def running_server(url: str | None, options: Options, *, port_given: bool) -> str | None:
    """Return the first of the places where a server may be that answers."""
    here = f"http://{options.host}:{options.port}"
    known = [os.environ.get("TIDELOG_URL"), Credentials().default, here]
    candidates = [url] if url else [here] if port_given else known
    return next((each for each in candidates if each and _answers(each)), None)


def _is_port(word: str) -> bool:
    return word.partition("=")[0] == "--port"


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url.rstrip('/')}/healthz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, ValueError):
        return False


def _train_on(url: str, words: tuple[str, ...]) -> int:
    say(f"training 24 networks, two at a time: {_project_page(url)}")
    try:
        return subprocess.call([*TRAINER, *words], env={**os.environ, "TIDELOG_URL": url})
    except KeyboardInterrupt:
        return 130


def _project_page(url: str) -> str:
    """Return the project's address, or the server's if no one here knows the team."""
    team = Credentials().of(url.rstrip("/")).get("team")
    return f"{url.rstrip('/')}/{team}/digits/" if team else url


def _train_on_own_server(options: Options, words: tuple[str, ...]) -> int:
    # They point to a server that is not there: the one that starts now is another.
    os.environ.pop("TIDELOG_URL", None)
    os.environ.pop("TIDELOG_API_KEY", None)

    def train(server: Server) -> None:
        assert server.welcome is not None
        project = f"{server.url}/{server.welcome.team}/digits/"
        say(f"training 24 networks, two at a time: {project}")
        own = {"TIDELOG_URL": server.url, "TIDELOG_API_KEY": server.welcome.api_key}
        server.tree.start(
            Child(
                name="demo",
                argv=[*TRAINER, *words],
                env=_without_secrets({**os.environ, **own}),
                then=lambda code: _trained(server, code, stay=not words),
            )
        )

    return up(options, then=train)


def _without_secrets(env: Mapping[str, str]) -> dict[str, str]:
    """A training has no business with the server's database."""
    hidden = {"DATABASE_URL", "REDIS_URL", "TIDELOG_SECRET_KEY"}
    return {name: value for name, value in env.items() if name not in hidden}


def _trained(server: Server, code: int, *, stay: bool) -> None:
    said = "all 24 networks are trained" if code == 0 else "some trainings failed"
    if stay:
        say(f"{said}; the server goes on until Ctrl-C.")
    else:
        say(f"{said}.")
        server.tree.stop(code)
