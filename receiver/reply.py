"""What receive-pack says to the client, with the reason of a refusal put into its report on the way."""

from collections.abc import Mapping

from receiver import pktline, report
from receiver.request import Request

BAND_REPORT = b"\1"
BAND_REMOTE = b"\2"
LARGEST_BAND = pktline.LARGEST - pktline.HEADER - 1
"""The most bytes that fit behind the band's number in one pkt-line of side-band-64k."""


class Reply:
    """Passes receive-pack's pkt-lines on, whole; holds the report back until all of it is there.

    `advertised` says that the refs have been advertised in an earlier call (HTTP), so that the reply comes first.
    """

    def __init__(self, request: Request, *, advertised: bool) -> None:
        self.reason = ""
        self.outcomes: Mapping[str, str] = {}
        self.finished = False
        self.mid_line = False
        self._request = request
        self.advertised = advertised
        self._decoder = pktline.Decoder()
        self._report = bytearray()

    def feed(self, data: bytes) -> bytes:
        """The pkt-lines that may go to the client now."""
        return b"".join(self._pass_on(packet) for packet in self._decoder.feed(data))

    def close(self) -> bytes:
        """What is left when receive-pack ended without a full report."""
        left = bytes(self._report) + self._decoder.rest
        self._report.clear()
        return left if not self._request.side_band else b""

    def _pass_on(self, packet: bytes) -> bytes:
        if not self.advertised:
            self.advertised = packet == pktline.FLUSH
            return packet
        if packet == pktline.FLUSH:
            self.finished = True
            return self._take_report() + packet if self._request.side_band else self._take_report()
        if not self._request.side_band:
            self._report += packet
            return b""
        return self._pass_band(packet)

    def _pass_band(self, packet: bytes) -> bytes:
        content = pktline.payload(packet)
        if content[:1] == BAND_REPORT and len(content) > 1:
            self._report += content[1:]
            return b""
        if content[:1] == BAND_REMOTE and len(content) > 1:
            self.mid_line = content[-1:] not in (b"\n", b"\r")
        return packet

    def _take_report(self) -> bytes:
        """The report with our reason in it, framed as receive-pack frames it."""
        text = bytes(self._report)
        self._report.clear()
        self.outcomes = report.outcomes(text)
        if self.reason:
            text = report.rewrite(text, self.reason)
        return band(BAND_REPORT, text) if self._request.side_band else text + pktline.FLUSH


def band(number: bytes, data: bytes) -> bytes:
    """Data in as many pkt-lines of one side-band as it needs."""
    pieces = (data[i : i + LARGEST_BAND] for i in range(0, len(data), LARGEST_BAND))
    return b"".join(pktline.encode(number + piece) for piece in pieces)
