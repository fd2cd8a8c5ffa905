"""HTML so simple that no parser is needed: its tags nest as they should, so a parser would add and drop none.

Most posts of feeds are like this. What is found here is found ten times as fast as with a parser.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from html import unescape
from html.entities import html5

# Elements that are nothing to readers but a line break, or nothing at all.
_BLOCK_NAMES = (
    "address article aside blockquote center dd details div dl dt figcaption figure footer h1 h2 h3 h4 h5 h6 "
    "header hgroup hr li main nav ol p section summary ul"
)
_INLINE_NAMES = (
    "a abbr b br cite code del dfn em i img ins kbd mark s samp small span strike strong sub sup time u var"
)
_INLINE = frozenset(_INLINE_NAMES.split())
_VOID = ("br", "hr", "img")
_FREE = _INLINE - {"a"}  # may be in any other element
_PARENTS = {"li": ("ul", "ol"), "dt": ("dl",), "dd": ("dl",)}
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_TEXTS = {
    **{slash + tag: "\n" for tag in _BLOCK_NAMES.split() for slash in ("", "/")},
    **{slash + tag: "" for tag in _INLINE for slash in ("", "/")},
    "br": "\n",
}
_ENDS = {tag: tag[1:] for tag in _TEXTS if tag[0] == "/"}
_TAG = re.compile(r"""<(/?[a-z][a-z0-9]*)((?: [a-z][a-z-]*="[^"<>]*"){0,20})>""")
_MOST_TAGS = 40_000
_DEEPEST = 16  # nested elements; `clean.parse` has higher limits than these
_REFERENCE = re.compile(r"&(?:#[0-9]{2,5}|[a-zA-Z]{2,10});")
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# References that a serialiser writes, and attributes that it writes as they are.
_WRITTEN = frozenset(("&amp;", "&lt;", "&gt;", "&nbsp;"))
_PLAIN = r"(?:[^\"<>&]++|&amp;)*+"
_URL = rf"https?://(?:[a-z0-9]++(?:-[a-z0-9]++)*+\.)+[a-z]{{2,}}(?::[0-9]{{1,4}})?(?:[/?#]{_PLAIN})?"
_HREF = re.compile(rf' href="{_URL}"')
_SRC_AND_ALT = re.compile(rf' src="{_URL}"(?: alt="{_PLAIN}")?| alt="{_PLAIN}" src="{_URL}"')


@lru_cache(maxsize=4)  # each post is asked about twice
def _pieces(html: str) -> Sequence[str] | None:
    """A text, the name of a tag, its attributes, the next text and so on; None if `html` is not simple."""
    if html.count("<") > _MOST_TAGS:
        return None
    references = _REFERENCE.findall(html) if "&" in html else ()
    if len(references) != html.count("&") or not all(map(_is_visible, references)):
        return None
    flat = html.replace("\n", " ").replace("\t", " ")
    if not flat.isprintable() and _CONTROLS.search(flat):
        return None
    pieces = _TAG.split(flat)
    is_simple = 3 * html.count("<") + 1 == len(pieces) and _is_nested(pieces[1::3])
    return pieces if is_simple else None


def simple_text(html: str) -> str | None:
    """What `text.visible_text` returns for simple HTML; None for any other."""
    pieces = _pieces(html)
    if pieces is None:
        return None
    texts = [""] * (2 * len(pieces) // 3 + 1)
    texts[::2] = pieces[::3]
    texts[1::2] = [_TEXTS[tag] for tag in pieces[1::3]]
    text = "".join(texts)
    return unescape(text) if "&" in text else text


@lru_cache(maxsize=4)
def is_canonical(html: str, tags: frozenset[str]) -> bool:
    """Whether simple HTML stays as it is in a sanitiser that keeps these tags, `href`, `src` and `alt`.

    False for what is not sure.
    """
    # First what takes least time: most HTML that is not canonical has classes.
    if ' class="' in html or html.count("<") != html.count(">"):
        return False
    if "\xa0" in html or html.startswith("\ufeff"):  # a byte order mark, which parsers drop
        return False
    pieces = _pieces(html)
    if pieces is None:
        return False
    if "&" in html and not _WRITTEN.issuperset(_REFERENCE.findall(html)):
        return False
    names, attributes = pieces[1::3], pieces[2::3]
    return tags.issuperset(name for name in names if name[0] != "/") and all(
        _is_kept(name, given) for name, given in zip(names, attributes, strict=True) if given
    )


def _is_kept(tag: str, attributes: str) -> bool:
    pattern = {"a": _HREF, "img": _SRC_AND_ALT}.get(tag)
    return pattern is not None and pattern.fullmatch(attributes) is not None


def _is_nested(tags: Sequence[str]) -> bool:
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
            if len(opened) > _DEEPEST:
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
    return tag in _TEXTS and "p" not in opened


@lru_cache(maxsize=1024)
def _is_visible(reference: str) -> bool:
    """Whether a reference stands for visible characters, on which all readers of HTML agree."""
    name = reference[1:-1]
    if name[0] == "#":
        return 160 < int(name[1:]) < 0xD800 or 32 < int(name[1:]) < 127
    return name == "nbsp" or html5.get(f"{name};", " ").isprintable()
