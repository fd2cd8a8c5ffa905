"""Makes outside text safe to print: replaces characters that a terminal would interpret."""

import re

# - control characters (C0, DEL, C1), except tabs and line feeds;
# - direction marks and overrides, which make text look like other text;
# - Unicode's line separators;
# - surrogates, which cannot be encoded.
_OBEYED = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
MARK = "\ufffd"


def visible(text: str) -> str:
    """Replace each such character with U+FFFD, so that the length stays the same."""
    return _OBEYED.sub(MARK, text)


def visible_line(text: str) -> str:
    """Like `visible`, but on one line, so that outside text cannot imitate a line of our output."""
    return visible(text).replace("\n", " ")


def visible_json(document: str) -> str:
    """Escape each such character in a JSON document, which keeps its meaning."""
    return _OBEYED.sub(lambda match: f"\\u{ord(match[0]):04x}", document)
