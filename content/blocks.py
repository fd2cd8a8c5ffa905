"""Turn sanitised HTML into the blocks and inlines of a document."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import regex
from selectolax.lexbor import LexborNode

from content import document as doc
from content.clean import UNREADABLE, parse
from content.document import Block, Inline
from content.embedded import PLAYED, host, page_of, picture_url, tex_of
from content.footnotes import Links, links_in, number_of
from content.spacing import Item, around, in_inlines, into_blocks
from content.tables import read_table
from content.text import BLOCKS, BOXES, visible_text
from content.urls import is_web_url

_DEEPEST = 60  # below this depth only the text is kept, so that recursion ends
_MEDIA = {"audio": doc.MediaKind.AUDIO, "video": doc.MediaKind.VIDEO}
_CLOSE = 6  # elements from code to the `figure` around it, with a table between them
_SPACES = re.compile(r"\s+")
_LANGUAGE = re.compile(r"(?:language|lang)-(.+)")
_FORMULA_PICTURE = re.compile(r"/latex\.php\?|//latex\.codecogs\.com/|/math/render/|/equation\?tex=")
_EMOJI = regex.compile(
    r"[\p{Extended_Pictographic}\p{Regional_Indicator}\p{Emoji_Modifier}\ufe0f\u200d]+|:[\w+-]+:"
)
_DELIMITED = re.compile(r"\\\((?P<inline>.*)\\\)|(?:\\\[|\$\$)(?P<block>.*)(?:\\\]|\$\$)", re.DOTALL)
_REFERENCES = re.compile(r"[\s,;]*(?:\[\d+\][\s,;]*)+")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an element is: its depth, and the links within its post."""

    links: Links
    depth: int = 0

    def deeper(self, levels: int = 1) -> "_Place":
        return _Place(self.links, self.depth + levels)


def to_blocks(html: str, url: str = "") -> tuple[Block, ...]:
    """The blocks of `html`, which must be sanitised. `url` is that of its post: it tells the links within it.

    Footnotes come last.
    """
    body = parse(html)
    if body is None:
        return ()
    place = _Place(links_in(body, url))
    blocks = into_blocks(_children(body, place))
    notes = ((number, _blocks(node, place)) for number, node in enumerate(place.links.notes, 1))
    return *blocks, *(doc.Note(number, inside) for number, inside in notes if inside)


def _nodes(node: LexborNode) -> Iterator[LexborNode]:
    child = node.first_child
    while child is not None:
        yield child
        child = child.next


def _children(node: LexborNode, place: _Place) -> list[Item]:
    deeper = place.deeper()
    return [item for child in _nodes(node) for item in _items(child, deeper)]


def _blocks(node: LexborNode, place: _Place) -> tuple[Block, ...]:
    return into_blocks(_children(node, place))


def _items(node: LexborNode, place: _Place) -> Sequence[Item]:
    tag = node.tag or ""
    if tag == "-text":
        return [doc.Text(_SPACES.sub(" ", node.text_content or ""))]
    if tag in UNREADABLE or tag.startswith("-"):  # lexbor names comments and the like with a dash
        return ()
    if place.links.hidden and node.mem_id in place.links.hidden:
        return ()
    if place.depth > _DEEPEST:
        text = doc.Text(_SPACES.sub(" ", visible_text(node)))
        return into_blocks([text]) if tag in BLOCKS else [text]
    return _HANDLERS.get(tag, _blocks if tag in BLOCKS else _children)(node, place)


# ---------------------------------------------------------------- inlines


def _styled(style: type[doc.Styled]) -> "_Handler":
    return lambda node, place: around(_children(node, place), lambda inner: (style(inner),))


def _anchor(node: LexborNode, place: _Place) -> Sequence[Item]:
    if number := place.links.marks.get(node.mem_id):
        return [doc.NoteMark(number)]
    url, items = node.attributes.get("href") or "", _children(node, place)
    kind = _MEDIA.get(node.attributes.get("data-media") or "")
    if kind and is_web_url(url):
        name = node.text().removeprefix(PLAYED).strip()
        return [doc.Media(kind, url, "" if name == host(url) else name)]
    if name := place.links.jump(url):
        return around(items, lambda inner: (doc.Jump(name, inner),))
    if place.links.is_within(url):
        number_text = number_of(node.text())
        return [doc.Text(f"[{number_text}]")] if number_text else items
    page = page_of(url)
    if page != url and node.text() == PLAYED + host(url):  # a label that named the player's host
        items = [doc.Text(PLAYED + host(page))]
    return around(items, lambda inner: doc.link(page, *inner))


def _raised(node: LexborNode, place: _Place) -> Sequence[Item]:
    """A superscript; references to footnotes are not raised twice."""

    def wrap(inner: tuple[Inline, ...]) -> tuple[Inline, ...]:
        return inner if _REFERENCES.fullmatch(doc.inline_text(inner)) else (doc.Sup(inner),)

    return around(_children(node, place), wrap)


