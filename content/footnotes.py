"""Finds what leads within a post: footnotes and their references, and links to headings.

Every generator writes footnotes differently, but in all of them the reference leads to the note and the note
leads back. So that is what tells them from other links.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote, urldefrag

from selectolax.lexbor import LexborNode

# What a reference shows: a number, a letter, a sign. A word is a link to a part of the text.
_LABEL = re.compile(r"\W*(?:(?:note|fn|注|註)?\W*\d{1,4}|[a-z]|[ivx]{1,5})?\W*", re.IGNORECASE)
_LONGEST = 12  # characters of a reference
_DEEPEST = 50  # elements around a link
_VERBATIM = frozenset(("pre", "code", "kbd", "samp", "audio", "video"))
_CLIMB = 8  # most elements between a link back and its note
_MOST = 500  # footnotes
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_INLINE_NAMES = "a abbr b cite code em i small span strong sub sup u"
_INLINE = frozenset(_INLINE_NAMES.split())
_PREFIX = "user-content-"  # GitHub puts it before ids, and not before the links to them
_NUMBER = re.compile(r"\W*(\d{1,4})\W*")


@dataclass(slots=True)
class Links:
    """The links within a post. Elements are told by their `mem_id`."""

    own: str = ""  # the post's URL
    notes: list[LexborNode] = field(default_factory=list)  # in the order of their numbers
    hidden: set[int] = field(default_factory=set)  # the notes and their links back
    marks: dict[int, int] = field(default_factory=dict)  # a reference, and the number of its note
    names: dict[int, str] = field(default_factory=dict)  # a heading that something leads to, and its name
    _headings: dict[str, str] = field(default_factory=dict)  # an id, and the name of the heading that has it

    def jump(self, url: str) -> str:
        """The name of the heading that `url` leads to, or an empty text."""
        return self._headings.get(_fragment(url), "") if self.is_within(url) else ""

    def is_within(self, url: str) -> bool:
        """Whether `url` leads to a place in the post itself."""
        base, fragment = urldefrag(url)
        return bool(fragment) and base in ("", self.own)


def links_in(body: LexborNode, url: str) -> Links:
    """The links within `body`, which is the HTML of the post at `url`."""
    links = Links(urldefrag(url)[0])
    anchors = [node for node in body.css("a[href*='#']") if _is_read(node)]
    if anchors:
        places = _places(body)
        _find_notes(links, anchors, places)
        _find_headings(links, anchors, places)
    return links


def _is_read(node: LexborNode) -> bool:
    """Whether an element is read as more than text."""
    ancestors = _ancestors(node, _DEEPEST + 1)
    return len(ancestors) <= _DEEPEST and not any(one.tag in _VERBATIM for one in ancestors)


def _places(body: LexborNode) -> dict[str, LexborNode]:
    places: dict[str, LexborNode] = {}
    for node in body.css("[id], a[name]"):
        for name in _names(node):
            places.setdefault(name, node)
    return places


def _names(node: LexborNode) -> Iterator[str]:
    for attribute in ("id", "name"):
        if name := node.attributes.get(attribute):
            yield name.removeprefix(_PREFIX)


def _fragment(url: str) -> str:
    return unquote(urldefrag(url)[1]).removeprefix(_PREFIX)


def _target(anchor: LexborNode) -> str:
    return _fragment(anchor.attributes.get("href") or "")


def _find_notes(links: Links, anchors: list[LexborNode], places: dict[str, LexborNode]) -> None:
    references: dict[str, LexborNode] = {}  # by the ids that notes lead back to
    notes: dict[str, LexborNode] = {}  # by the ids that references lead to
    for anchor in anchors:
        back = references.get(_target(anchor))
        if back is not None and (note := _note(anchor, back, places)):
            notes.setdefault(_target(back), note)
            links.hidden.add(anchor.mem_id)
        elif _target(anchor) in places and _is_reference(anchor):
            references |= {name: anchor for name in _names_around(anchor)}
    numbers: dict[int, int] = {}
    for anchor in anchors:
        note = notes.get(_target(anchor)) if anchor.mem_id not in links.hidden else None
        if note is None or not _is_reference(anchor):
            continue
        if note.mem_id not in numbers and len(numbers) < _MOST:
            numbers[note.mem_id] = len(numbers) + 1
            links.notes.append(note)
        if number := numbers.get(note.mem_id):
            links.marks[anchor.mem_id] = number
    links.hidden.update(numbers)


def _is_reference(anchor: LexborNode) -> bool:
    label = anchor.text().strip()
    return 0 < len(label) <= _LONGEST and _LABEL.fullmatch(label) is not None


def _names_around(anchor: LexborNode) -> Iterator[str]:
    """The ids of a reference, or of the small element that holds nothing else."""
    yield from _names(anchor)
    if anchor.parent is not None and anchor.parent.tag in ("sup", "span"):
        yield from _names(anchor.parent)


def _note(anchor: LexborNode, reference: LexborNode, places: dict[str, LexborNode]) -> LexborNode | None:
    """The note that a link back is in, if `reference` leads to it."""
    target = places.get(_target(reference))
    ancestors = _ancestors(anchor, _CLIMB)
    if target is None or target.mem_id not in (node.mem_id for node in ancestors):
        return None
    first = next(number for number, node in enumerate(ancestors) if node.mem_id == target.mem_id)
    note = next((node for node in ancestors[first:] if node.tag not in _INLINE), None)
    if note is None or note.tag == "body":
        return None
    is_inside = any(node.mem_id == note.mem_id for node in _ancestors(reference, _DEEPEST))
    return None if is_inside else note


def _ancestors(node: LexborNode, most: int) -> list[LexborNode]:
    """The element itself and those around it, innermost first."""
    found: list[LexborNode] = []
    current: LexborNode | None = node
    while current is not None and len(found) < most:
        found.append(current)
        current = current.parent
    return found


def _find_headings(links: Links, anchors: list[LexborNode], places: dict[str, LexborNode]) -> None:
    for anchor in anchors:
        name = _target(anchor)
        if name in links._headings or not links.is_within(anchor.attributes.get("href") or ""):
            continue
        place = places.get(name)
        heading = _heading(place) if place is not None else None
        if heading is not None and not _is_in(anchor, heading):
            links._headings[name] = links.names.setdefault(heading.mem_id, name)


def _heading(place: LexborNode) -> LexborNode | None:
    """The heading that has a place, or that follows an empty place."""
    around = next((node for node in _ancestors(place, 4) if node.tag in _HEADINGS), None)
    if around is not None or place.text().strip():
        return around
    following = place.next
    while following is not None and following.tag == "-text" and not (following.text_content or "").strip():
        following = following.next
    return following if following is not None and following.tag in _HEADINGS else None


def _is_in(node: LexborNode, other: LexborNode) -> bool:
    return any(one.mem_id == other.mem_id for one in _ancestors(node, _DEEPEST))


def number_of(label: str) -> str:
    """The digits of a label that is nothing but a number, as in `[1]`."""
    found = _NUMBER.fullmatch(label)
    return found[1] if found else ""
