"""Write the golden files of the current format. Run once for a new format, never to fix a test.

python tests/wire/make_golden.py
"""

import struct
from array import array
from pathlib import Path

from tidelog.wire import batch, frames

GOLDEN = Path(__file__).parent / "golden"
STREAM = bytes(range(16))

PAYLOADS = {
    frames.FrameType.OPEN: b'{"run":"golden","pid":7,"host":"h","rank":0,"primary":true,'
    b'"sdk":"0.1.0","wall":1700000000000,"mono":5,"boot_id":"b"}',
    frames.FrameType.METRICS: b'{"t":1700000000001,"n":6,"s":0,"d":{"loss":0.5,"acc":"NaN"}}',
    frames.FrameType.SET: b'{"t":1700000000002,"k":"config","ops":[["optimizer/lr",0.1]]}',
    frames.FrameType.CONSOLE: '{"t":1700000000003,"f":1,"x":"epoch 1 ✓\\n"}'.encode(),
    frames.FrameType.SYSTEM: b'{"t":1700000000004,"n":9,"s":0,"d":{"system/cpu":12.5}}',
    frames.FrameType.BLOB: b'{"key":"image","s":0,"sha256":"00","size":0,"mime":"a/b","name":"a"}',
    frames.FrameType.EVENT: b'{"t":1700000000006,"event":"preempting"}',
    frames.FrameType.DROPPED: b'{"n":3,"why":"disk_full","kinds":{"metrics":3}}',
    frames.FrameType.FINISH: b'{"state":"finished","exit":0,"dropped":{"disk_full":3}}',
}

HEADER = {
    "v": 1,
    "from": 0,
    "to": 5,
    "axes": [2],
    "series": [{"key": "loss", "axis": 0, "n": 2}],
    "records": [[0, 8, {"run": "golden", "primary": True}], [3, 7, {"state": "finished"}]],
    "gaps": [[4, 5, "corrupt"]],
    "run": {"v": 1, "run": "golden", "project": "demo"},
}


def a_segment() -> bytes:
    body = b"".join(
        frames.encode_frame(kind, seq, payload)
        for seq, (kind, payload) in enumerate(PAYLOADS.items())
    )
    return frames.encode_segment_header(0, STREAM) + body


def a_batch() -> bytes:
    def column(*numbers: float) -> bytes:
        return array("d", numbers).tobytes()

    axis = (column(0, 1), column(1_700_000_000.001, 1_700_000_000.002))
    return batch.encode(HEADER, [axis], [column(0.5, float("nan"))])


def main() -> None:
    assert struct.pack("=d", 1) == struct.pack("<d", 1), "write golden files on little-endian"
    for seq, (kind, payload) in enumerate(PAYLOADS.items()):
        name = f"frame-{kind:02d}-{kind.name.lower()}.bin"
        (GOLDEN / name).write_bytes(frames.encode_frame(kind, seq, payload))
    (GOLDEN / "segment-1.tlog").write_bytes(a_segment())
    (GOLDEN / "batch-1.bin").write_bytes(a_batch())


if __name__ == "__main__":
    main()
