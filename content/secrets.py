"""How URLs that may hold secrets are shown. This is the only place that decides it.

User names, passwords and queries are never shown: many sites put a key into the query. A segment of the path
is hidden if it looks like a key, or follows a word like "token".
"""

import re
from itertools import pairwise
from urllib.parse import unquote, urlsplit

HIDDEN = "…"

_WORD = re.compile(
    r"(?:api|access|auth|feed)?[-_]?(?:auth|key|passwd|password|secret|token)s?", re.IGNORECASE
)
_PAIR = re.compile(rf"(?:^|[;,&])\s*{_WORD.pattern}\s*[=:]", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
# A hexadecimal number, or a longer run of letters and digits than names have.
_KEY = re.compile(r"[0-9a-f]{8,}|[0-9a-z]{20,}", re.IGNORECASE)
_PIECE = re.compile(r"[A-Za-z0-9]+")
# Schemes are short; the limit keeps the search linear.
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,15}://\S+")
_TOO_LONG = 32  # no word has this many characters


def printable(url: str) -> str:
    """`url` as it may be shown: host and path, with … for a possible secret. Other texts stay as they are."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "the URL"
    if not parts.netloc:
        return url
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{_path(parts.path)}" + (f"?{HIDDEN}" if parts.query else "")


def is_public(url: str) -> bool:
    """Whether `url` may be shown as a whole."""
    return printable(url) == url.partition("#")[0]


def home(url: str) -> str:
    """The home page of the site of `url`."""
    parts = urlsplit(printable(url))
    return f"{parts.scheme}://{parts.netloc}/"


def without_secrets(text: str) -> str:
    """`text` with every URL in it made printable."""
    return _URL.sub(lambda match: printable(match[0]), text) if "://" in text else text


def _path(path: str) -> str:
    segments = path.split("/")
    before = ["", *segments]
    return "/".join(
        HIDDEN if segment and (_WORD.fullmatch(previous) or _is_key(unquote(segment))) else segment
        for previous, segment in zip(before, segments, strict=False)
    )


def _is_key(segment: str) -> bool:
    """Whether a segment of a path looks like a key: more random than any name."""
    if _PAIR.search(segment) or _UUID.search(segment):
        return True
    pieces = _PIECE.findall(segment)
    changes = sum(map(_changes, pieces))
    return (
        any(len(piece) >= _TOO_LONG or (_KEY.fullmatch(piece) and _changes(piece) >= 2) for piece in pieces)
        or (len(segment) >= 16 and changes >= 3 and changes * 6 >= len(segment))
        or (len(segment) >= 10 and changes >= 5)
    )


def _changes(piece: str) -> int:
    """How often `piece` changes between lower case, upper case and digits, but for a capital at the start."""
    kinds = [_kind(letter) for letter in piece]
    if kinds[1:2] == ["lower"] and kinds[0] == "upper":
        kinds = kinds[1:]
    return sum(one != other for one, other in pairwise(kinds))


def _kind(letter: str) -> str:
    return "digit" if letter.isdigit() else "upper" if letter.isupper() else "lower"
