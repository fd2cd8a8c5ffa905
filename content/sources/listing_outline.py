"""The elements of a web page as a flat list, with what tells lists of posts from menus. Pure functions."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from selectolax.lexbor import LexborNode

from content.clean import UNREADABLE
from content.sources.listing_items import address_of

MAX_ELEMENTS = 20_000
DEEPEST = 64  # elements below this depth are left out
HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_AWAY_TAGS = frozenset(("nav", "footer", "aside", "form", "select", "dialog", "menu", *UNREADABLE))
_AWAY_ROLES = frozenset(
    ("navigation", "contentinfo", "search", "complementary", "menu", "menubar", "tablist", "dialog")
)
_AWAY_WORDS = (
    r"nav|navbar|navigation|menus?|breadcrumbs?|crumbs?|pagination|paginator|pager|paging|pagenavi|"
    r"page-numbers|footer|foot|sidebar|side|aside|related|recommend\w*|popular|trending|tag-?cloud|tags|share|"
    r"social|comments|login|cookies?|blogroll|friend-?links?|youlian|daohang|fenye|tuijian|remen|toc"
)
_AWAY_NAME = re.compile(
    rf"(?!(?:tag|category)-)(?:[\w-]*[-_])?(?:{_AWAY_WORDS})(?:[-_]?(?:list|wrap\w*|box|container|area|section|"
    r"block|menu|links?|items?|posts|content|inner|bar|module|widget|\d{1,4}))?",
    re.IGNORECASE,
)
_POST_TAGS = frozenset(("article", "li", "tr", "dt", "dd", "a"))  # named by the tags of a post, too
_AWAY_RELATIONS = frozenset(("tag", "author", "next", "prev", "category", "search"))
_PAGE_LINK = re.compile(
    r"(?:[\d«»‹›<>….|/\s←→-]|first|last|next|prev(?:ious)?|older|newer|posts?|page|[首尾末上下一前后]+页|[上下]一[篇頁])*",
    re.IGNORECASE,
)
# Names that belong to one element, to its place or to one version of a style sheet tell nothing of a list.
_NAME = re.compile(r"[^\W\d]+(?:-+[^\W\d]+)*")
_LONGEST_NAME = 40
_TAG = re.compile(r"[a-z][a-z0-9-]*")
_OF_A_STATE = frozenset(
    ("odd", "even", "first", "last", "active", "current", "selected", "featured", "sticky", "new", "hot")
)


@dataclass(slots=True)
class Element:
    """One element: `step` is its tag with its most frequent class, `path` stands for all steps down to it.

    `end` is the index behind its last descendant. `size` are the bytes of its text, in which a Chinese
    character counts three, and `links` the links to other pages in it. `away`: in a menu, a footer and the
    like; `doubtful`: named like one.
    """

    node: LexborNode
    parent: int
    tag: str
    names: tuple[str, ...]
    anchor: str
    depth: int
    away: bool
    doubtful: bool
    step: str = ""
    path: int = 0
    end: int = 0
    size: int = 0
    links: int = 0
    target: str = ""


@dataclass(slots=True)
class Outline:
    """The elements of a page in document order. `above[path]` is the path without its last step."""

    elements: list[Element] = field(default_factory=list)
    above: list[int] = field(default_factory=lambda: [0])

    def chain(self, index: int) -> list[int]:
        """The indices of an element and all around it, from the body down."""
        found = []
        while index >= 0:
            found.append(index)
            index = self.elements[index].parent
        return found[::-1]

    def new_path(self, above: int) -> int:
        """A path one step below `above`."""
        self.above.append(above)
        return len(self.above) - 1

    def is_within(self, path: int, outer: int) -> bool:
        """Whether elements of `path` are elements of the path `outer` or within them."""
        while path > outer:
            path = self.above[path]
        return path == outer


def outline(page: LexborNode, url: str) -> Outline:
    """The outline of the body of a page at `url`: of a very large one, its beginning."""
    found = Outline()
    _collect(page, found)
    _name_steps(found)
    _sum_up(found)
    _exclude(found)
    _count_links(found, url)
    return found


def _collect(body: LexborNode, found: Outline) -> None:
    places: dict[int, int] = {}
    for node in body.traverse(include_text=True):
        above = node.parent
        parent = places.get(above.mem_id, -1) if above is not None else -1
        if node.is_text_node:
            if parent >= 0:
                found.elements[parent].size += len(
                    (node.text_content or "").strip().encode("utf-8", "ignore")
                )
            continue
        if not node.is_element_node or (parent < 0 and found.elements):
            continue
        if len(found.elements) >= MAX_ELEMENTS:
            return
        depth = found.elements[parent].depth + 1 if parent >= 0 else 0
        if depth > DEEPEST or (parent >= 0 and found.elements[parent].tag in UNREADABLE):
            continue
        places[node.mem_id] = len(found.elements)
        found.elements.append(_element(node, parent, depth))


def _element(node: LexborNode, parent: int, depth: int) -> Element:
    attributes, tag = node.attributes, node.tag or ""
    classes, anchor = (attributes.get("class") or "").split()[:20], attributes.get("id") or ""
    role = (attributes.get("role") or "").lower()
    named = tag not in _POST_TAGS and any(map(_is_away_name, (*classes, anchor)))
    return Element(
        node,
        parent,
        tag,
        tuple(filter(_is_telling, classes)),
        anchor if _is_telling(anchor) else "",
        depth,
        away=tag in _AWAY_TAGS or role in _AWAY_ROLES,
        doubtful=named,
    )


def _is_away_name(name: str) -> bool:
    return len(name) <= _LONGEST_NAME and bool(_AWAY_NAME.fullmatch(name))


def _is_telling(name: str) -> bool:
    return len(name) <= _LONGEST_NAME and bool(_NAME.fullmatch(name)) and name.lower() not in _OF_A_STATE


def _name_steps(found: Outline) -> None:
    """Give each element its step and its path. Of its classes, the one counts that most elements have."""
    frequent = Counter((one.tag, name) for one in found.elements for name in one.names)
    paths: dict[tuple[int, str], int] = {}
    for one in found.elements:
        name = max(one.names, key=lambda name: frequent[one.tag, name], default="")
        tag = one.tag if _TAG.fullmatch(one.tag) else "*"
        one.step = f"{tag}.{name}" if name else tag
        above = found.elements[one.parent].path if one.parent >= 0 else 0
        if (above, one.step) not in paths:
            paths[above, one.step] = found.new_path(above)
        one.path = paths[above, one.step]


def _sum_up(found: Outline) -> None:
    """Where each element ends, and how much text it has."""
    for index in range(len(found.elements) - 1, -1, -1):
        one = found.elements[index]
        one.end = max(one.end, index + 1)
        if one.parent >= 0:
            above = found.elements[one.parent]
            above.end = max(above.end, one.end)
            above.size += one.size


def _exclude(found: Outline) -> None:
    """Mark menus, footers and the like, with all that is in them.

    What holds half of the page's text is none of these, whatever its class.
    """
    total = found.elements[0].size
    for one in found.elements:
        is_named = one.doubtful and 2 * one.size < total
        is_banner = one.tag == "header" and one.node.css_first("nav, ul") is not None
        is_inside = one.parent >= 0 and found.elements[one.parent].away
        one.away = one.away or is_named or is_banner or is_inside


def _count_links(found: Outline, url: str) -> None:
    """Which links each element has, without those that turn pages or are in menus."""
    links = [one for one in found.elements if one.tag == "a" and not one.away]
    for one in links:
        relations = (one.node.attributes.get("rel") or "").lower().split()
        one.target = "" if _AWAY_RELATIONS.intersection(relations) else address_of(one.node, url)
        one.links = int(bool(one.target) and not _turns_pages(one.node))
    for index in range(len(found.elements) - 1, 0, -1):
        one = found.elements[index]
        found.elements[one.parent].links += one.links


def _turns_pages(link: LexborNode) -> bool:
    """Whether the text of a link is a number, an arrow or "next"; a link around a picture has no text."""
    text = link.text(deep=True).strip()
    return bool(text) and bool(_PAGE_LINK.fullmatch(text[:30]))


def by_path(found: Outline) -> dict[int, Sequence[int]]:
    """The elements with links, by their path."""
    groups: dict[int, list[int]] = defaultdict(list)
    for index, one in enumerate(found.elements):
        if one.links and one.tag not in ("html", "body") and not one.away:
            groups[one.path].append(index)
    return dict(groups)
