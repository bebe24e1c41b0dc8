"""A request's body, inflated and taken apart, never larger than allowed."""

import io
import zlib

import zstandard

from tidelog_server.core.errors import BadRequest, TooLarge, UnsupportedMedia
from tidelog_server.tracking.batches import Batch, batch_of_body, batch_of_json

COLUMNS, JSON = "application/octet-stream", "application/json"
ENCODINGS = frozenset({"", "identity", "gzip", "zstd"})
# The largest window that a zstd frame may ask us to keep.
ZSTD_WINDOW = 2**24


def check_type(media_type: str, encoding: str) -> tuple[str, str]:
    """Return both without parameters and in lower case. Raises UnsupportedMedia."""
    kind = media_type.partition(";")[0].strip().lower()
    packed = encoding.strip().lower()
    if kind not in {COLUMNS, JSON}:
        raise UnsupportedMedia
    if packed not in ENCODINGS:
        raise UnsupportedMedia(
            "Content-Encoding is gzip, zstd or none.", code="unsupported_encoding"
        )
    return kind, packed


def batch_of(body: bytes, *, media_type: str, encoding: str, most: int) -> Batch:
    """Return the batch in a body, whose type `check_type` has seen.

    most  bytes that it may inflate to

    Raises TooLarge, BadRequest, Invalid.
    """
    inflated = inflate(body, encoding=encoding, most=most)
    return batch_of_json(inflated) if media_type == JSON else batch_of_body(inflated)


def inflate(body: bytes, *, encoding: str, most: int) -> bytes:
    """Return the body without its encoding; no more than `most` bytes are ever inflated."""
    try:
        if encoding == "gzip":
            plain = _gunzip(body, most)
        elif encoding == "zstd":
            plain = _unzstd(body, most)
        else:
            plain = body
    except (zlib.error, zstandard.ZstdError, EOFError) as error:
        raise BadRequest(f"The body is no {encoding}.", code="bad_encoding") from error
    if len(plain) > most:
        raise TooLarge(max_body=most)
    return plain


def _gunzip(body: bytes, most: int) -> bytes:
    inflater = zlib.decompressobj(wbits=31)
    plain = inflater.decompress(body, most + 1)
    if len(plain) <= most and (not inflater.eof or inflater.unused_data):
        raise EOFError
    return plain


def _unzstd(body: bytes, most: int) -> bytes:
    inflater = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW)
    # Frames after the first are read too, and a frame that is cut off ends early: the batch
    # inside then contradicts its own lengths, which is what is answered.
    with inflater.stream_reader(io.BytesIO(body), read_across_frames=True) as reader:
        plain: bytes = reader.read(most + 1)
        return plain
