"""A batch as the server understands it: the body taken apart, before any database is asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tidelog.wire.batch import BatchError, check_header
from tidelog.wire.frames import FrameType
from tidelog_server.core.errors import Invalid
from tidelog_server.core.json import is_storable, parse
from tidelog_server.metrics.columns import Columns, columns_from_body, columns_from_records

POINTS = frozenset({FrameType.METRICS, FrameType.SYSTEM})
# A record that is kept in a row or in the run's JSON; blobs go elsewhere.
LARGEST_RECORD = 256 * 1024


@dataclass(frozen=True, slots=True)
class Record:
    """A record that is not a point: see wire.frames.FrameType and sync.md for its payload."""

    seq: int
    type: int
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The records [start, end) of a stream.

    columns   their points
    records   the other records, in order of seq
    gaps      (start, end, why) of records that were lost on the way
    rejected  what cannot be stored, as the answer names it: {"seq" or "key", "code"}
    run       the client's run.json, when it sent it
    gone      the uploader says that the writer died without FINISH
    """

    start: int
    end: int
    columns: Columns = field(default_factory=Columns)
    records: Sequence[Record] = ()
    gaps: Sequence[tuple[int, int, str]] = ()
    rejected: Sequence[Mapping[str, Any]] = ()
    run: Mapping[str, Any] = field(default_factory=dict)
    gone: bool = False

    @property
    def is_heartbeat(self) -> bool:
        """Whether this only says that the writer lives (or not)."""
        return self.start == self.end


def batch_of_body(body: bytes) -> Batch:
    """Take a columnar body apart. Raises Invalid."""
    try:
        header, columns = columns_from_body(body)
    except BatchError as error:
        raise Invalid(error.message, code=error.code) from error
    return _batch(header, header["records"], columns)


def batch_of_json(body: bytes) -> Batch:
    """Take a JSON body apart: plain records, as curl sends them. Raises BadRequest or Invalid."""
    header = parse(body, storable_only=False)
    if not isinstance(header, dict):
        raise Invalid("Send a JSON object with v, from, to and records.", code="bad_batch")
    whole = {"gaps": [], "records": [], **header, "axes": [], "series": []}
    try:
        check_header(whole)
        columns = columns_from_records(whole["records"])
    except BatchError as error:
        raise Invalid(error.message, code=error.code) from error
    others = [record for record in whole["records"] if record[1] not in POINTS]
    return _batch(whole, others, columns)


def _batch(header: Mapping[str, Any], records: Sequence[Any], columns: Columns) -> Batch:
    rejected: list[Mapping[str, Any]] = list(columns.rejected)
    kept = [Record(*r) for r in records if not _refused(r, rejected)]
    run = header.get("run") or {}
    return Batch(
        start=header["from"],
        end=header["to"],
        columns=columns,
        records=sorted(kept, key=lambda record: record.seq),
        gaps=[(first, last, _word(why)) for first, last, why in header["gaps"]],
        rejected=rejected,
        run=run if is_storable(run) else {},
        gone=header.get("writer") == "gone",
    )


def _refused(record: Sequence[Any], rejected: list[Mapping[str, Any]]) -> bool:
    """Name a record in `rejected` if no database should be asked to keep it."""
    seq, kind, payload = record
    code = _complaint(kind, payload)
    if code:
        rejected.append({"seq": seq, "code": code})
    return bool(code)


def _complaint(kind: int, payload: Mapping[str, Any]) -> str:
    if kind in POINTS:
        return "points_outside_columns"
    if not is_storable(payload):
        return "bad_value"
    return "value_too_large" if _size(payload) > LARGEST_RECORD else ""


def _size(value: Any) -> int:
    """Return about how many characters `value` takes as JSON; its depth is known to be small."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(len(key) + _size(item) for key, item in value.items())
    if isinstance(value, list):
        return sum(map(_size, value)) + len(value)
    return 8


def _word(why: str) -> str:
    return why[:32] if is_storable(why) else "unknown"
