"""Git's report-status: which refs moved, and why the others didn't (gitprotocol-pack, "Report Status")."""

from collections.abc import Mapping

from receiver import pktline

DECLINED = b"pre-receive hook declined"
"""The one reason receive-pack knows when its hook says no."""


def rewrite(report: bytes, reason: str) -> bytes:
    """The same report with our reason in place of git's. Reports of version 1 and 2 differ only in `option` lines."""
    ours = _one_line(reason)
    return b"".join(_rewrite_line(packet, ours) for packet in pktline.Decoder().feed(report))


def outcomes(report: bytes) -> Mapping[str, str]:
    """What became of each ref: "" when it moved, git's reason otherwise."""
    found = {}
    for packet in pktline.Decoder().feed(report):
        status, _, rest = pktline.payload(packet).rstrip(b"\n").partition(b" ")
        if status in (b"ok", b"ng"):
            ref, _, reason = rest.partition(b" ")
            found[ref.decode(errors="replace")] = reason.decode(errors="replace") if status == b"ng" else ""
    return found


def _rewrite_line(packet: bytes, reason: bytes) -> bytes:
    line = pktline.payload(packet).rstrip(b"\n")
    if not (line.startswith(b"ng ") and line.endswith(b" " + DECLINED)):
        return packet
    return pktline.encode(line.removesuffix(DECLINED) + reason + b"\n")


def _one_line(reason: str) -> bytes:
    text = "".join(c for c in " ".join(reason.split()) if c.isprintable())
    return text[:200].strip().encode(errors="replace") or DECLINED