def _quoted(node: LexborNode, place: _Place) -> Sequence[Item]:
    return [doc.Text("“"), *_children(node, place), doc.Text("”")]


def _reading(node: LexborNode, place: _Place) -> Sequence[Item]:
    """How a word is read, which ruby writes above it."""
    items = _children(node, place)
    return [doc.Text("("), *items, doc.Text(")")] if items else ()


def _code_span(node: LexborNode, _place: _Place) -> Sequence[Item]:
    return [doc.CodeSpan(visible_text(node, spaces=True).strip("\n"))]


def _line_break(_node: LexborNode, _place: _Place) -> Sequence[Item]:
    return [doc.LineBreak()]


def _box(node: LexborNode, _place: _Place) -> Sequence[Item]:
    values = node.attributes
    return [doc.Text(BOXES["checked" in values])] if values.get("type") == "checkbox" else ()


def _formula(node: LexborNode, place: _Place) -> Sequence[Item]:
    value, kind = node.attributes.get("value") or "", node.attributes.get("class")
    if not value or kind not in ("tex", "block"):
        return [doc.Text(value)] if value else _children(node, place)
    return [doc.FormulaBlock(value) if kind == "block" else doc.Formula(value)]


def _span(node: LexborNode, place: _Place) -> Sequence[Item]:
    kind = node.attributes.get("class")
    if kind == "math":
        return _formula_in(node, place)
    if kind == "spoiler" or "data-spoiler" in node.attributes:
        return _styled(doc.Spoiler)(node, place)
    return _children(node, place)


def _formula_in(node: LexborNode, place: _Place) -> Sequence[Item]:
    """The formula in an element that holds nothing else: as TeX between delimiters, or beside other forms."""
    if formula := node.css_first("data[value]"):
        return _formula(formula, place)
    if found := _DELIMITED.fullmatch(node.text().strip()):
        is_block = node.tag == "div" or found["block"] is not None
        tex = (found["block"] or found["inline"] or "").strip()
        return [doc.FormulaBlock(tex) if is_block else doc.Formula(tex)] if tex else ()
    return _children(node, place)


def _image(node: LexborNode, _place: _Place, url: str = "") -> Sequence[Item]:
    alt = " ".join((node.attributes.get("alt") or "").split())
    if "width" in node.attributes or "height" in node.attributes:  # it only counts readers
        return ()
    url = picture_url(node) or url
    if alt and (_FORMULA_PICTURE.search(url) or "/emoji/" in url or _EMOJI.fullmatch(alt)):
        return [doc.Formula(tex_of(alt)) if _FORMULA_PICTURE.search(url) else doc.Text(alt)]
    return [doc.Image(url, alt)] if url else [doc.Text(alt)]


def _picture(node: LexborNode, place: _Place) -> Sequence[Item]:
    """A picture with several files, of which the `img` names one that everybody can show."""
    image = node.css_first("img")
    if image is None:
        return _children(node, place)
    return _image(image, place, next(filter(None, map(picture_url, node.css("source"))), ""))


# ---------------------------------------------------------------- blocks


def _strong_lines(node: LexborNode, place: _Place) -> Sequence[Item]:
    return into_blocks(_styled(doc.Strong)(node, place))


def _emphasised_lines(node: LexborNode, place: _Place) -> Sequence[Item]:
    return into_blocks(_styled(doc.Emphasis)(node, place))


def _heading(node: LexborNode, place: _Place) -> Sequence[Item]:
    """A heading, without the sign that is a link to the heading itself."""
    level, name = int((node.tag or "h1")[1]), place.links.names.get(node.mem_id, "")
    deeper = place.deeper()
    items = [item for child in _nodes(node) if not _is_sign(child) for item in _items(child, deeper)]
    blocks = into_blocks(items)
    return [doc.Heading(b.children, level, name) if isinstance(b, doc.Paragraph) else b for b in blocks]


def _is_sign(node: LexborNode) -> bool:
    label = node.text().strip() if node.tag == "a" else ""
    return 0 < len(label) <= 2 and not any(map(str.isalnum, label)) and node.css_first("img") is None


def _code(node: LexborNode, _place: _Place) -> Sequence[Item]:
    text = visible_text(node, spaces=True).strip("\n")
    return [doc.CodeBlock(text, _language(node))] if text.strip() else ()


def _language(node: LexborNode) -> str:
    """The language that a class names: of the code, or of a `div` or `figure` close around it."""
    named = [node.css_first("code"), node]
    outer = node.parent
    for distance in range(_CLOSE):
        if outer is not None:
            named += [outer] if outer.tag == "figure" or distance < 2 else []
            outer = outer.parent
    classes = (name for one in named if one for name in (one.attributes.get("class") or "").split())
    return next((found[1] for found in map(_LANGUAGE.fullmatch, classes) if found), "")


