"""Make untrusted HTML harmless, for readers and for parsers."""

import re
from html import escape, unescape
from urllib.parse import urljoin, urlsplit

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from selectolax.lexbor import LexborHTMLParser, LexborNode

from content.document import is_web_url

_TAGS_NAMES = (
    "a abbr b blockquote br caption cite code dd del details dfn div dl dt em figcaption figure h1 h2 "
    "h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q s samp small span strike strong sub summary sup "
    "table tbody td tfoot th thead time tr u ul var"
)
_TAGS = frozenset(_TAGS_NAMES.split())
_UNREADABLE_NAMES = (
    "script style noscript template head title svg object iframe textarea select button rp annotation"
)
UNREADABLE = frozenset(_UNREADABLE_NAMES.split())
_ATTRIBUTES: dict[str, set[str]] = {
    "*": set(),
    "a": {"href"},
    "img": {"src", "alt"},
    "code": {"class"},
    "ol": {"start"},
}
MAX_HTML_BYTES = 512 * 1024
_ROOM = 4096  # bytes for the end tags that are missing after a cut
_EXPANSION = 4  # rendered Markdown may be this many times as long as its source
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
_PLAYER = re.compile(r"<(iframe|audio|video|source)\b([^<>]*)>", re.IGNORECASE)
_SRC = re.compile(r"\bsrc\s*+=\s*+(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))", re.IGNORECASE)
_TITLE = re.compile(r"\btitle\s*+=\s*+(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)
_YOUTUBE = re.compile(r"https?://(?:www\.)?youtube(?:-nocookie)?\.com/embed/([\w-]+).*", re.DOTALL)
_LABEL = 120  # characters of a player's name
_BETWEEN_ATTRIBUTES = re.compile(r"[\s/]+")
_FORMATTING_NAMES = "b big code em font i nobr s small strike strong tt u"
_FORMATTING = frozenset(_FORMATTING_NAMES.split())
_NEVER_NESTED_NAMES = "a br img hr input meta link wbr source area col embed track param p li td th tr dt dd"
_NEVER_NESTED = frozenset(_NEVER_NESTED_NAMES.split())


def sanitise(html: str, base_url: str = "") -> str:
    """`html` with harmless tags and http(s) links only.

    Relative URLs are resolved against `base_url`; without one they are removed.
    """
    return nh3.clean(
        _bounded(_with_links_for_players(html, base_url)),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_language_class_only,
        url_schemes={"http", "https"},
        url_relative=lambda url: absolute(base_url, url) or None,
        link_rel=None,
    ).strip()


def _with_links_for_players(html: str, base_url: str) -> str:
    """Put a link before each sound, video or embedded page, because sanitising removes their elements."""
    is_open = False  # inside an audio or video element whose URL is in a source element

    def with_link(match: re.Match[str]) -> str:
        nonlocal is_open
        tag = match[1].lower()
        if tag == "source" and not is_open:
            return match[0]
        values = [unescape(found[1] or found[2] or found[3]) for found in _SRC.finditer(match[2])]
        urls = [absolute(base_url or "https:", value) for value in values]
        url = next(filter(None, urls), "")
        is_open = tag != "iframe" and not url
        if not url:
            return match[0]
        named = _TITLE.search(match[2])
        label = (named and unescape(named[1] or named[2]).strip()) or urlsplit(url).netloc.rpartition("@")[2]
        # YouTube's player shows an error when its URL is opened in a tab.
        page = _YOUTUBE.sub(r"https://www.youtube.com/watch?v=\1", url)
        return f'<div><a href="{escape(page)}">▶ {escape(label[:_LABEL])}</a></div>{match[0]}'

    return _PLAYER.sub(with_link, html)


def capped(html: str) -> str:
    """Sanitised `html`, cut to MAX_HTML_BYTES, with all elements closed."""
    body = html.encode("utf-8", "replace")
    if len(body) <= MAX_HTML_BYTES:
        return html
    cut = sanitise(body[: MAX_HTML_BYTES - _ROOM].decode("utf-8", "ignore").rpartition("<")[0])
    return cut if len(cut.encode()) <= MAX_HTML_BYTES else ""


def _language_class_only(_tag: str, attribute: str, value: str) -> str | None:
    if attribute != "class":
        return value
    return next((name for name in value.split() if name.startswith("language-")), None)


def absolute(base_url: str, url: str) -> str:
    """`url` resolved against `base_url`, or an empty text if that is no http(s) URL."""
    try:
        joined = urljoin(base_url, url.strip())
    except ValueError:
        return ""
    return joined if is_web_url(joined) else ""


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


def markdown_to_html(text: str) -> str:
    """Render CommonMark with tables and strikethrough. The result is not sanitised: raw HTML is kept."""
    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    tokens = reader.parse(text)
    # A reference definition of a few characters can be used again and again, each time with a long URL.
    if sum(map(_weight, tokens)) > _ROOM + _EXPANSION * len(text):
        return f"<p>{escape(text)}</p>"
    html: str = reader.renderer.render(tokens, reader.options, {})
    return html


def _weight(token: Token) -> int:
    """The number of characters in the URLs and titles of a token and its children."""
    own = sum(len(str(value)) for value in token.attrs.values())
    return own + sum(map(_weight, token.children or ()))


def parse(html: str) -> LexborNode | None:
    """The body element of `html`, None if it has none."""
    return LexborHTMLParser(_bounded(html)).body


def storable(text: str) -> str:
    """`text` without characters that no database stores: NUL, and halves of surrogate pairs."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()
