"""The parts without IO: framing, requests, reports, lines, and who waits at the door."""

import pytest

from mothership.errors import Invalid
from receiver import pktline, report
from receiver.admission import Admission
from receiver.output import remote_lines
from receiver.pktline import FLUSH, Decoder, Malformed, encode
from receiver.reply import LARGEST_BAND, Reply, band
from receiver.request import LIMIT, Request

OLD, NEW = "0" * 40, "1" * 40
FIRST = f"{OLD} {NEW} refs/heads/main\0 report-status-v2 side-band-64k agent=git/2.39".encode()
REPORT = (
    encode(b"unpack ok\n")
    + encode(b"ng refs/heads/main pre-receive hook declined\n")
    + encode(b"ng refs/heads/side missing necessary objects\n")
    + encode(b"ok refs/heads/fine\n")
    + encode(b"option refname refs/heads/other\n")
)
REWRITTEN = REPORT.replace(
    encode(b"ng refs/heads/main pre-receive hook declined\n"), encode(b"ng refs/heads/main build failed\n")
)


def asked(*capabilities: str) -> Request:
    request = Request()
    request.watch(encode(f"{OLD} {NEW} refs/heads/main\0 {' '.join(capabilities)}".encode()) + FLUSH)
    return request


def every_way_to_cut(data: bytes) -> list[list[bytes]]:
    return [[data[:cut], data[cut:]] for cut in range(len(data))] + [[data[i : i + 1] for i in range(len(data))]]


def test_a_pkt_line_is_its_length_and_its_payload() -> None:
    assert encode(b"hi\n") == b"0007hi\n"
    assert encode(b"") == b"0004"
    assert pktline.payload(b"0007hi\n") == b"hi\n"
    assert pktline.error("no") == b"000aERR no"
    assert len(pktline.error("x" * 100_000)) == pktline.LARGEST


def test_pkt_lines_come_out_whole_however_they_arrive() -> None:
    packets = [encode(b"one\n"), FLUSH, b"0001", b"0002", encode(b""), encode(b"two")]
    for pieces in every_way_to_cut(b"".join(packets)):
        decoder = Decoder()
        assert [packet for piece in pieces for packet in decoder.feed(piece)] == packets
        assert decoder.rest == b""


@pytest.mark.parametrize("header", [b"zzzz", b"0003", b"fff1", b" 12a", b"-001", b"+123", b"1_23", b"PACK"])
def test_what_is_no_pkt_line_is_malformed(header: bytes) -> None:
    with pytest.raises(Malformed):
        Decoder().feed(header)


def test_a_request_shows_its_capabilities_however_it_arrives() -> None:
    data = encode(FIRST) + encode(f"{OLD} {NEW} refs/tags/v1".encode()) + FLUSH + b"PACK0003zzzz"
    for pieces in every_way_to_cut(data):
        request = Request()
        for piece in pieces:
            request.watch(piece)
        assert request.side_band
        assert b"agent=git/2.39" in request.capabilities
        assert request.pack_size == len(b"PACK0003zzzz")


def test_capabilities_may_come_after_shallow_lines_or_with_a_certificate() -> None:
    for before in (encode(b"shallow " + NEW.encode()), encode(b"push-cert\0 side-band-64k\n")):
        request = Request()
        request.watch(before + encode(FIRST) + FLUSH)
        assert request.side_band


def test_a_probe_asks_for_nothing() -> None:
    request = Request()
    request.watch(FLUSH)
    assert not request.side_band
    assert request.pack_size == 0


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n",
        encode(f"{OLD} {NEW} refs/heads/x\n{OLD} {NEW} refs/heads/main\0 side-band-64k".encode()),
        encode(FIRST) * (LIMIT // len(FIRST)),
    ],
    ids=["not git", "a newline in a name", "refs without end"],
)
def test_a_request_that_is_none_is_invalid(data: bytes) -> None:
    with pytest.raises(Invalid):
        Request().watch(data)


def test_only_the_hook_s_refusals_get_our_reason() -> None:
    assert report.rewrite(REPORT, "build failed") == REWRITTEN


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("two\nlines\r\n", b"two lines"),
        ("ok refs/x\0\x1b[31m", b"ok refs/x[31m"),
        ("", report.DECLINED),
        ("x" * 300, b"x" * 200),
        ("n\u00e4ive \ud800", "n\u00e4ive".encode()),
    ],
)
def test_a_reason_is_one_clean_line(reason: str, shown: bytes) -> None:
    declined = encode(b"ng refs/heads/main pre-receive hook declined\n")
    assert report.rewrite(declined, reason) == encode(b"ng refs/heads/main " + shown + b"\n")


