"""References that XML does not know: `&nbsp;`, a lone `&`, `&#xD800;`, those that a DOCTYPE declares.

One of them makes a feed ill-formed, and a strict parser refuses all of it.
"""

import re
from collections.abc import Mapping
from html import escape, unescape
from html.entities import html5

# XML 1.0, section 2.8. What is not closed goes on to the end of the text, so that nothing is looked at twice.
_DOCTYPE = re.compile(
    r"<!DOCTYPE\s++(?P<name>[\w:.-]*)[^\[>]*+"
    r"""(?:\[(?P<declared>(?:<!--.*?(?:-->|\Z)|"[^"]*"?|'[^']*'?|[^\]"'])*+)\]\s*)?>""",
    re.IGNORECASE | re.DOTALL,
)
_BEFORE = re.compile(r"(?:[^<]++|<\?.*?(?:\?>|\Z)|<!--.*?(?:-->|\Z))*+", re.DOTALL)
# Not taken are markup, references to other entities, and long texts, which could be repeated without end.
_ENTITY = re.compile(
    r"""<!ENTITY\s++(\w{1,40})\s++(?:"([^"<&%]{0,100}|&#\w{1,8};)"|'([^'<&%]{0,100})')\s*>"""
)
# In CDATA and comments nothing is a reference.
_REFERENCE = re.compile(
    r"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)|(?P<reference>&(?!(?:lt|gt|amp|quot|apos);)"
    r"(?:#(?P<decimal>[0-9]{1,8});|#[xX](?P<hexadecimal>[0-9A-Fa-f]{1,8});|(?P<name>\w{1,40});)?)",
    re.DOTALL,
)
# XML 1.0, section 2.2; without the half characters, which no text of Python's can be encoded with.
FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def split_doctype(text: str) -> tuple[str, Mapping[str, str], str]:
    """The name in the DOCTYPE of `text`, in lower case, the entities that it declares, and the rest."""
    before = _BEFORE.match(text)
    found = _DOCTYPE.match(text, before.end() if before else 0)
    if found is None:
        return "", {}, text
    declared = {
        name: unescape(double) or single for name, double, single in _ENTITY.findall(found["declared"] or "")
    }
    return found["name"].lower(), declared, text[: found.start()] + text[found.end() :]


def well_formed(text: str, declared: Mapping[str, str]) -> str:
    """`text` with the characters of HTML's and the DOCTYPE's references; what else is none becomes text."""

    def known(match: re.Match[str]) -> str:
        if match["reference"] is None:
            return match[0]
        if digits := match["decimal"] or match["hexadecimal"]:
            return _numbered(int(digits, 10 if match["decimal"] else 16), match[0])
        name = match["name"] or ""
        value = declared.get(name, html5.get(f"{name};"))
        return f"&amp;{match[0][1:]}" if value is None else escape(value, quote=True)

    return _REFERENCE.sub(known, text)


def _numbered(number: int, reference: str) -> str:
    """A numeric reference as it is, or what HTML puts in place of half a character and of none."""
    if number > 0x10FFFF or 0xD800 <= number <= 0xDFFF:
        return "\ufffd"
    return FORBIDDEN.sub("", chr(number)) and reference
