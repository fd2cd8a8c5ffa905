"""Lists of feeds as other readers write and read them (OPML 2.0, opml.org/spec2.opml)."""

import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from xml.etree import ElementTree as Xml
from xml.parsers import expat

from bot.visible import visible_line
from content.errors import UsageError
from content.types import Source

# What a list of somebody else's may make us read and keep.
MAX_BYTES = 4 * 1024 * 1024
MAX_FEEDS = 2_000
MAX_DEPTH = 50
MAX_URL = 2_000  # characters

STANDARD = Path("-")  # input or output


class _Outlines:
    """Collects the feeds' URLs while expat reads, so that nothing else of the file is kept."""

    def __init__(self) -> None:
        self.urls: dict[str, None] = {}  # in order, each once
        self._depth = 0
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.StartDoctypeDeclHandler = self._doctype

    def read(self, content: bytes) -> None:
        self._parser.Parse(content, True)

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise UsageError(f"it is nested more than {MAX_DEPTH} deep")
        url = attributes.get("xmlUrl", "").strip() if name == "outline" else ""
        if len(url) > MAX_URL:
            raise UsageError(f"it has an address of more than {MAX_URL} characters")
        if url:
            self.urls[url] = None
        if len(self.urls) > MAX_FEEDS:
            raise UsageError(f"it names more than {MAX_FEEDS} feeds: split it")

    def _end(self, name: str) -> None:
        self._depth -= 1

    def _doctype(self, *_: object) -> None:
        # Entities of its own could make a small file endless, and no reader writes any.
        raise UsageError("it has a document type declaration: remove the <!DOCTYPE …>")


def read_opml(file: Path) -> list[str]:
    """The feeds' URLs, whatever they are; `-` is standard input. Raises UsageError for what is not OPML."""
    name = "standard input" if file == STANDARD else str(file)
    try:
        with nullcontext(sys.stdin.buffer) if file == STANDARD else file.open("rb") as opened:
            urls = parse_opml(opened.read(MAX_BYTES + 1))
    except (OSError, UsageError) as exc:
        raise UsageError(f"{name} cannot be read as OPML: {exc}") from exc
    if not urls:
        raise UsageError(f"{name} names no feeds: an OPML file has outlines with an xmlUrl")
    return urls


def parse_opml(content: bytes) -> list[str]:
    """The addresses in it, each once. Raises UsageError."""
    if len(content) > MAX_BYTES:
        raise UsageError(f"it is larger than {MAX_BYTES // 1024 // 1024} MiB: split it")
    outlines = _Outlines()
    try:
        outlines.read(content)
    except (expat.ExpatError, LookupError, ValueError) as exc:
        raise UsageError(str(exc)) from exc
    return list(outlines.urls)


def to_opml(feeds: Sequence[Source]) -> bytes:
    root = Xml.Element("opml", version="2.0")
    Xml.SubElement(Xml.SubElement(root, "head"), "title").text = "Skywave sources"
    body = Xml.SubElement(root, "body")
    for feed in feeds:
        name = visible_line(feed.name)  # XML cannot hold control characters
        Xml.SubElement(body, "outline", type="rss", text=name, title=name, xmlUrl=feed.url)
    Xml.indent(root)
    return bytes(Xml.tostring(root, encoding="utf-8", xml_declaration=True))
