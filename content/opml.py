"""Reads and writes lists of feeds in OPML 2.0, as other feed readers do (opml.org/spec2.opml)."""

from collections.abc import Mapping, Sequence
from xml.etree import ElementTree as Xml
from xml.parsers import expat

from content.characters import harmless
from content.errors import UsageError
from content.types import Source

# Limits for a file, because somebody else may have written it.
MAX_BYTES = 4 * 1024 * 1024
MAX_FEEDS = 2_000
MAX_DEPTH = 50
MAX_URL = 2_000  # characters

MAX_TAG = 200  # characters
MAX_TAGS = 20  # for each feed; any more are dropped

NO_CHARACTERS = dict.fromkeys((0xFFFE, 0xFFFF))
SEPARATOR = "/"  # joins the names of nested folders to a tag

# For the URL of each feed, its tags: the folders that contain it.
Feeds = Mapping[str, Sequence[str]]


class _Outlines:
    """Collects URLs and folders while expat parses; no tree is built, so a large file needs little memory."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.feeds: dict[str, dict[str, None]] = {}  # tags by URL, both in order and without duplicates
        self._open: list[str] = []  # the enclosing elements: a folder's name, "" for any other
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.StartDoctypeDeclHandler = self._doctype

    def read(self, content: bytes) -> None:
        self._parser.Parse(content, True)

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        if len(self._open) == MAX_DEPTH:
            raise UsageError("it is nested more than {count} deep", count=MAX_DEPTH)
        url = attributes.get("xmlUrl", "").strip() if name == "outline" else ""
        if len(url) > MAX_URL:
            raise UsageError("it has an address of more than {count} characters", count=MAX_URL)
        folder = ""
        if url:
            tags = self.feeds.setdefault(url, {})
            tag = SEPARATOR.join(filter(None, self._open))[:MAX_TAG].strip()
            if tag and len(tags) < MAX_TAGS:
                tags[tag] = None
        elif name == "outline":
            folder = _line(attributes.get("text") or attributes.get("title") or "")[:MAX_TAG].strip()
        self._open.append(folder)
        if len(self.feeds) > self._most:
            raise UsageError("it names more than {count} feeds: split it", count=self._most)

    def _end(self, name: str) -> None:
        self._open.pop()

    def _doctype(self, *_: object) -> None:
        # A DTD can define entities that expand a small file without end. No feed reader writes one.
        raise UsageError("it has a document type declaration: remove the <!DOCTYPE …>")


def parse_opml(content: bytes, *, most: int = MAX_FEEDS) -> Feeds:
    """The feeds of an OPML document, at most `most`. The URLs are not checked.

    Raises UsageError; its message goes on after "it cannot be read:".
    """
    if len(content) > MAX_BYTES:
        raise UsageError("it is larger than {size} MiB: split it", size=MAX_BYTES // 1024 // 1024)
    outlines = _Outlines(most)
    try:
        outlines.read(content)
    except (expat.ExpatError, LookupError, ValueError) as exc:
        raise UsageError("it is damaged or not OPML ({error})", error=str(exc)) from exc
    return {url: tuple(tags) for url, tags in outlines.feeds.items()}


def to_opml(feeds: Sequence[Source]) -> bytes:
    """An OPML document that lists each feed in the folder of each of its tags."""
    root = Xml.Element("opml", version="2.0")
    Xml.SubElement(Xml.SubElement(root, "head"), "title").text = "Skywave sources"
    body = Xml.SubElement(root, "body")
    for feed in feeds:
        name = _line(feed.name)  # XML cannot hold control characters
        for tag in feed.tags or ("",):
            folder = _folder(body, _line(tag))
            Xml.SubElement(folder, "outline", type="rss", text=name, title=name, xmlUrl=feed.url)
    Xml.indent(root)
    return bytes(Xml.tostring(root, encoding="utf-8", xml_declaration=True))


def _line(text: str) -> str:
    """Outside text on one line, without characters that are not seen or that XML cannot hold."""
    return harmless(" ".join(text.split())).translate(NO_CHARACTERS)


def _folder(body: Xml.Element, tag: str) -> Xml.Element:
    """The outline of a tag's folder; it is created if it does not exist."""
    folder = body
    for name in filter(None, tag.split(SEPARATOR)):
        inside = (one for one in folder if "xmlUrl" not in one.attrib and one.get("text") == name)
        found = next(inside, None)
        folder = Xml.SubElement(folder, "outline", text=name, title=name) if found is None else found
    return folder
