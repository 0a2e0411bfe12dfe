"""Telling workers that something waits. The domain calls ``wake``; who enqueues says so with ``listen`` at start-up, so
that the domain knows no tasks. Nothing depends on it being heard: a sweep finds what waits."""

from collections.abc import Callable, Iterable

_listeners: list[Callable[[int], None]] = []


def listen(enqueue: Callable[[int], None]) -> None:
    """Have ``enqueue(sender id)`` called whenever texts of a sender wait; it enqueues after commit."""
    if enqueue not in _listeners:
        _listeners.append(enqueue)


def wake(senders: Iterable[int]) -> None:
    """Texts of these senders (ids) were written or became due in the current transaction."""
    for sender_id in sorted(set(senders)):
        for enqueue in _listeners:
            enqueue(sender_id)
