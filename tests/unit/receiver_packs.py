"""Packs and pushes made by hand, for what a git client would never send."""

import hashlib
import zlib

from receiver import pktline

ZERO = "0" * 40


def pack(*objects: tuple[int, bytes], count: int | None = None) -> bytes:
    """A pack of whole objects (gitformat-pack): 1 is a commit, 2 a tree, 3 a blob."""
    body = b"PACK" + (2).to_bytes(4, "big") + (len(objects) if count is None else count).to_bytes(4, "big")
    for kind, content in objects:
        body += _object_header(kind, len(content)) + zlib.compress(content)
    return body + hashlib.sha1(body).digest()


def _object_header(kind: int, size: int) -> bytes:
    first, size = (kind << 4) | (size & 15), size >> 4
    header = []
    while size:
        header.append(first | 0x80)
        first, size = size & 0x7F, size >> 7
    return bytes([*header, first])


def named(kind: str, content: bytes) -> str:
    return hashlib.sha1(f"{kind} {len(content)}\0".encode() + content).hexdigest()


def commit_of(tree: str) -> bytes:
    who = "Ann <ann@example.org> 1700000000 +0000"
    return f"tree {tree}\nauthor {who}\ncommitter {who}\n\nmessage\n".encode()


def update(new: str, ref: str = "refs/heads/main", capabilities: str = "report-status side-band-64k") -> bytes:
    return pktline.encode(f"{ZERO} {new} {ref}\0 {capabilities}".encode()) + pktline.FLUSH


def entry(name: bytes, mode: bytes = b"100644", sha: bytes = b"") -> bytes:
    """One entry of a tree; of an empty blob unless told otherwise."""
    return mode + b" " + name + b"\0" + (sha or bytes.fromhex(named("blob", b"")))


TREE = b""
COMMIT = commit_of(named("tree", TREE))
GOOD = pack((2, TREE), (1, COMMIT))
LACKING = commit_of("1234567890" * 4)
EMPTY_TREE = bytes.fromhex(named("tree", TREE))
EVIL_TREES = {
    "dot git": entry(b".git", b"40000", EMPTY_TREE),
    "dot git in capitals": entry(b".GIT", b"40000", EMPTY_TREE),
    "dot git for HFS": entry(".g\u200cit".encode(), b"40000", EMPTY_TREE),
    "dot git for NTFS": entry(b"git~1", b"40000", EMPTY_TREE),
    "the parent": entry(b"..", b"40000", EMPTY_TREE),
    "itself": entry(b".", b"40000", EMPTY_TREE),
    "a slash": entry(b"a/b"),
    "no name": entry(b""),
    "a name twice": entry(b"a") + entry(b"a"),
    "out of order": entry(b"b") + entry(b"a"),
    "a null object": entry(b"a", sha=b"\0" * 20),
}
"""The classic trees that escape from a checkout, hide in one, or can't be read back."""


def pack_of_tree(tree: bytes) -> tuple[str, bytes]:
    """A commit of such a tree and the pack that brings it."""
    commit = commit_of(named("tree", tree))
    return named("commit", commit), pack((3, b""), (2, TREE), (2, tree), (1, commit))
