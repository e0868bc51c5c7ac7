"""What can go wrong around the node, as it is told to those who asked. Root: ChargemeshError."""

from __future__ import annotations

from chargemesh_protocol.errors import ChargemeshError


class DeliveryError(ChargemeshError):
    """Something owed to somebody outside did not arrive; the outbox tries again."""


class NetworkError(DeliveryError):
    """A request, look-up or publication did not succeed; nothing else happened to the node."""


class Unreachable(NetworkError):
    """No connection to the peer: no address, nobody answers there, or the network part restarts."""


class TimedOut(NetworkError):
    """Connected, but no answer in the given time; the peer may have acted all the same."""


class RefusedByPeer(NetworkError):
    """The peer answered by closing the stream: it does not speak this, or is at its limits."""


class StoreError(ChargemeshError):
    """The store could not do what was asked. Nothing of that commit is known to be kept: load again.

    The message completes "could not be saved: …"; `hint` is what a person can do, a sentence.
    """

    def __init__(self, message: str, hint: str = "`chargemesh logs` says more.") -> None:
        super().__init__(message)
        self.hint = hint


class StoreFull(StoreError):
    """No room on the disk; the store is as it was before the commit."""

    def __init__(self, message: str, hint: str = "Free some disk space and try again.") -> None:
        super().__init__(message, hint)


class SlotTaken(StoreError):
    """A HoldSlot overlaps a slot of another booking of that charger; the store is as it was before."""


class CalendarError(ChargemeshError):
    """A host's calendar elsewhere could not be read; the message completes "it could not be read: …"."""