def _table(node: LexborNode, place: _Place) -> Sequence[Item]:
    return read_table(node, lambda inside: _blocks(inside, place.deeper(2)))


def _quote(node: LexborNode, place: _Place) -> Sequence[Item]:
    blocks = _blocks(node, place)
    return [doc.Quote(blocks)] if blocks else ()


def _list(node: LexborNode, place: _Place) -> Sequence[Item]:
    items: list[list[Block]] = []
    deeper = place.deeper()
    for child in _nodes(node):
        if blocks := into_blocks(_items(child, deeper)):
            if child.tag == "li" or not items:
                items.append([])
            items[-1] += blocks  # a list directly inside a list belongs to the item before it
    return [doc.ListBlock(tuple(map(tuple, items)), _start(node))] if items else ()


def _start(node: LexborNode) -> int | None:
    if node.tag != "ol":
        return None
    start = node.attributes.get("start") or ""
    return int(start) if start.isascii() and start.isdecimal() and len(start) < 10 else 1


def _divider(_node: LexborNode, _place: _Place) -> Sequence[Item]:
    return [doc.Divider()]


def _details(node: LexborNode, place: _Place) -> Sequence[Item]:
    heads = [child for child in _nodes(node) if child.tag == "summary"][:1]
    summary = in_inlines(_blocks(heads[0], place)) if heads else ()
    deeper = place.deeper()
    known = {head.mem_id for head in heads}
    blocks = into_blocks(i for n in _nodes(node) if n.mem_id not in known for i in _items(n, deeper))
    if not blocks:
        return [doc.Paragraph((doc.Strong(summary),))] if summary else ()
    return [doc.Details(summary, blocks)]


def _figure(node: LexborNode, place: _Place) -> Sequence[Item]:
    """Blocks with the caption that a `figcaption` in them gives to the only picture, player or table."""
    deeper = place.deeper()
    items: list[Item] = []
    captions: list[Block] = []
    for child in _nodes(node):
        if child.tag == "figcaption" or child.attributes.get("class") == "caption":
            captions += _blocks(child, deeper)
        else:
            items += _items(child, deeper)
    blocks, caption = into_blocks(items), in_inlines(captions)
    shown = [block for block in blocks if isinstance(block, doc.Image | doc.Media | doc.Table)]
    if not caption:
        return blocks
    if len(shown) != 1 or shown[0].caption:
        return *blocks, doc.Paragraph((doc.Emphasis(caption),))
    return [replace(shown[0], caption=caption) if block is shown[0] else block for block in blocks]


def _division(node: LexborNode, place: _Place) -> Sequence[Item]:
    kind = node.attributes.get("class")
    if kind == "math":
        return into_blocks(_formula_in(node, place))
    if kind == "figure":
        return _figure(node, place)
    if kind == "spoiler" or "data-spoiler" in node.attributes:
        return into_blocks(_styled(doc.Spoiler)(node, place))
    return _blocks(node, place)


def _player(node: LexborNode, place: _Place) -> Sequence[Item]:
    """The sound or film itself. Browsers show what else the element holds only if they cannot play it."""
    title = " ".join((node.attributes.get("title") or "").split())
    found = [item for anchor in node.css("a[data-media]") for item in _anchor(anchor, place)]
    return [replace(one, title=one.title or title) if isinstance(one, doc.Media) else one for one in found]


_Handler = Callable[[LexborNode, _Place], Sequence[Item]]
_HANDLERS: dict[str, _Handler] = {
    **dict.fromkeys(("b", "strong"), _styled(doc.Strong)),
    **dict.fromkeys(("i", "em", "cite", "var", "dfn"), _styled(doc.Emphasis)),
    **dict.fromkeys(("s", "strike", "del"), _styled(doc.Strike)),
    **dict.fromkeys(("u", "ins"), _styled(doc.Underline)),
    **dict.fromkeys(("spoiler", "tg-spoiler"), _styled(doc.Spoiler)),
    **dict.fromkeys(("code", "kbd", "samp", "tt"), _code_span),
    "mark": _styled(doc.Marked),
    "sub": _styled(doc.Sub),
    "sup": _raised,
    "q": _quoted,
    "rt": _reading,
    "a": _anchor,
    "br": _line_break,
    "input": _box,
    "data": _formula,
    "span": _span,
    "img": _image,
    "picture": _picture,
    **{f"h{level}": _heading for level in range(1, 7)},
    **dict.fromkeys(("dt", "summary", "caption", "legend"), _strong_lines),
    "figcaption": _emphasised_lines,
    "pre": _code,
    "table": _table,
    "blockquote": _quote,
    **dict.fromkeys(("ul", "ol", "menu"), _list),
    "hr": _divider,
    "details": _details,
    "figure": _figure,
    **dict.fromkeys(("div", "p"), _division),
    **dict.fromkeys(("audio", "video"), _player),
}
