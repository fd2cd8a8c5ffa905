"""What HTML embeds, as plain elements: players, formulas, and pictures that are loaded later.

The sanitiser removes players and MathML. So before it runs, a link to the sound, film or page is put before
each player, and a `data` element with the formula's TeX before each formula.
"""

import re
from collections.abc import Mapping
from html import escape, unescape
from itertools import islice
from urllib.parse import parse_qs, urljoin, urlsplit

from selectolax.lexbor import LexborNode

from content.urls import is_web_url

PLAYED = "▶ "  # before the name of what can be played
WIDEST = 1600  # pixels: a wider picture is not worth its bytes in a chat
_LABEL = 120  # characters of a player's name
_CANDIDATES = 50  # files of one picture that are compared
_DENSE = 800  # pixels: how wide a picture is thought to be of which only the density is known
_ATTRIBUTE = r"\s*+=\s*+(?:\"([^\"]*)\"|'([^']*)'"
_EMBEDDED = re.compile(r"<(?:/?noscript|iframe|audio|video|source|math|script)\b", re.IGNORECASE)
_PLAYER = re.compile(r"<(iframe|audio|video|source)\b([^<>]*)>", re.IGNORECASE)
_SRC = re.compile(rf"\bsrc{_ATTRIBUTE}|([^\s\"'>]+))", re.IGNORECASE)
_TITLE = re.compile(rf"\btitle{_ATTRIBUTE})", re.IGNORECASE)
_YOUTUBE = re.compile(r"https?://(?:www\.)?youtube(?:-nocookie)?\.com/embed/([\w-]+).*", re.DOTALL)
_FORMULA = re.compile(r"<(math|script)\b([^<>]*)>|</(math|script)\s{0,9}>", re.IGNORECASE)
_ANNOTATION = re.compile(r"<annotation\b[^<>]*application/x-tex[^<>]*>([^<]*)<", re.IGNORECASE)
_OTHER_ANNOTATION = re.compile(r"<annotation(?:-xml)?\b[^<>]*>[^<]*", re.IGNORECASE)
_ALTERNATIVE = re.compile(rf"\balttext{_ATTRIBUTE})", re.IGNORECASE)
_ON_ITS_OWN = re.compile(r"display\s*=\s*[\"']?block|mode=display", re.IGNORECASE)
_STYLED_TEX = re.compile(r"\{\\(?:displaystyle|textstyle) (.*)\}", re.DOTALL)
_NO_SCRIPT = re.compile(r"</?noscript\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_CANDIDATE = re.compile(r"([^\s,]\S*)(?:\s+([\d.]{1,9})([wx])\b)?")
# The page of what a player plays, for players that show an error, or no text, in a tab of their own.
_PAGES = (
    (re.compile(r"https?://player\.vimeo\.com/video/(\d+).*"), r"https://vimeo.com/\1"),
    (
        re.compile(r"https?://(?:www\.)?dailymotion\.com/embed/(video/\w+).*"),
        r"https://www.dailymotion.com/\1",
    ),
    (
        re.compile(r"https?://open\.spotify\.com/embed(?:-podcast)?/(\w+/\w+).*"),
        r"https://open.spotify.com/\1",
    ),
    (re.compile(r"https?://embed\.(podcasts|music)\.apple\.com/(.*)"), r"https://\1.apple.com/\2"),
    (re.compile(r"(https?://[^/?#]+)/videos/embed/([\w-]{8,}).*"), r"\1/videos/watch/\2"),  # PeerTube
)
# A URL that stays as it is, whatever it is resolved against.
_WHOLE_URL = re.compile(r"https?://[A-Za-z0-9.-]+(?:/[\w/.~%+@:,=&!-]*)?(?:\?[\w/.~%+@:,=&!-]+)?", re.ASCII)
_LAZY = ("data-srcset", "srcset", "data-lazy-src", "data-src", "data-original")


def with_embedded(html: str, base_url: str) -> str:
    """`html` with what its players and formulas hold in elements that are not removed."""
    if not _EMBEDDED.search(html):
        return html
    # Sanitising would show what is for browsers without scripts as text with its tags.
    return _with_links(_with_formulas(_NO_SCRIPT.sub("", html)), base_url)


def _with_links(html: str, base_url: str) -> str:
    is_open = ""  # the name of the audio or video element whose URL is in a source element

    def with_link(match: re.Match[str]) -> str:
        nonlocal is_open
        tag = match[1].lower()
        if tag == "source" and not is_open:
            return match[0]
        values = filter(None, map(_value, _SRC.finditer(match[2])))
        urls = [absolute(base_url or "https:", value) for value in values]
        url = next(filter(None, urls), "")
        kind = is_open if tag == "source" else "" if tag == "iframe" else tag
        is_open = "" if url else kind
        if not url:
            return match[0]
        named = _TITLE.search(match[2])
        label = (named and _value(named).strip()) or host(url)
        page = _YOUTUBE.sub(r"https://www.youtube.com/watch?v=\1", url)
        mark = f' data-media="{kind}"' if kind else ""
        return f'<div><a href="{escape(page)}"{mark}>{PLAYED}{escape(label[:_LABEL])}</a></div>{match[0]}'

    return _PLAYER.sub(with_link, html)


def _value(found: re.Match[str]) -> str:
    """The value of an attribute, in whatever quotes; it may be empty."""
    return unescape("".join(filter(None, found.groups())))


def _with_formulas(html: str) -> str:
    """Put a `data` element before each MathML element and script with TeX."""
    pieces: list[str] = []
    last = 0
    opened: re.Match[str] | None = None
    for found in _FORMULA.finditer(html):
        if opened is None:
            opened = found if found[1] else None
        elif found[3] and found[3].lower() == opened[1].lower():
            pieces += [html[last : opened.start()], _formula(opened, html[opened.end() : found.start()])]
            last, opened = opened.start(), None
    return "".join(pieces) + html[last:]


def _formula(opened: re.Match[str], inside: str) -> str:
    is_script = opened[1].lower() == "script"
    if is_script and "math/tex" not in opened[2]:
        return ""
    tex = inside if is_script else _tex(opened[2], inside)
    kind = "block" if _ON_ITS_OWN.search(opened[2]) else "tex"
    if not tex.strip():
        kind, tex = "text", unescape(_TAG.sub(" ", _OTHER_ANNOTATION.sub("", inside)))
    value = " ".join(tex.split())
    return f'<data class="{kind}" value="{escape(value)}"></data>' if value else ""


def _tex(attributes: str, inside: str) -> str:
    annotation, alternative = _ANNOTATION.search(inside), _ALTERNATIVE.search(attributes)
    return tex_of(unescape(annotation[1]) if annotation else _value(alternative) if alternative else "")


def tex_of(text: str) -> str:
    """TeX without the style around all of it, which Wikipedia adds."""
    styled = _STYLED_TEX.fullmatch(text.strip())
    return styled[1] if styled else text


def page_of(url: str) -> str:
    """The page that people open instead of the player at `url`; for any other URL, `url` itself."""
    parts = urlsplit(url)
    if parts.hostname == "player.bilibili.com":
        numbers = parse_qs(parts.query).get("bvid", [""])
        return f"https://www.bilibili.com/video/{numbers[0]}" if numbers[0].isalnum() else url
    if parts.hostname == "w.soundcloud.com":
        played = parse_qs(parts.query).get("url", [""])[0]
        return played if is_web_url(played) and host(played) == "soundcloud.com" else url
    return next((found.expand(page) for player, page in _PAGES if (found := player.fullmatch(url))), url)


def host(url: str) -> str:
    """The host and port of a URL, without a user's name."""
    return urlsplit(url).netloc.rpartition("@")[2]


def absolute(base_url: str, url: str) -> str:
    """`url` resolved against `base_url`, or an empty text if that is no http(s) URL."""
    url = url.strip()
    if _WHOLE_URL.fullmatch(url):
        return url
    try:
        joined = urljoin(base_url, url)
    except ValueError:
        return ""
    return joined if is_web_url(joined) else ""


def best_of(srcset: str, base_url: str) -> str:
    """The absolute URL of the widest picture up to `WIDEST` pixels in a `srcset`, else of the narrowest."""
    candidates = islice(_CANDIDATE.finditer(srcset), _CANDIDATES)
    found = [(_width(match[2], match[3]), match[1].rstrip(",")) for match in candidates]
    usable = [(width, url) for width, name in found if (url := absolute(base_url, name))]
    fitting = [one for one in usable if one[0] <= WIDEST]
    best = max(fitting, key=lambda one: one[0], default=None) or min(usable, default=None)
    return best[1] if best else ""


def _width(number: str | None, unit: str | None) -> float:
    try:
        return float(number or 1) * (1 if unit == "w" else _DENSE)
    except ValueError:  # for instance two points
        return 0.0


def picture_url(node: LexborNode) -> str:
    """The URL of a sanitised `img` element, or an empty text for none and for a picture that nobody sees.

    A picture that is loaded later has a placeholder as `src`, so the other attributes go first.
    """
    return picture_of(node.attributes)


def picture_of(values: Mapping[str, str | None]) -> str:
    """The URL of a sanitised `img` element with these attributes, as `picture_url` returns it."""
    if "width" in values or "height" in values:  # the sanitiser keeps the sizes of tracking pixels only
        return ""
    given = (values.get(name) for name in (*_LAZY, "src"))
    return next((url for url in given if url and is_web_url(url)), "")
