"""What a page can show, as far as sockets are concerned."""

from dataclasses import dataclass
from uuid import UUID

from tidelog.wire.topics import project_topic, run_topic


@dataclass(frozen=True, slots=True)
class Place:
    """A project, or one run of it."""

    project: UUID
    run: UUID | None = None

    @property
    def topic(self) -> str:
        return project_topic(self.project) if self.run is None else run_topic(self.run)
