"""Addresses that may hold secrets, and how they are shown. This is the one place that decides it.

A user name or a password is never shown. A query is not shown, because many sites put a key into it. Of the
path, what looks like a key is not shown, nor what follows a word like "token".
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
# A hexadecimal number, or more letters and digits without a break than names have.
_KEY = re.compile(r"[0-9a-f]{8,}|[0-9a-z]{20,}", re.IGNORECASE)
_PIECE = re.compile(r"[A-Za-z0-9]+")
# A scheme is short, and the bound keeps the search linear.
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,15}://\S+")
_ENDLESS = 32  # no word is as long


def printable(url: str) -> str:
    """`url` fit to be shown: host and path, … for what may be a secret. What is no URL stays as it is."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "the URL"
    if not parts.netloc:
        return url
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{_path(parts.path)}" + (f"?{HIDDEN}" if parts.query else "")


def is_public(url: str) -> bool:
    """Whether all of `url` may be shown."""
    return printable(url) == url.partition("#")[0]


def home(url: str) -> str:
    """The first page of the site of `url`."""
    parts = urlsplit(printable(url))
    return f"{parts.scheme}://{parts.netloc}/"


def without_secrets(text: str) -> str:
    """A text with each URL in it made printable."""
    return _URL.sub(lambda match: printable(match[0]), text) if "://" in text else text


def _path(path: str) -> str:
    segments = path.split("/")
    before = ["", *segments]
    return "/".join(
        HIDDEN if segment and (_WORD.fullmatch(previous) or _is_key(unquote(segment))) else segment
        for previous, segment in zip(before, segments, strict=False)
    )


def _is_key(segment: str) -> bool:
    """Whether a segment of a path looks like a key: as random as no name is."""
    if _PAIR.search(segment) or _UUID.search(segment):
        return True
    pieces = _PIECE.findall(segment)
    changes = sum(map(_changes, pieces))
    return (
        any(len(piece) >= _ENDLESS or (_KEY.fullmatch(piece) and _changes(piece) >= 2) for piece in pieces)
        or (len(segment) >= 16 and changes >= 3 and changes * 6 >= len(segment))
        or (len(segment) >= 10 and changes >= 5)
    )


def _changes(piece: str) -> int:
    """How often lower case, upper case and digits follow each other; a capital at the start is none."""
    kinds = [_kind(letter) for letter in piece]
    if kinds[1:2] == ["lower"] and kinds[0] == "upper":
        kinds = kinds[1:]
    return sum(one != other for one, other in pairwise(kinds))


def _kind(letter: str) -> str:
    return "digit" if letter.isdigit() else "upper" if letter.isupper() else "lower"
