"""Git's smart protocol over HTTP in the versions 0 and 2: what is asked, and what the answers say.

See gitprotocol-http(5), gitprotocol-pack(5) and gitprotocol-v2(5). All of an answer is untrusted: it is read
in a process that can be killed.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from content.errors import ParseError
from content.fetch import NotGiven
from content.secrets import printable, without_secrets
from content.text import storable

SERVICE = "git-upload-pack"
VERSION_2 = {"Git-Protocol": "version=2"}
ASKED = {"Content-Type": f"application/x-{SERVICE}-request", "Accept": f"application/x-{SERVICE}-result"}
FILES = "blob:none"  # leaves out all files, so that only folders come
_AGENT = "agent=skywave"
_FLUSH, _DELIMITER = b"0000", b"0001"
_OID = re.compile(r"[0-9a-f]{40}")
_DATA, _ERROR = 1, 3  # bands of an answer with a pack


def damaged() -> ParseError:
    return ParseError("the answer of the git server is damaged or broke off: it is tried again later")


def _strange() -> ParseError:
    return ParseError("the git server cannot be read: it is too old, or its repository uses SHA-256")


@dataclass(frozen=True, slots=True)
class Advertised:
    """What a server can do: the protocol's `version`, and its `features` for fetching.

    `commit` is that of the branch, empty if there is none; version 2 is asked for it separately.
    """

    version: int
    features: frozenset[str]
    commit: str = ""


def _line(text: str) -> bytes:
    body = text.encode() + b"\n"
    return f"{len(body) + 4:04x}".encode() + body


def ref_of(branch: str) -> str:
    """The full name of a branch, or of the server's default branch."""
    return f"refs/heads/{branch}" if branch else "HEAD"


def ask_for_ref(branch: str) -> bytes:
    """The request of version 2 for the commit of a branch."""
    return _line("command=ls-refs") + _DELIMITER + _line(f"ref-prefix {ref_of(branch)}") + _FLUSH


def ask_for_pack(server: Advertised, wanted: Sequence[str], leave_out: str = "") -> bytes:
    """The request for a pack of some objects; of commits without their history.

    `leave_out` is a filter (git-rev-list(1)), which is used in version 2 if the server knows filters.
    """
    depth = ["deepen 1"] if "shallow" in server.features else []
    if server.version == 2:
        chosen = [f"filter {leave_out}"] if leave_out and "filter" in server.features else []
        lines = ["no-progress", "ofs-delta", *depth, *chosen, *(f"want {oid}" for oid in wanted), "done"]
        return _line("command=fetch") + _DELIMITER + b"".join(map(_line, lines)) + _FLUSH
    # Some servers insist on thin-pack. It changes nothing, because no object is here already.
    able = ("side-band-64k", "thin-pack", "ofs-delta", "no-progress", "shallow")
    first, *others = wanted
    known = " ".join((*(one for one in able if one in server.features), _AGENT))
    wants = [f"want {first} {known}", *(f"want {oid}" for oid in others), *depth]
    return b"".join(map(_line, wants)) + _FLUSH + _line("done")


def _packets(answer: bytes, start: int = 0) -> Iterator[bytes | None]:
    """The packets of an answer; None for those that part its sections. Raises ParseError."""
    at = start
    while at < len(answer):
        try:
            length = int(answer[at : at + 4], 16)
        except ValueError as exc:
            raise damaged() from exc
        if length < 4:
            yield None
            at += 4
            continue
        if at + length > len(answer):
            raise damaged()
        packet = answer[at + 4 : at + length]
        if packet.startswith(b"ERR "):
            raise NotGiven("the git server says: {reason}", reason=_told(packet[4:]))
        yield packet
        at += length


def _told(words: bytes) -> str:
    """Words of a server as one line that can be shown."""
    text = " ".join(storable(words.decode("utf-8", "replace")).split())
    return without_secrets(text[:500])[:200]


def advertised(body: bytes, url: str, branch: str) -> Advertised:
    """What a server answers at `info/refs`. Raises ParseError if it is no git server."""
    if not re.match(rb"[0-9a-f]{4}(?:# service=|version )", body):
        raise ParseError(
            "{url} is not a git repository: give the address that git clones from", url=printable(url)
        )
    lines = [
        packet.decode("utf-8", "replace").rstrip("\n") for packet in _packets(body) if packet is not None
    ]
    if lines[0].startswith("# service="):
        lines = lines[1:]
    if lines and lines[0] == "version 2":
        return _advertised_2(lines[1:])
    if lines and lines[0] == "version 1":
        lines = lines[1:]
    features = lines[0].partition("\0")[2].split() if lines else []
    _check_format(features)
    if lines and "side-band-64k" not in features:
        raise _strange()
    refs = (line.partition("\0")[0] for line in lines)
    return Advertised(0, frozenset(features), _commit(refs, branch))


def _advertised_2(lines: Sequence[str]) -> Advertised:
    _check_format(lines)
    features = next((line[len("fetch=") :] for line in lines if line.startswith("fetch=")), "")
    return Advertised(2, frozenset(features.split()))


def _check_format(features: Iterable[str]) -> None:
    if "object-format=sha256" in features:
        raise _strange()


def listed_commit(answer: bytes, branch: str) -> str:
    """The commit of a branch in the answer to `ask_for_ref`; empty if there is none."""
    return _commit((packet.decode("utf-8", "replace") for packet in _packets(answer) if packet), branch)


def _commit(refs: Iterable[str], branch: str) -> str:
    """The commit of a branch in lines of an object id and the name of a ref."""
    for line in refs:
        oid, name, *_ = [*line.split(), "", ""]
        if name == ref_of(branch) and _OID.fullmatch(oid):
            return oid
    return ""


def pack_in(answer: bytes) -> bytes:
    """The pack in the answer to `ask_for_pack`. Raises ParseError and NotGiven."""
    pack: list[bytes] = []
    for packet in _packets(answer):
        if not packet:
            continue
        band, rest = packet[0], packet[1:]
        if band == _DATA:
            pack.append(rest)
        elif band == _ERROR:
            raise NotGiven("the git server says: {reason}", reason=_told(rest))
        # The others are progress, or lines before the pack: shallow, NAK, packfile.
    if not pack:
        raise damaged()
    return b"".join(pack)
