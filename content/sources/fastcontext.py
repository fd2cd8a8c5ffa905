"""What `fastfeed` is reading, a feed or an entry, and what all elements have: attributes and texts."""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from content.sources.feednames import RDF, XML, Unclear, is_passed_over, name_of

Fields = dict[str, object]
Attributes = dict[str, str]

_UNDEFINED = (0x81, 0x8D, 0x8F, 0x90, 0x9D)
_CP1252 = {n: bytes([n]).decode("cp1252") for n in range(0x80, 0xA0) if n not in _UNDEFINED}
_C1 = re.compile("[\x80-\x9f]")
_SLASHES = re.compile(r"^([A-Za-z][A-Za-z0-9+-.]*://)/+")
_KEPT_ATTRIBUTES = {f"{{{RDF}}}about": "rdf:about", f"{{{RDF}}}resource": "rdf:resource"}
_NEUTRAL = (f"{{{XML}}}lang", f"{{{XML}}}space")


@dataclass(slots=True)
class Context:
    """A feed or an entry that is being read. `strange` are namespaces that feedparser does not know.

    Depths are numbers of enclosing elements; `title` is that of the title that counts, -1 before there is
    one.
    """

    is_entry: bool
    is_atom: bool
    strange: Mapping[str, set[str]]
    title: int = -1
    has_content: bool = False
    fields: Fields = field(default_factory=dict)
    links: list[Attributes] = field(default_factory=list)
    tags: list[Fields] = field(default_factory=list)
    authors: list[Attributes] = field(default_factory=list)
    depths: dict[str, int] = field(default_factory=dict)

    def store(self, name: str, value: str, depth: int) -> None:
        """Of two values of an entry the one further out counts, else the later one."""
        if not self.is_entry or depth <= self.depths.get(name, depth):
            self.depths[name] = depth
            self.fields[name] = value

    def read(self, element: Element, depth: int, handlers: Mapping[str, "Handler"]) -> None:
        """Read an element at `depth`. Raises Unclear."""
        name, namespace = name_of(element.tag)
        handler = None if namespace else handlers.get(name)
        if handler is None:
            pass_over(self, element)
        else:
            handler(self, element, depth)

    def read_all(self, element: Element, depth: int, handlers: Mapping[str, "Handler"]) -> None:
        """Read the children of an element at `depth`. Raises Unclear."""
        for child in element:
            self.read(child, depth + 1, handlers)


Handler = Callable[[Context, Element, int], None]


def attributes(element: Element) -> Attributes:
    """The attributes of an element by their names in lower case. Raises Unclear."""
    found: Attributes = {}
    if not element.attrib:
        return found
    for name, value in element.attrib.items():
        if name in _NEUTRAL:
            continue
        key = _KEPT_ATTRIBUTES.get(name) or name.lower()
        if key in found or key == "base" or "{" in key or not key.isascii():
            raise Unclear
        found[key] = value.lower() if key in ("rel", "type") else value
    return found


def pass_over(context: Context, element: Element) -> None:
    """An element that changes nothing, nor do those in it."""
    for inner in element.iter():
        if not is_passed_over(inner.tag, context.strange):
            raise Unclear
        check_base(inner)


def check_base(element: Element) -> None:
    # A base URL would count for all that follows.
    if element.attrib and any(name.lower().endswith("base") for name in element.attrib):
        raise Unclear


def ignore(_context: Context, element: Element, _depth: int) -> None:
    """An element that changes nothing that is read here, as long as nothing is in it."""
    text_of(element)
    check_base(element)


def text_of(element: Element) -> str:
    """The text of an element that has no others in it."""
    if len(element):
        raise Unclear
    return (element.text or "").strip()


def repaired(text: str) -> str:
    """`text` with UTF-8 that was taken for ISO 8859-1, and the characters of Windows-1252, set right."""
    if text.isascii():
        return text
    with suppress(UnicodeError):
        text = text.encode("latin-1").decode("utf-8")
    return text.translate(_CP1252) if _C1.search(text) else text


def value_of(element: Element) -> str:
    return repaired(text_of(element))


def repaired_uri(text: str) -> str:
    return _SLASHES.sub(r"\1", text) if ":///" in text else text
