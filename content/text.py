"""HTML to plain text, excerpts of texts, and the language of a text."""

import re
from collections.abc import Iterator

import regex
from selectolax.lexbor import LexborNode

from content.characters import harmless
from content.clean import UNREADABLE, parse, sanitise, storable
from content.embedded import absolute
from content.simple import simple_text

__all__ = [
    "absolute",
    "excerpt",
    "language",
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
    if (text := simple_text(html)) is not None:
        return _lines(text)
    root = parse(html)
    return _lines(visible_text(root)) if root else ""


def _lines(text: str) -> str:
    seen = harmless(text)
    if seen.replace("\n", "").isprintable():  # then the only other white space is the space
        return "\n".join(filter(None, map(_spaced, seen.split("\n"))))
    return "\n".join(filter(None, map(_one_line, seen.splitlines())))


def _one_line(line: str) -> str:
    return _spaced(line) if line.isprintable() else _SPACES.sub(" ", line).strip()


def _spaced(line: str) -> str:
    """A printable line, in which the only white space is the space, with single ones."""
    return " ".join(line.split()) if "  " in line else line.strip()


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
    if start == end:
        return end
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
    # At most so many letters are others. For most Chinese texts that is enough to know.
    more = len(rest) - han // 3
    if han > 3 * more and han >= letters + more:
        return "zh"
    latin = letters + _count(_LATIN, rest)
    others = letters + _count(_LETTERS, rest) - han // 3 - latin
    if max(han, latin) <= others * 3:
        return ""
    return "zh" if han >= latin else "en"


def _count(characters: regex.Pattern[str], text: str) -> int:
    return sum(map(len, characters.findall(text)))
