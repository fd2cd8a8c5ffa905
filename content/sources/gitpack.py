"""The files of a git repository, in the packs that its server sent.

This runs in a process that can be killed. It is imported only when a repository is read, because of dulwich.
"""

from base64 import b85encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import blake2b
from io import BytesIO
from itertools import islice, pairwise
from stat import S_ISDIR, S_ISREG

from dulwich.object_format import SHA1
from dulwich.objects import Commit, ObjectID, RawObjectID, parse_tree
from dulwich.pack import (
    OFS_DELTA,
    REF_DELTA,
    DeltaChainIterator,
    MemoryPackIndex,
    Pack,
    PackData,
    PackIndexEntry,
    UnpackedObject,
    unpack_object_at,
)

from content.bounds import bounded
from content.errors import ParseError
from content.secrets import printable
from content.sources import gitwire, markdown
from content.sources.markdown import MAX_BYTES, MAX_DEPTH, MAX_FILES, MAX_TOTAL, Unreadable
from content.types import ParsedPost, ParsedSource

MAX_ENTRIES = 200_000  # entries of all folders
MAX_OBJECTS = 200_000  # of one pack
MAX_OBJECT = 32 * 1024**2  # bytes of an object, unpacked
MAX_UNPACKED = 512 * 1024**2  # bytes of all objects of a pack, unpacked
HASH = 5  # characters of each of `Entry.hashes`
_HEADER = 12  # bytes at the start of a pack
_CACHE = 16 * 1024**2  # bytes of objects that deltas refer to
_COMMIT, _TREE, _BLOB = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Entry:
    """A Markdown file: its path below the folder, with slashes, and the id of its content."""

    name: str
    blob: str

    @property
    def hashes(self) -> tuple[str, str]:
        """A short hash of the name and one of the content, of HASH characters each."""
        return _hash(self.name.encode("utf-8", "surrogateescape")), _hash(self.blob.encode())


def _hash(value: bytes) -> str:
    return b85encode(blake2b(value, digest_size=4).digest()).decode()


@dataclass(frozen=True, slots=True)
class Tree:
    """The Markdown files of a commit, and when it was made."""

    files: tuple[Entry, ...]
    committed: datetime


def files_in(answer: bytes, url: str, commit: str, folder: str) -> Tree:
    """The Markdown files below `folder` of a commit. Raises ParseError."""
    with _opened(answer, url) as objects:
        tree, committed = objects.commit(commit)
        tree = _folder_in(objects, tree, folder)
        files = list(islice(_walk(objects, tree), MAX_FILES + 1))
    if len(files) > MAX_FILES:
        raise _too_many(url, MAX_FILES)
    return Tree(tuple(sorted(files, key=lambda entry: entry.name)), committed)


def _folder_in(objects: "_Objects", tree: str, folder: str) -> str:
    """The tree of a folder below another one. Raises ParseError."""
    for name in filter(None, folder.split("/")):
        folders = {one: oid for one, mode, oid in objects.tree(tree) if S_ISDIR(mode)}
        if name not in folders:
            raise ParseError(
                "{url} has no folder {folder}: choose another with {example}",
                url=printable(objects.url),
                folder=folder,
                example="folder=NAME",
            )
        tree = folders[name]
    return tree


def posts_in(answer: bytes, url: str, entries: Sequence[Entry], committed: datetime) -> markdown.Found:
    """The posts in some files, whose contents are in the pack. Raises ParseError."""
    with _opened(answer, url) as objects:
        found = _parsed(objects, {entry.name: entry.blob for entry in entries}, committed)
    posts = bounded(ParsedSource(posts=found.posts), len(found.posts)).posts
    return replace(found, posts=posts)


def _parsed(objects: "_Objects", blobs: Mapping[str, str], committed: datetime) -> markdown.Found:
    """What is in the files of these names, which have these contents."""
    sizes = {name: objects.sizes.get(blob, 0) for name, blob in blobs.items()}
    if sum(size for size in sizes.values() if size <= MAX_BYTES) > MAX_TOTAL:
        raise ParseError(
            "{folder} holds more than {mib} MiB of Markdown: split it",
            folder=printable(objects.url),
            mib=MAX_TOTAL // 1024**2,
        )

    def post_of(name: str) -> ParsedPost | None:
        if blobs[name] not in objects.sizes:
            raise Unreadable("was left out by the git server, perhaps because it is large: split it")
        markdown.check_size(sizes[name])
        return markdown.post_in(name, objects.body(blobs[name], _BLOB), committed)

    return markdown.parse_each(blobs, post_of)


def _walk(objects: "_Objects", root: str) -> Iterator[Entry]:
    """The Markdown files below a tree. Links, submodules, and names that lead elsewhere are left out."""
    todo, seen = [("", root, 0)], 0
    while todo:
        prefix, tree, depth = todo.pop()
        for name, mode, oid in objects.tree(tree):
            seen += 1
            if seen > MAX_ENTRIES:  # one tree may be in many places, so a small pack can hold millions
                raise _too_many(objects.url, MAX_ENTRIES)
            if name in ("", ".", "..") or "/" in name or "\\" in name:
                continue
            if S_ISDIR(mode) and depth < MAX_DEPTH and not name.startswith((".", "_")):
                todo.append((f"{prefix}{name}/", oid, depth + 1))
            elif S_ISREG(mode) and markdown.is_post(name):
                yield Entry(prefix + name, oid)


