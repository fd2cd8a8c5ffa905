"""Lists of feeds as other readers write and read them (OPML 2.0, opml.org/spec2.opml)."""

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as Xml

from content.errors import UsageError
from content.types import Source


def read_opml(file: Path) -> list[str]:
    """The feeds' URLs. Raises UsageError for what is not OPML."""
    try:
        root = Xml.fromstring(file.read_bytes())
    except (OSError, Xml.ParseError) as exc:
        raise UsageError(f"{file} cannot be read as OPML: {exc}") from exc
    urls = [node.get("xmlUrl", "") for node in root.iter("outline")]
    if not any(urls):
        raise UsageError(f"{file} names no feeds: an OPML file has outlines with an xmlUrl")
    return list(dict.fromkeys(url for url in urls if url))


def write_opml(file: Path, feeds: Sequence[Source]) -> None:
    """Raises UsageError if the file cannot be written."""
    root = Xml.Element("opml", version="2.0")
    Xml.SubElement(Xml.SubElement(root, "head"), "title").text = "Skywave sources"
    body = Xml.SubElement(root, "body")
    for feed in feeds:
        Xml.SubElement(body, "outline", type="rss", text=feed.name, title=feed.name, xmlUrl=feed.url)
    Xml.indent(root)
    try:
        Xml.ElementTree(root).write(file, encoding="utf-8", xml_declaration=True)
    except OSError as exc:
        raise UsageError(f"{file} cannot be written: {exc.strerror}") from exc
