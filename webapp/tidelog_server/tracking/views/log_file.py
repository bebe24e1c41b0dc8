"""A run's whole console as one text file."""

import re
from collections.abc import AsyncIterator

from channels.db import database_sync_to_async
from django.http import HttpRequest, StreamingHttpResponse

from tidelog_server.core.gate import Action, opens
from tidelog_server.tracking.models import Run
from tidelog_server.tracking.selectors import MOST_LINES, console_lines

_COLOURS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


@opens("run", Action.READ)
def log_file(request: HttpRequest, run: Run) -> StreamingHttpResponse:
    """Stream every line, without the terminal's colours; a page of lines is in memory at a time."""
    name = f'attachment; filename="{run.run_id}.txt"'
    return StreamingHttpResponse(
        _pages(run),
        content_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": name, "X-Content-Type-Options": "nosniff"},
    )


async def _pages(run: Run) -> AsyncIterator[str]:
    first, total = 0, 1
    while first < total:
        page = await database_sync_to_async(console_lines)(run, first=first, limit=MOST_LINES)
        total = page.total
        yield "".join(f"{_COLOURS.sub('', text)}\n" for _, _, _, text in page.lines)
        first += MOST_LINES
