"""Bytes to lines, whatever a program prints."""

LONGEST = 16384
"""Bytes; a longer line comes in pieces."""


class Lines:
    """Cuts a byte stream into text lines. Bad UTF-8 is replaced."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        """The lines that `data` completes."""
        *whole, rest = (self._rest + data).split(b"\n")
        cut = max(len(rest) - 1, 0) // LONGEST * LONGEST
        self._rest = rest[cut:]
        found = [piece for line in whole for piece in _pieces(line)]
        return [*found, *_pieces(rest[:cut])] if cut else found

    def end(self) -> list[str]:
        """What is left when the stream ends without a newline."""
        rest, self._rest = self._rest, b""
        return _pieces(rest) if rest else []


def _pieces(line: bytes) -> list[str]:
    starts = range(0, max(len(line), 1), LONGEST)
    return [line[start : start + LONGEST].decode(errors="replace").rstrip("\r") for start in starts]
