"""Frames on their way from whoever stored something to whoever watches it.

`publish` is called after the commit and is only a hint: what it loses, REST and the hub's
watcher find again. Listeners of this process get a frame at once, on the caller's thread; other
processes get it through the channel layer, once per process and topic (`core.relay`).
"""

import logging
import threading
from collections.abc import Callable, Sequence

from tidelog_server.core.relay import Relay

Listener = Callable[[str, bytes], None]
logger = logging.getLogger(__name__)

_lock = threading.Lock()
_listeners: dict[str, tuple[Listener, ...]] = {}


def publish(topics: Sequence[str], frame: bytes) -> None:
    """Show `frame` to everyone who watches one of `topics`.

    Call it after the commit, from any thread or coroutine. It never blocks and never raises.
    """
    for topic in topics:
        _deliver(topic, frame)
        relay.send(topic, frame)


def watched(topic: str) -> bool:
    """Tell whether a page is open on `topic`, here or in another process."""
    return topic in _listeners or relay.watched_elsewhere(topic)


def listen(topic: str, callback: Listener) -> None:
    """Call `callback(topic, frame)` for every frame of `topic`, on the publisher's thread."""
    with _lock:
        first = topic not in _listeners
        _listeners[topic] = (*_listeners.get(topic, ()), callback)
    if first:
        relay.join(topic)


def unlisten(topic: str, callback: Listener) -> None:
    """Undo `listen`. Unknown topics and callbacks are ignored."""
    with _lock:
        rest = tuple(each for each in _listeners.get(topic, ()) if each != callback)
        if rest:
            _listeners[topic] = rest
            return
        last = _listeners.pop(topic, None) is not None
    if last:
        relay.leave(topic)


def _deliver(topic: str, frame: bytes) -> None:
    for callback in _listeners.get(topic, ()):
        try:
            callback(topic, frame)
        except Exception:  # a broken listener must not fail an ingest that is committed
            logger.exception("a listener of %s failed", topic)


relay = Relay(_deliver)
