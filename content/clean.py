"""Make untrusted HTML harmless, for readers and for parsers."""

import re
import threading
from collections.abc import Sequence
from html import escape

import nh3
from selectolax.lexbor import LexborHTMLParser, LexborNode

from content.embedded import absolute, best_of, with_embedded
from content.simple import is_canonical

# What every version has kept. Content hashes are made of it, so that no post looks changed after an update.
_BASIC_TAG_NAMES = (
    "a abbr b blockquote br caption cite code dd del details dfn div dl dt em figcaption figure h1 h2 "
    "h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s samp small span strike strong sub summary sup "
    "table tbody td tfoot th thead time tr u ul var"
)
_MORE_TAG_NAMES = (
    "address article aside audio center data dialog fieldset footer header hgroup input legend main menu "
    "nav picture rb rp rt rtc ruby section source spoiler tg-spoiler video"
)
_BASIC_TAGS = frozenset(_BASIC_TAG_NAMES.split())
_TAGS = _BASIC_TAGS.union(_MORE_TAG_NAMES.split())
_UNREADABLE_NAMES = (
    "script style noscript template head title svg object iframe textarea select button rp annotation"
)
UNREADABLE = frozenset(_UNREADABLE_NAMES.split())
_BASIC_ATTRIBUTES: dict[str, set[str]] = {
    "*": set(),
    "a": {"href"},
    "img": {"src", "alt"},
    "code": {"class"},
    "ol": {"start"},
}
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_LATER_NAMES = ("data-src", "data-original", "data-lazy-src")  # for pictures that scripts load
_SETS = ("srcset", "data-srcset")
_ATTRIBUTES: dict[str, set[str]] = {
    "*": set(),
    "a": {"href", "id", "name", "data-media"},
    "img": {"src", "alt", "width", "height", *_LATER_NAMES, *_SETS},
    "source": {*_SETS},
    "audio": {"title"},
    "video": {"title"},
    "ol": {"start"},
    "input": {"type", "checked"},
    "data": {"value", "class"},
    **{tag: {"colspan", "rowspan", "id"} for tag in ("td", "th")},
    **{tag: {"class", "id", "data-spoiler"} for tag in ("div", "p", "span")},
    **{tag: {"class"} for tag in ("code", "pre", "figure")},
    **{tag: {"id"} for tag in ("sup", "li", "section", "aside", "dt", "dd", *_HEADINGS)},
}
_KEPT_AS_THEY_ARE = ("href", "src", "alt")
# What classes tell; all others are removed.
_CLASSES = {
    **dict.fromkeys(("spoiler", "spoiled", "md-spoiler-text", "spoiler-text", "tg-spoiler"), "spoiler"),
    **dict.fromkeys(("katex", "mwe-math-element", "MathJax"), "math"),
    "wp-caption": "figure",
    "wp-caption-text": "caption",
    **{name: name for name in ("math", "figure", "caption", "block", "tex", "text")},
}
_LANGUAGE = re.compile(r"(?:language-|lang-|lang:|highlight-source-|brush:)([\w+#.-]+)")
# Beside these, another class names the language of the code.
_HIGHLIGHTED = {
    "code": ("hljs", "sourceCode"),
    "pre": ("hljs", "sourceCode", "brush:"),
    "figure": ("highlight",),
}
_LANGUAGE_NAME = re.compile(r"[A-Za-z][\w+#]{0,19};?")
_HIDDEN_SIZE = re.compile(r"\s*[012](?:px)?\s*")  # pixels of a picture that only counts its readers
_SPAN = re.compile(r"[1-9]\d{0,4}")
MAX_ID = 200
MAX_HTML_BYTES = 512 * 1024
_WIDEST = 4  # bytes of a character in UTF-8
_ROOM = 4096  # bytes for the end tags that are missing after a cut
# Bounds far above what authors write. Beyond them the time or memory of an HTML parser explodes.
_DEEPEST = 100
_DEEPEST_FORMATTING = 16
_MANY_ATTRIBUTES = 200
_MANY_TAGS = 500  # with fewer, the depth need not be checked
_TOO_MANY_TAGS = 40_000
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_ANY_TAG = re.compile(r"<[^<>]*>")
_QUOTED = re.compile(r"=\s*+(?:\"[^\"]*\"|'[^']*')")
_LONG_TAG = re.compile(rf"<[^<>]{{{2 * _MANY_ATTRIBUTES},}}")
_BETWEEN_ATTRIBUTES = re.compile(r"[\s/]+")
_FORMATTING_NAMES = "b big code em font i nobr s small strike strong tt u"
_FORMATTING = frozenset(_FORMATTING_NAMES.split())
_NEVER_NESTED_NAMES = "a br img hr input meta link wbr source area col embed track param p li td th tr dt dd"
_NEVER_NESTED = frozenset(_NEVER_NESTED_NAMES.split())


def sanitise(html: str, base_url: str = "") -> str:
    """`html` with harmless tags and http(s) links only.

    Relative URLs are resolved against `base_url`. Without one they are removed, but for links within `html`.
    """
    if is_canonical(html, _BASIC_TAGS):
        return html.strip()
    return _cleaners.full(_bounded(with_embedded(html, base_url)), base_url).strip()


def basic(html: str) -> str:
    """Sanitised `html` as the first version kept it: what content hashes are made of."""
    return (html if is_canonical(html, _BASIC_TAGS) else _cleaners.basic(html)).strip()


def _basic_attribute(_tag: str, attribute: str, value: str) -> str | None:
    return value if attribute != "class" or value.startswith("language-") else None


