"""A client's byte streams, whichever door it came through."""

from dataclasses import dataclass
from typing import Protocol

from mothership.model import User


class Wire(Protocol):
    """Both directions of one git conversation. A client that vanished is a ConnectionError."""

    async def read(self, size: int) -> bytes:
        """Some of the client's bytes, b"" at their end."""

    async def send(self, data: bytes) -> None:
        """Give the client bytes; returns when it can take more."""

    def complain(self, data: bytes) -> None:
        """Tell the client something outside of git's conversation, where there is such a way. Never raises."""


@dataclass(frozen=True)
class Call:
    """One git service asked for by an authenticated user.

    `protocol` is the client's GIT_PROTOCOL; `stateless` means a single request and its response (HTTP);
    `advertise` means only the refs are asked for.
    """

    service: str
    app: str
    user: User
    protocol: str = ""
    stateless: bool = False
    advertise: bool = False
    remote: str = ""

    @property
    def flags(self) -> tuple[str, ...]:
        """The options of receive-pack and upload-pack, spelled so that git 2.30 knows them too."""
        return ("--stateless-rpc",) * self.stateless + ("--advertise-refs",) * self.advertise
