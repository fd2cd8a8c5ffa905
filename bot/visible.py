"""Outside text on its way to a terminal: whatever a terminal would obey is replaced by a mark."""

import re

# Control characters (C0, DEL, C1) but tabs and line feeds, marks and overrides of direction, which make
# text look like other text, the line separators of Unicode, and surrogates, which no output can encode.
_OBEYED = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
MARK = "\ufffd"


def visible(text: str) -> str:
    """`text` with a mark for each character that a terminal would obey; as long as it was."""
    return _OBEYED.sub(MARK, text)


def visible_line(text: str) -> str:
    """The same on one line, so that no text can look like a line of ours."""
    return visible(text).replace("\n", " ")


def visible_json(document: str) -> str:
    """A JSON document that means the same, with escapes for what a terminal would obey."""
    return _OBEYED.sub(lambda match: f"\\u{ord(match[0]):04x}", document)
