"""What the streams of one run share while they are sent."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Mapping
from typing import Any

from tidelog.answers import Meaning, Verdict, meaning
from tidelog.buffer import RunFolder
from tidelog.transport import Transport, streams_path

KEPT = "everything stays on disk"


class RunSession:
    """One run in one session of an uploader: where the server is, and what stops us.

    stopped  why nothing can be sent now ("auth", "missing", ...), or None
    known    {stream: next} as the server said when it was asked, or None
    server   which one it is
    epoch    which life of its database: another one after it was restored from a backup
    """

    def __init__(self, folder: RunFolder, transport: Transport) -> None:  # noqa: D107
        self.folder = folder
        self.transport = transport
        self.description = folder.description()
        self.stopped: Verdict | None = None
        self.message = ""
        self.known: Mapping[str, Any] | None = None
        self.server: object = None
        self.epoch: object = None
        self._told = ""
        self._missing_since: float | None = None

    @property
    def params(self) -> dict[str, str]:
        """Return the query that every request carries: which team and project it is for."""
        team, project = self.description.get("team"), self.description.get("project", "")
        return {"project": f"{team}/{project}" if team else str(project)}

    def ask(self) -> Meaning:
        """Ask once a session where the server is, for every stream."""
        answer = self.transport.get(streams_path(self.folder.id), self.params)
        content = answer.json()
        streams = content.get("streams")
        if answer.status == 200 and isinstance(streams, dict):
            self.known = streams
            self.identify(content)
            return Meaning("ok")
        if answer.status == 200:
            return Meaning("retry", message="something on the way answers instead of the server")
        return meaning(answer, stream="", start=0, end=0)

    def hear(self, found: Meaning) -> None:
        """Note since when there is no such project, for as long as that is the answer."""
        if found.verdict == "missing":
            self._missing_since = self._missing_since or time.monotonic()
        elif found.verdict == "ok":
            self._missing_since = None

    @property
    def missing_for(self) -> float:
        """Return for how many seconds the server has known no such project, or 0."""
        return time.monotonic() - self._missing_since if self._missing_since else 0.0

    def identify(self, content: Mapping[str, Any]) -> None:
        """Note who answers."""
        self.server = content.get("server") or self.server
        self.epoch = content.get("epoch") or self.epoch

    def has_told(self, note: Mapping[str, Any]) -> bool:
        """Whether the end that `ack.json` notes was told to the server we talk to."""
        ours = (self.server, self.description.get("team"))
        return note.get("done") is True and (note.get("server"), note.get("team")) == ours

    def stop(self, found: Meaning) -> None:
        """Send nothing more until `resume`, and leave word why."""
        self.stopped = found.verdict
        self.tell(found.verdict, f"{sentence(found)}; {KEPT}")

    def resume(self) -> None:
        """Try again."""
        self.stopped = None

    def tell(self, state: str, message: str = "", **more: Any) -> None:
        """Leave word for the training process, when there is something new to say."""
        word = json.dumps([state, message, more])
        if word == self._told:
            return
        self._told = word
        self.message = message
        content = {"state": state, "message": message, "at": time.time(), "pid": os.getpid()}
        with contextlib.suppress(OSError):  # a full disk must not keep records from leaving it
            self.folder.tell({**content, **more})


def sentence(found: Meaning) -> str:
    """Return what people should know of an answer that is no good news."""
    if found.verdict == "auth":
        return f"the API key was refused ({found.message}); renew it with `tidelog login`"
    if found.verdict == "missing":
        return f"no such project for this key ({found.message})"
    if found.verdict == "deleted":
        return "the run was deleted on the server"
    if found.verdict == "upgrade":
        return "the server speaks a later protocol; upgrade tidelog"
    return found.message or "the server cannot be reached"
