"""HTML to plain text, excerpts of texts, and the language of a text."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from html import unescape
from html.entities import html5

import regex
from selectolax.lexbor import LexborNode

from content.characters import harmless
from content.clean import UNREADABLE, markdown_to_html, parse, sanitise, storable
from content.embedded import absolute

__all__ = [
    "absolute",
    "excerpt",
    "language",
    "markdown_to_html",
    "plain_text",
    "sanitise",
    "storable",
]

_BLOCK_NAMES = (
    "address article aside blockquote body caption center dd details dialog div dl dt fieldset "
    "figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr legend li main menu nav ol p pre "
    "section summary table tbody tfoot thead tr ul"
)
BLOCKS = frozenset(_BLOCK_NAMES.split())
# Shown instead of what these elements hold, or around it.
_AROUND = {"rt": ("(", ")"), "q": ("“", "”"), "td": (" ", " "), "th": (" ", " ")}
_PLAYERS = ("audio", "video")  # what they hold is for browsers that cannot play it
_UNREAD = UNREADABLE.union(_PLAYERS)
BOXES = ("☐ ", "☑ ")  # of a task: open, done
_SPACES = regex.compile(r"\s+")
# Elements that are nothing to readers but a line break, or nothing at all.
_SIMPLE_BLOCKS = (
    "address article aside blockquote center dd details div dl dt figcaption figure footer h1 h2 h3 h4 h5 h6 "
    "header hgroup hr li main nav ol p section summary ul"
)
_SIMPLE_INLINE_NAMES = (
    "a abbr b br cite code del dfn em i img ins kbd mark s samp small span strike strong sub sup time u var"
)
_SIMPLE_INLINE = frozenset(_SIMPLE_INLINE_NAMES.split())
_VOID = ("br", "hr", "img")
_FREE = _SIMPLE_INLINE - {"a"}  # may be in any other element
_PARENTS = {"li": ("ul", "ol"), "dt": ("dl",), "dd": ("dl",)}
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_SIMPLE_TAGS = {
    **{slash + tag: "\n" for tag in _SIMPLE_BLOCKS.split() for slash in ("", "/")},
    **{slash + tag: "" for tag in _SIMPLE_INLINE for slash in ("", "/")},
    "br": "\n",
}
_ENDS = {tag: tag[1:] for tag in _SIMPLE_TAGS if tag[0] == "/"}
_SIMPLE_TAG = re.compile(r"""<(/?[a-z][a-z0-9]*)(?: [a-z][a-z-]*="[^"<>]*"){0,20}>""")
_MOST_SIMPLE_TAGS = 40_000
_DEEPEST_SIMPLE = 16  # nested elements; `parse` has higher limits than these
_REFERENCE = re.compile(r"&(?:#[0-9]{2,5}|[a-zA-Z]{2,10});")
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_CJK = r"\p{Han}\p{Hiragana}\p{Katakana}\u3000-\u303f\uff00-\uffef"
_WORD_BEFORE = regex.compile(rf"[^\s{_CJK}]*\Z", regex.REVERSE)
_GRAPHEME = regex.compile(r"\X")
_REST_OF_WORD = regex.compile(rf"[^\s{_CJK}]+")
_ONLY_CLOSING = regex.compile(r"[,.;:!?)\]}'\"”’…]+")
_LONG_WORD = 40  # characters; a longer word may be cut
_ASCII = re.compile(r"[\x00-\x7f]+")
_NO_LETTERS = bytes(n for n in range(128) if not chr(n).isalpha())
_HAN, _LATIN, _LETTERS = (regex.compile(rf"\p{{{name}}}+") for name in ("Han", "Latin", "L"))
_SAMPLE = 10_000  # characters that the language is guessed from


def plain_text(html: str) -> str:
    """The visible text of `html`: a line for each block, white space collapsed."""
    if "<" not in html and "&" not in html:
        return _lines(html)
    if (text := _simple_text(html)) is not None:
        return _lines(text)
    root = parse(html)
    return _lines(visible_text(root)) if root else ""


def _simple_text(html: str) -> str | None:
    """What `visible_text` returns for HTML in which each tag stands for a line break or for nothing.

    None for any other HTML. It is ten times as fast as a parser.
    """
    if html.count("<") > _MOST_SIMPLE_TAGS:
        return None
    references = _REFERENCE.findall(html) if "&" in html else ()
    if len(references) != html.count("&") or not all(map(_is_visible, references)):
        return None
    flat = html.replace("\n", " ").replace("\t", " ")
    if not flat.isprintable() and _CONTROLS.search(flat):
        return None
    pieces = _SIMPLE_TAG.split(flat)
    if not _is_simple(pieces[1::2]):
        return None
    pieces[1::2] = [_SIMPLE_TAGS[tag] for tag in pieces[1::2]]
    text = "".join(pieces)
    return None if "<" in text else unescape(text) if "&" in text else text


def _is_simple(tags: Sequence[str]) -> bool:
    """Whether a parser makes of these tags just the elements that they say, and adds and drops none."""
    opened = [""]
    for tag in tags:
        if (begun := _ENDS.get(tag)) is not None:
            if opened.pop() != begun:
                return False
        elif tag not in _FREE and not _fits(tag, opened):
            return False
        elif tag not in _VOID:
            opened.append(tag)
            if len(opened) > _DEEPEST_SIMPLE:
                return False
    return opened == [""]


