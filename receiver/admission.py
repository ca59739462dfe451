"""How many strangers may stand at the door: the newest is let in, the oldest makes room."""

from collections import Counter
from collections.abc import Hashable
from typing import Generic, TypeVar

Guest = TypeVar("Guest", bound=Hashable)


class Admission(Generic[Guest]):
    """Connections that haven't logged in yet. A thousand silent ones can't keep the next one out.

    `total` is the most that wait at a time, `per_address` the most from one address.
    """

    def __init__(self, *, total: int = 128, per_address: int = 32) -> None:
        self._total = total
        self._per_address = per_address
        self._waiting: dict[Guest, str] = {}

    def enter(self, guest: Guest, address: str) -> Guest | None:
        """Let a guest wait; whoever has to go for it."""
        crowds = Counter(self._waiting.values())
        leaver = None
        if crowds[address] >= self._per_address:
            leaver = self._oldest_from(address)
        elif len(self._waiting) >= self._total:
            leaver = self._oldest_from(crowds.most_common(1)[0][0])
        if leaver is not None:
            self.leave(leaver)
        self._waiting[guest] = address
        return leaver

    def leave(self, guest: Guest) -> None:
        """The guest has logged in, or gone."""
        self._waiting.pop(guest, None)

    def _oldest_from(self, address: str) -> Guest:
        return next(guest for guest, origin in self._waiting.items() if origin == address)
