"""Replace references that are not valid XML: `&nbsp;`, a lone `&`, `&#xD800;`, and those of a DOCTYPE.

A single one makes a feed ill-formed, so that a strict parser refuses the whole feed.
"""

import re
from collections.abc import Mapping
from html import escape, unescape
from html.entities import html5

# XML 1.0, section 2.8. A part that is not closed extends to the end of the text, so that matching stays
# linear.
_DOCTYPE = re.compile(
    r"<!DOCTYPE\s++(?P<name>[\w:.-]*)[^\[>]*+"
    r"""(?:\[(?P<declared>(?:<!--.*?(?:-->|\Z)|"[^"]*"?|'[^']*'?|[^\]"'])*+)\]\s*)?>""",
    re.IGNORECASE | re.DOTALL,
)
_BEFORE = re.compile(r"(?:[^<]++|<\?.*?(?:\?>|\Z)|<!--.*?(?:-->|\Z))*+", re.DOTALL)
# Not markup, references to other entities, or long texts: they could be repeated to fill the memory.
_ENTITY = re.compile(
    r"""<!ENTITY\s++(\w{1,40})\s++(?:"([^"<&%]{0,100}|&#\w{1,8};)"|'([^'<&%]{0,100})')\s*>"""
)
# There are no references in CDATA and comments, so these are matched first and kept.
_REFERENCE = re.compile(
    r"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)|(?P<reference>&(?!(?:lt|gt|amp|quot|apos);)"
    r"(?:#(?P<decimal>[0-9]{1,8});|#[xX](?P<hexadecimal>[0-9A-Fa-f]{1,8});|(?P<name>\w{1,40});)?)",
    re.DOTALL,
)
# XML 1.0, section 2.2. Surrogates need not be here: encoding the text drops them.
FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def split_doctype(text: str) -> tuple[str, Mapping[str, str], str]:
    """Split the DOCTYPE off: its name in lower case, the entities that it declares, the rest of `text`."""
    before = _BEFORE.match(text)
    found = _DOCTYPE.match(text, before.end() if before else 0)
    if found is None:
        return "", {}, text
    declared = {
        name: unescape(double) or single for name, double, single in _ENTITY.findall(found["declared"] or "")
    }
    return found["name"].lower(), declared, text[: found.start()] + text[found.end() :]


def well_formed(text: str, declared: Mapping[str, str]) -> str:
    """Replace references to HTML's entities and the `declared` ones; any other `&` becomes `&amp;`."""

    def resolved(match: re.Match[str]) -> str:
        if match["reference"] is None:
            return match[0]
        if digits := match["decimal"] or match["hexadecimal"]:
            return _numbered(int(digits, 10 if match["decimal"] else 16), match[0])
        name = match["name"] or ""
        value = declared.get(name, html5.get(f"{name};"))
        return f"&amp;{match[0][1:]}" if value is None else escape(value, quote=True)

    return _REFERENCE.sub(resolved, text)


def _numbered(number: int, reference: str) -> str:
    """A numeric reference if XML allows it; U+FFFD for no character, as in HTML; else nothing."""
    if number > 0x10FFFF or 0xD800 <= number <= 0xDFFF:
        return "\ufffd"
    return FORBIDDEN.sub("", chr(number)) and reference