def _fits(tag: str, opened: Sequence[str]) -> bool:
    """Whether an element may be in those that are open. A parser would close one of them elsewhere."""
    if tag in _PARENTS:
        return opened[-1] in _PARENTS[tag]
    if tag == "a":
        return "a" not in opened
    if tag in _HEADINGS and _HEADINGS.intersection(opened):
        return False
    return tag in _SIMPLE_TAGS and "p" not in opened


@lru_cache(maxsize=1024)
def _is_visible(reference: str) -> bool:
    """Whether a reference stands for visible characters, on which all readers of HTML agree."""
    name = reference[1:-1]
    if name[0] == "#":
        return 160 < int(name[1:]) < 0xD800 or 32 < int(name[1:]) < 127
    return name == "nbsp" or html5.get(f"{name};", " ").isprintable()


def _lines(text: str) -> str:
    return "\n".join(filter(None, map(_one_line, harmless(text).splitlines())))


def _one_line(line: str) -> str:
    # In a printable text the only white space is the space.
    return " ".join(line.split()) if line.isprintable() else _SPACES.sub(" ", line).strip()


def visible_text(root: LexborNode, *, spaces: bool = False) -> str:
    """The text that readers see of an element, with line feeds around blocks. `spaces`: as in `pre`."""
    return "".join(_pieces(root, spaces))


def _pieces(root: LexborNode, spaces: bool) -> Iterator[str]:
    """Texts and line breaks in document order. It does not recurse, as hostile HTML may be nested deeply."""
    node: LexborNode | None = root
    while node is not None:
        tag = node.tag or ""
        if tag == "-text":
            text = node.text_content or ""
            yield text if spaces or _in_pre(node) else _SPACES.sub(" ", text)
        else:
            yield _before(node, tag)
        child = None if tag in _UNREAD else node.first_child
        while child is None and node is not None:
            if node.mem_id == root.mem_id:
                return
            yield _after(node.tag or "")
            child = node.next
            if child is None:
                node = node.parent
        node = child


def _in_pre(node: LexborNode) -> bool:
    parent = node.parent
    return parent is not None and (parent.tag == "pre" or (parent.tag == "code" and _in_pre(parent)))


def _before(node: LexborNode, tag: str) -> str:
    if tag == "data":
        return node.attributes.get("value") or ""
    if tag == "input":
        return BOXES["checked" in node.attributes] if node.attributes.get("type") == "checkbox" else ""
    if tag in _PLAYERS and node.css_first("a[data-media]"):
        return f"\n{node.attributes.get('title') or ''}\n"
    return "\n" if tag in BLOCKS or tag == "br" else _AROUND.get(tag, ("", ""))[0]


def _after(tag: str) -> str:
    return "\n" if tag in BLOCKS else _AROUND.get(tag, ("", ""))[1]


def excerpt(text: str, limit: int) -> str:
    """`text` on one line, at most `limit` code points long, with `...` after a cut.

    Graphemes are never cut. Words and URLs (runs without white space and Chinese characters) are cut only if
    they are longer than 40 code points. Between two Chinese characters a cut may be anywhere.
    """
    flat = " ".join(text.split())
    if len(flat) <= limit:
        return flat
    cut = _boundary(flat, _before_word(flat, _boundary(flat, limit)))
    while flat[cut - 1 : cut] == " ":
        cut = _boundary(flat, cut - 1)
    return flat[:cut] + "..."


def _boundary(text: str, end: int) -> int:
    """The last place at or before `end` that is between two graphemes, so that no emoji is cut in two.

    It looks at the last characters only: messages are cut again and again until they fit.
    """
    start = end
    while start and not (_is_plain(text[start - 1]) and _is_plain(text[start])):
        start -= 1
    found = start
    for grapheme in _GRAPHEME.finditer(text, start):
        if grapheme.end() > end:
            break
        found = grapheme.end()
    return found


def _is_plain(character: str) -> bool:
    """Whether it is ASCII or Chinese: two such characters are always two graphemes."""
    return character < "\x80" or "\u4e00" <= character <= "\u9fff"


def _before_word(text: str, cut: int) -> int:
    """`cut`, or the start of the word that it would cut in two, unless the word is long."""
    rest = _REST_OF_WORD.match(text, cut)
    begun = _WORD_BEFORE.search(text, max(0, cut - _LONG_WORD), cut)
    if rest is None or begun is None or not 0 < len(begun[0]) < _LONG_WORD:
        return cut
    # Closing punctuation after the cut belongs to no word, except in a URL.
    if "://" not in begun[0] and _ONLY_CLOSING.fullmatch(rest[0]):
        return cut
    return int(begun.start())


def language(text: str) -> str:
    """`zh` or `en`, by the script of most letters, or empty. A Chinese character counts as three letters."""
    sample = text[:_SAMPLE]
    letters = len(sample.encode("ascii", "ignore").translate(None, _NO_LETTERS))
    if sample.isascii():
        return "en" if letters else ""
    rest = _ASCII.sub("", sample)
    han = 3 * _count(_HAN, rest)
    latin = letters + _count(_LATIN, rest)
    others = letters + _count(_LETTERS, rest) - han // 3 - latin
    if max(han, latin) <= others * 3:
        return ""
    return "zh" if han >= latin else "en"


def _count(characters: regex.Pattern[str], text: str) -> int:
    return sum(map(len, characters.findall(text)))
