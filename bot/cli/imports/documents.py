"""Reads documents of MongoDB: as `mongodump` writes them (BSON), or `mongoexport` and other tools (JSON)."""

import json
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

from bot.cli.imports.types import MAX_BYTES, MAX_ROWS, WrongFile

Document = dict[str, object]

MAX_DEPTH = 50
# Sizes of the BSON types that hold nothing we need, by their number (bsonspec.org).
_SKIPPED = {0x06: 0, 0x09: 8, 0x11: 8, 0x13: 16, 0x7F: 0, 0xFF: 0}
_LENGTHS = struct.Struct("<i")


def read_documents(file: Path) -> Sequence[Document]:
    """The documents of a file. Raises WrongFile."""
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
    except OSError as exc:
        raise WrongFile(f"{file} cannot be read: {exc.strerror}") from exc
    if len(content) > MAX_BYTES:
        raise WrongFile(f"{file} is larger than {MAX_BYTES // 1024**2} MiB")
    try:
        return list(_of_json(content) if content.lstrip()[:1] in (b"{", b"[") else _of_bson(content))
    except (ValueError, LookupError, struct.error, RecursionError) as exc:
        raise WrongFile(f"{file} is damaged, or neither JSON nor BSON: {exc}") from exc


def _of_json(content: bytes) -> Iterator[Document]:
    """One document, an array of them, or one on each line."""
    text = content.decode("utf-8-sig")
    try:
        found = json.loads(text)
    except json.JSONDecodeError:
        found = [json.loads(line) for line in text.splitlines() if line.strip()]
    for document in found if isinstance(found, list) else [found]:
        if not isinstance(document, dict):
            raise ValueError("it has something that is no document")
        yield document


def _of_bson(content: bytes) -> Iterator[Document]:
    at, count = 0, 0
    while at < len(content):
        document, at = _document(content, at, 0)
        yield document
        count += 1
        if count > MAX_ROWS:
            raise ValueError(f"it has more than {MAX_ROWS:,} documents")


def _document(content: bytes, start: int, depth: int) -> tuple[Document, int]:
    """The document that begins at `start`, and where it ends."""
    (length,) = _LENGTHS.unpack_from(content, start)
    end = start + length
    if length < 5 or end > len(content) or depth > MAX_DEPTH or content[end - 1]:
        raise ValueError("a document has a wrong length")
    found, at = Document(), start + 4
    while at < end - 1:
        kind, (name, at) = content[at], _name(content, at + 1, end)
        found[name], at = _value(kind, content, at, depth)
        if at > end - 1:
            raise ValueError("a value is longer than its document")
    return found, end


def _name(content: bytes, start: int, end: int) -> tuple[str, int]:
    stop = content.index(0, start, end)
    return content[start:stop].decode("utf-8", "replace"), stop + 1


def _value(kind: int, content: bytes, at: int, depth: int) -> tuple[object, int]:
    """The value of a BSON type that begins at `at`, and where it ends. Other types are None."""
    match kind:
        case 0x01:
            return struct.unpack_from("<d", content, at)[0], at + 8
        case 0x02 | 0x0D | 0x0E:
            (length,) = _LENGTHS.unpack_from(content, at)
            return _bytes(content, at + 4, length)[:-1].decode("utf-8", "replace"), at + 4 + length
        case 0x03:
            return _document(content, at, depth + 1)
        case 0x04:
            array, end = _document(content, at, depth + 1)
            return list(array.values()), end
        case 0x05:
            (length,) = _LENGTHS.unpack_from(content, at)
            return None, at + 5 + len(_bytes(content, at + 5, length))
        case 0x07:
            return _bytes(content, at, 12).hex(), at + 12
        case 0x08:
            return bool(content[at]), at + 1
        case 0x0A:
            return None, at
        case 0x0B:
            _, at = _name(content, at, len(content))
            return None, _name(content, at, len(content))[1]
        case 0x10:
            return _LENGTHS.unpack_from(content, at)[0], at + 4
        case 0x12:
            return struct.unpack_from("<q", content, at)[0], at + 8
        case _ if kind in _SKIPPED:
            return None, at + _SKIPPED[kind]
    raise ValueError(f"a value has the unknown type {kind}")


def _bytes(content: bytes, at: int, length: int) -> bytes:
    if length < 0 or at + length > len(content):
        raise ValueError("a value is longer than the file")
    return content[at : at + length]