def _too_many(url: str, count: int) -> ParseError:
    return ParseError(
        "{folder} holds more than {count} files: give a smaller folder", folder=printable(url), count=count
    )


def too_large(url: str, limit: int) -> ParseError:
    """The error for a repository that sends more than `limit` bytes."""
    return ParseError(
        "{url} sends more than {mib} MiB at once: give a smaller repository",
        url=printable(url),
        mib=limit // 1024**2,
    )


class _Sizes(DeltaChainIterator[tuple[str, int, int]]):
    """Id, place in the pack, and size of every object, with all deltas resolved."""

    def _result(self, unpacked: UnpackedObject) -> tuple[str, int, int]:
        size = sum(map(len, unpacked.obj_chunks or ()))
        return unpacked.sha().hex(), unpacked.offset or 0, size


@contextmanager
def _opened(answer: bytes, url: str) -> Iterator["_Objects"]:
    """The objects in a server's answer. Counts and sizes are checked before anything is unpacked."""
    pack = gitwire.pack_in(answer)
    with closing(PackData("pack", SHA1, file=BytesIO(pack), delta_base_cache_limit=_CACHE)) as data:
        if len(data) > MAX_OBJECTS:
            raise _too_many(url, MAX_OBJECTS)
        found = _Sizes(None, SHA1.hash_func)
        found.set_pack_data(data)
        for unpacked in _unpacked(pack, len(data), url):
            found.record(unpacked)
        objects = sorted(found)
        entries: list[PackIndexEntry] = [
            (RawObjectID(bytes.fromhex(oid)), offset, None) for oid, offset, _ in objects
        ]
        index = MemoryPackIndex(entries, SHA1, data.get_stored_checksum())
        with closing(Pack.from_objects(data, index)) as opened:
            yield _Objects(url, opened, {oid: size for oid, _, size in objects})


@dataclass(frozen=True, slots=True)
class _Objects:
    """The objects of a pack, and their sizes by their ids."""

    url: str
    pack: Pack
    sizes: Mapping[str, int]

    def body(self, oid: str, kind: int) -> bytes:
        """The content of an object. Raises ParseError if it is missing or of another kind."""
        found, body = self.pack.get_raw(ObjectID(oid.encode())) if oid in self.sizes else (0, b"")
        if found != kind:
            raise gitwire.damaged()
        return body

    def commit(self, oid: str) -> tuple[str, datetime]:
        """The tree of a commit, and when it was made."""
        commit = Commit.from_raw_string(_COMMIT, self.body(oid, _COMMIT))
        assert isinstance(commit, Commit)
        try:
            made = datetime.fromtimestamp(commit.commit_time, UTC)
        except (ValueError, OverflowError, OSError):
            made = datetime.fromtimestamp(0, UTC)
        return commit.tree.decode("ascii"), made

    def tree(self, oid: str) -> Iterator[tuple[str, int, str]]:
        """Name, mode and id of each entry."""
        for name, mode, entry in parse_tree(self.body(oid, _TREE), 20):
            yield name.decode("utf-8", "surrogateescape"), mode, entry.decode("ascii")


def _unpacked(pack: bytes, count: int, url: str) -> Iterator[UnpackedObject]:
    """Every object or delta of a pack. Raises ParseError if they are too large, before they are unpacked."""
    at, total = _HEADER, 0
    for _ in range(count):
        if _declared(pack, at) > MAX_OBJECT:
            raise too_large(url, MAX_OBJECT)
        unpacked, end = unpack_object_at(pack, at, SHA1.hash_func)
        size = _declared(pack, at)
        if unpacked.pack_type_num in (OFS_DELTA, REF_DELTA):
            size += _result_size(b"".join(unpacked.decomp_chunks)[:20])
        total += size
        if size > MAX_OBJECT or total > MAX_UNPACKED:
            raise too_large(url, MAX_OBJECT if size > MAX_OBJECT else MAX_UNPACKED)
        yield unpacked
        at = end


def _declared(pack: bytes, at: int) -> int:
    """The size of the object or delta at a place of the pack, as its header says."""
    header = pack[at : at + 10]
    size, shift = header[0] & 0x0F, 4
    for before, byte in pairwise(header):
        if not before & 0x80:
            break
        size |= (byte & 0x7F) << shift
        shift += 7
    return size


def _result_size(delta: bytes) -> int:
    """The size of what a delta makes: the second number at its start."""
    at = size = 0
    for _ in range(2):
        size = shift = 0
        while at < len(delta):
            byte = delta[at]
            size |= (byte & 0x7F) << shift
            shift, at = shift + 7, at + 1
            if not byte & 0x80:
                break
    return size
