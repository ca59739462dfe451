"""Git's pkt-line framing: four hex digits of length, then the payload (gitprotocol-common)."""

FLUSH = b"0000"
HEADER = 4
LARGEST = 65520
"""The most bytes one pkt-line may have, its header included."""


class Malformed(ValueError):
    """The bytes are not pkt-lines."""


def encode(payload: bytes) -> bytes:
    """One pkt-line. The payload has at most 65516 bytes."""
    return b"%04x%s" % (len(payload) + HEADER, payload)


def payload(packet: bytes) -> bytes:
    """What a whole pkt-line carries; nothing for flush, delimiter and response end."""
    return packet[HEADER:]


def error(text: str) -> bytes:
    """The `ERR` line with which a server ends the conversation; git prints it as "fatal: remote error: …"."""
    return encode(b"ERR " + text.encode(errors="replace")[: LARGEST - HEADER - 4])


class Decoder:
    """Cuts a stream of bytes into whole pkt-lines, headers kept."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes, *, until_flush: bool = False) -> list[bytes]:
        """The pkt-lines that are complete with these bytes, at most to a flush if so wished. Raises Malformed."""
        data = self._rest + data
        packets: list[bytes] = []
        start = 0
        while len(data) - start >= HEADER:
            end = start + _length(data[start : start + HEADER])
            if end > len(data):
                break
            packets.append(data[start:end])
            start = end
            if until_flush and packets[-1] == FLUSH:
                break
        self._rest = data[start:]
        return packets

    @property
    def rest(self) -> bytes:
        """The bytes that don't make a whole pkt-line yet."""
        return self._rest


def _length(header: bytes) -> int:
    try:
        length = int(header, 16)
    except ValueError:
        raise Malformed(f"{header!r} is no pkt-line header") from None
    if not header.isalnum() or length == 3 or length > LARGEST:
        raise Malformed(f"{header!r} is no pkt-line header")
    return max(length, HEADER)