def test_a_report_says_what_became_of_each_ref() -> None:
    assert report.outcomes(REPORT) == {
        "refs/heads/main": "pre-receive hook declined",
        "refs/heads/side": "missing necessary objects",
        "refs/heads/fine": "",
    }


def test_a_reply_s_report_is_rewritten_inside_band_1_however_it_arrives() -> None:
    advertisement = encode(b"ref\0caps\n") + FLUSH
    keepalive, said = b"0005\1", band(b"\2", b"Resolving\r")
    data = advertisement + said + keepalive + band(b"\1", REPORT + FLUSH) + FLUSH
    for pieces in every_way_to_cut(data):
        reply = Reply(asked("report-status-v2", "side-band-64k"), advertised=False)
        reply.reason = "build failed"
        heard = b"".join(reply.feed(piece) for piece in pieces) + reply.close()
        assert heard == advertisement + said + keepalive + band(b"\1", REWRITTEN + FLUSH) + FLUSH
        assert reply.finished
        assert reply.outcomes["refs/heads/fine"] == ""


def test_a_report_larger_than_a_pkt_line_stays_whole() -> None:
    many = b"".join(encode(b"ng refs/heads/%d pre-receive hook declined\n" % n) for n in range(3000))
    reply = Reply(asked("report-status", "side-band-64k"), advertised=True)
    reply.reason = "a reason that is longer than git's own"
    heard = reply.feed(band(b"\1", many + FLUSH) + FLUSH)
    packets = Decoder().feed(heard)
    inner = b"".join(pktline.payload(packet)[1:] for packet in packets[:-1])
    assert inner == report.rewrite(many, reply.reason) + FLUSH
    assert len(packets) == 1 + -(-len(inner) // LARGEST_BAND)


def test_without_side_band_the_report_stands_by_itself() -> None:
    reply = Reply(asked("report-status"), advertised=True)
    reply.reason = "build failed"
    assert reply.feed(REPORT[:50]) == b""
    assert reply.feed(REPORT[50:] + FLUSH) == REWRITTEN + FLUSH


def test_an_accepted_report_passes_untouched() -> None:
    reply = Reply(asked("report-status", "side-band-64k"), advertised=True)
    data = band(b"\1", REPORT + FLUSH) + FLUSH
    assert reply.feed(data) == data


def test_a_reply_that_breaks_off_gives_what_it_had() -> None:
    reply = Reply(asked("report-status"), advertised=True)
    reply.feed(REPORT[:50])
    assert reply.close() == REPORT[:50]


def test_a_line_of_git_s_that_has_no_end_yet_is_noticed() -> None:
    reply = Reply(asked("side-band-64k"), advertised=True)
    for data, open_end in ((b"50%\r", False), (b"half a li", True), (b"ne\n", False)):
        reply.feed(band(b"\2", data))
        assert reply.mid_line == open_end


@pytest.mark.parametrize("largest", [995, LARGEST_BAND])
def test_long_lines_are_cut_between_characters(largest: int) -> None:
    for text in ("x" * 200_000, "ä" * 99_999, "x☃" * 50_000, "𝄞" * 40_001, "x" * (largest - 1), "x" * largest, ""):
        pieces = [pktline.payload(packet) for packet in Decoder().feed(remote_lines(text, largest))]
        assert all(piece[:1] == b"\2" and 1 < len(piece) <= largest + 1 for piece in pieces)
        assert "".join(piece[1:].decode() for piece in pieces) == text + "\n"


def test_what_is_no_text_is_replaced() -> None:
    assert remote_lines("a\udcffb") == encode(b"\2a?b\n")


def test_the_oldest_stranger_makes_room_for_the_newest() -> None:
    door: Admission[int] = Admission(total=4, per_address=2)
    assert [door.enter(guest, "a") for guest in (1, 2)] == [None, None]
    assert door.enter(3, "a") == 1
    assert [door.enter(guest, "b") for guest in (4, 5)] == [None, None]
    assert door.enter(6, "c") in (2, 4)


def test_who_has_logged_in_takes_no_place() -> None:
    door: Admission[int] = Admission(total=2, per_address=1)
    door.enter(1, "a")
    door.leave(1)
    assert door.enter(2, "a") is None
