"""`tidelog up`: one process tree that is the whole server."""

import errno
import fcntl
import json
import os
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from tidelog_workers.supervisor.banner import Welcome
from tidelog_workers.supervisor.broker import broker_url, embedded_broker
from tidelog_workers.supervisor.children import PYTHON, Child
from tidelog_workers.supervisor.credentials import LOOPBACK
from tidelog_workers.supervisor.options import Options
from tidelog_workers.supervisor.tree import Tree, say

BACKLOG = 1024


class CannotStart(Exception):
    """One sentence that tells a person what is in the way."""


def up(options: Options, *, then: Callable[["Server"], None] | None = None) -> int:
    """Serve until told to stop, and return the exit code.

    then  called once the server answers and the banner is printed
    """
    try:
        with ExitStack() as stack:
            lock_data_dir(options.data_dir, stack)
            listening = stack.enter_context(listen(options.host, options.port))
            return Server(options, listening, then).run()
    except CannotStart as reason:
        say(str(reason))
        return 1


def lock_data_dir(data_dir: Path, stack: ExitStack) -> None:
    """Make the directory, for us alone. The kernel lets the lock go when the process ends."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        data_dir.chmod(0o700)
        lock: IO[str] = stack.enter_context((data_dir / "up.lock").open("w"))
    except OSError as error:
        raise CannotStart(f"The data directory cannot be used: {error}.") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CannotStart(
            f"Another `tidelog up` is serving {data_dir}. Stop it, or choose another --data-dir."
        ) from None


def listen(host: str, port: int) -> socket.socket:
    """Return the listening socket. It outlives a web process, so that a restart refuses nobody."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise CannotStart(_why_not(error, host, port)) from error
    return listening


def _why_not(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is taken by another program; choose one with --port, 0 for any."
    return f"Cannot listen on {host}:{port}: {error.strerror}."


class Server:
    """The tree of one installation: web first, the rest as soon as the web answers.

    The web process prepares the database itself and reports through a pipe, because importing
    Django once takes half of a start.
    """

    def __init__(
        self,
        options: Options,
        listening: socket.socket,
        then: Callable[["Server"], None] | None = None,
    ) -> None:
        self.options = options
        self.tree = Tree()
        self.url = _public_url() or _own_url(options.host, listening)
        self.welcome: Welcome | None = None
        self._listening = listening
        self._then = then
        self._heard = b""
        self._report, self._reporter = os.pipe()

    def run(self) -> int:
        broker = None if os.environ.get("REDIS_URL") else self._broker()
        self.env = self._environment(broker)
        if broker is not None:
            self.tree.start(broker)
        self._start_web()
        code = self.tree.run()
        if self.welcome is None and not code:
            say("stopped before the server was ready.")
        return code

    def _broker(self) -> Child | None:
        return embedded_broker(self.options.data_dir, dict(os.environ))

    def _environment(self, broker: Child | None) -> dict[str, str]:
        env = {
            **os.environ,
            "TIDELOG_DATA_DIR": str(self.options.data_dir),
            "TIDELOG_URL": self.url,
        }
        if broker is not None:
            env["TIDELOG_BROKER_URL"] = broker_url(self.options.data_dir)
        return env

    def python(self, name: str, module: str, *arguments: str, **more: Any) -> Child:
        argv = [*PYTHON, module, *arguments]
        return Child(name=name, argv=argv, env=self.env, **more)

    def _start_web(self) -> None:
        descriptor = self._listening.fileno()
        words = ("--listen", str(descriptor), "--url", self.url)
        module = "tidelog_workers.supervisor.web"
        report = ("--report", str(self._reporter))
        web = self.python("web", module, *words, *report, fds=(descriptor, self._reporter))
        self.tree.start(web)
        os.close(self._reporter)
        # Started again, it neither prepares nor reports: the pipe is gone and the banner is out.
        web.argv, web.fds = [*PYTHON, module, *words], (descriptor,)
        self.tree.watch(self._report, self._listen_to_web)

    def _listen_to_web(self) -> None:
        heard = os.read(self._report, 65536)
        if not heard:
            self.tree.unwatch(self._report)
            if self.welcome is None:
                say("the web process ended before it was ready.")
                self.tree.stop(1)
            return
        *lines, self._heard = (self._heard + heard).split(b"\n")
        for line in lines:
            self._note(json.loads(line))

    def _note(self, told: Mapping[str, Any]) -> None:
        match told["event"]:
            case "migrating" if not self.options.json:
                say(f"preparing the database ({told['steps']} migrations) ...")
            case "failed":
                say(f"cannot start: {told['why']}")
                self.tree.stop(1)
            case "ready":
                self._open(told)

    def _open(self, told: Mapping[str, Any]) -> None:
        """The web answers: start the worker, then say so."""
        if self.options.worker:
            self.tree.start(self.python("worker", "tidelog_workers.planner"))
        self.welcome = Welcome(
            url=self.url,
            sign_in_url=told["sign_in_url"],
            api_key=told["api_key"],
            team=told["team"],
            pids={"supervisor": os.getpid(), **self._pids()},
            data_dir=str(self.options.data_dir),
        )
        text = self.welcome.as_text(jobs=self._jobs())
        sys.stdout.write((self.welcome.as_json() + "\n") if self.options.json else text)
        sys.stdout.flush()
        if self._then is not None:
            self._then(self)

    def _pids(self) -> dict[str, int]:
        return {child.name: child.pid for child in self.tree.children if child.pid is not None}

    def _jobs(self) -> str:
        carried = "Redis" if "REDIS_URL" in self.env else "files in the data directory"
        if "TIDELOG_BROKER_URL" in self.env:
            carried = "a Redis of its own, on a socket in the data directory"
        return carried if self.options.worker else f"no worker here; {carried}"


def _public_url() -> str | None:
    """Return TIDELOG_URL, unless it names this machine: then it was meant for the SDK."""
    url = os.environ.get("TIDELOG_URL", "").rstrip("/")
    return url if urlsplit(url).hostname not in {None, *LOOPBACK} else None


def _own_url(host: str, listening: socket.socket) -> str:
    port = listening.getsockname()[1]
    shown = {"0.0.0.0": socket.gethostname(), "::": socket.gethostname()}.get(host, host)
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"