def _attribute(base_url: str, tag: str, attribute: str, value: str) -> str | None:
    """What is kept of an attribute that is allowed, None for nothing."""
    if attribute in _KEPT_AS_THEY_ARE:
        return value
    match attribute:
        case "class":
            return _class(tag, value.split())
        case "srcset" | "data-srcset":
            return best_of(value, base_url) or None
        case "data-src" | "data-original" | "data-lazy-src":
            return absolute(base_url, value) or None
        case "width" | "height":
            return value if _HIDDEN_SIZE.fullmatch(value) else None
        case "colspan" | "rowspan":
            return value if _SPAN.fullmatch(value) and value != "1" else None
        case "data-media":
            return value if value in ("audio", "video") else None
        case "type":
            return value if value == "checkbox" else None
        case "id" | "name":
            return value if len(value) <= MAX_ID else None
        case _:
            return value


def _class(tag: str, names: Sequence[str]) -> str | None:
    if tag in _HIGHLIGHTED or tag == "div":
        kept = next((name for name in names if tag == "code" and name.startswith("language-")), None)
        if kept or (language := _language(tag, names)):
            return kept or f"lang-{language}"
    return next((_CLASSES[name] for name in names if name in _CLASSES), None)


def _language(tag: str, names: Sequence[str]) -> str:
    """The language of code that classes name. `lang-` tells it from what the first version kept."""
    if found := next(filter(None, map(_LANGUAGE.match, names)), None):
        return found[1]
    markers = _HIGHLIGHTED.get(tag, ())
    others = (name for name in names if name not in markers and _LANGUAGE_NAME.fullmatch(name))
    return next(others, "").rstrip(";") if set(markers).intersection(names) else ""


class _Cleaners(threading.local):
    """nh3 with our settings, which it takes long to read. Each thread has its own, for its base URL."""

    base_url = ""

    def __init__(self) -> None:
        self._full = nh3.Cleaner(
            tags=_TAGS,
            attributes=_ATTRIBUTES,
            attribute_filter=lambda *attribute: _attribute(self.base_url, *attribute),
            url_schemes={"http", "https"},
            url_relative=self._resolved,
            link_rel=None,
        )
        self._basic = nh3.Cleaner(
            tags=_BASIC_TAGS,
            attributes=_BASIC_ATTRIBUTES,
            attribute_filter=_basic_attribute,
            url_schemes={"http", "https"},
            url_relative="deny",
            link_rel=None,
        )

    def _resolved(self, url: str) -> str | None:
        is_within = not self.base_url and url.startswith("#")
        return url if is_within and url.isprintable() else absolute(self.base_url, url) or None

    def full(self, html: str, base_url: str) -> str:
        self.base_url = base_url
        return self._full.clean(html)

    def basic(self, html: str) -> str:
        return self._basic.clean(html)


_cleaners = _Cleaners()


def capped(html: str) -> str:
    """Sanitised `html`, cut to MAX_HTML_BYTES, with all elements closed."""
    if len(html) * _WIDEST <= MAX_HTML_BYTES:
        return html
    body = html.encode("utf-8", "replace")
    if len(body) <= MAX_HTML_BYTES:
        return html
    head = body[: MAX_HTML_BYTES - _ROOM].decode("utf-8", "ignore")
    cut = sanitise(head[: head.rfind("<")] if head.rfind("<") > head.rfind(">") else head)
    return cut if len(cut.encode()) <= MAX_HTML_BYTES else ""


def _bounded(html: str) -> str:
    """`html`, or only its text if a parser would take too much time or memory for it."""
    tags = html.count("<")
    is_deep = tags > _MANY_TAGS and (tags > _TOO_MANY_TAGS or _is_too_deep(html))
    if not is_deep and not _has_many_attributes(html):
        return html
    return escape(_ANY_TAG.sub(" ", html).replace("<", " "))


def _has_many_attributes(html: str) -> bool:
    """Whether a tag has too many attributes: parsers compare each one with all before it."""
    if len(html) < 2 * _MANY_ATTRIBUTES:
        return False
    bare = _QUOTED.sub("=", html)  # a quoted value may hold spaces and brackets
    return any(
        len(_BETWEEN_ATTRIBUTES.findall(tag[0])) > _MANY_ATTRIBUTES for tag in _LONG_TAG.finditer(bare)
    )


def _is_too_deep(html: str) -> bool:
    """Whether too many elements are nested.

    Formatting elements have a lower limit, because HTML parsers open them again in every later paragraph.
    """
    depth = formatting = 0
    for match in _TAG.finditer(html):
        tag, step = match[2].lower(), -1 if match[1] else 1
        if tag in _FORMATTING:
            formatting = max(formatting + step, 0)
        elif tag not in _NEVER_NESTED:
            depth = max(depth + step, 0)
        if depth > _DEEPEST or formatting > _DEEPEST_FORMATTING:
            return True
    return False


def parse(html: str) -> LexborNode | None:
    """The body element of `html`, None if it has none."""
    return parse_page(html).body


def parse_page(html: str) -> LexborHTMLParser:
    """The whole document in `html`, or only its text if that would take too much time or memory."""
    return LexborHTMLParser(_bounded(html))


def storable(text: str) -> str:
    """`text` without characters that no database stores: NUL, and halves of surrogate pairs."""
    if "\0" not in text:
        if text.isascii():
            return text
        try:
            text.encode()
            return text
        except UnicodeEncodeError:
            pass
    return text.replace("\0", "").encode("utf-8", "replace").decode()
