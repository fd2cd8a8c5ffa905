"""Decode bytes whose declared character set may be wrong, as it often is in Chinese feeds."""

import codecs
import re
from collections.abc import Iterable, Iterator
from email.message import Message

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_XML_ENCODING = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]+)["']""")
_HTML_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?([\w.:-]+)""", re.IGNORECASE)
# The WHATWG Encoding Standard decodes these labels as their supersets, because that is what authors mean.
_SUPERSETS = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "iso8859-1": "windows-1252",
    "ascii": "windows-1252",
    "big5": "big5hkscs",
}
_WIDE = ("utf-16", "utf-32")
_NOT_LIKE_ASCII = ("utf-7", "iso2022", "hz")  # in these, bytes below 128 are not ASCII
_HIGH_BYTE = re.compile(rb"[\x80-\xff]")
_GB2312_PAIR = re.compile(rb"[\xa1-\xf7][\xa1-\xfe]")


def decode(body: bytes, content_type: str = "") -> str:
    """Decode `body`. It never raises; an incomplete character at the end is dropped.

    The first of these that fits is used: a byte order mark; a declared encoding that is unlike ASCII; UTF-8,
    because other encodings are not valid UTF-8 by chance; any other declared encoding; GB 18030 if the bytes
    look like it.
    """
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return _lenient(body[len(mark) :], encoding)
    declared = tuple(_declared(body, content_type))
    if encoding := _unlike_ascii(body, declared):
        return _lenient(body, encoding)
    for encoding in dict.fromkeys(("utf-8", *declared)):
        if not encoding.startswith(_WIDE) and (text := _strict(body, encoding)) is not None:
            return text
    if _is_mostly_utf8(body):
        return _lenient(body, "utf-8")
    return _lenient(body, "gb18030" if _looks_like_gb(body) else "windows-1252")


def _unlike_ascii(body: bytes, declared: Iterable[str]) -> str:
    """The first declared encoding that `body` can have and in which ASCII characters are other bytes."""
    for encoding in declared:
        if encoding.startswith(_NOT_LIKE_ASCII):
            return encoding
        # UTF-16 and UTF-32 have zero bytes in every ASCII character; without them the declaration is wrong.
        if encoding.startswith(_WIDE) and 0 in body[:4]:
            return f"{encoding[:6]}-{'be' if body[0] == 0 else 'le'}"
    return ""


def _declared(body: bytes, content_type: str) -> Iterator[str]:
    start = body[:2048]
    for match in (_XML_ENCODING.search(start), _HTML_CHARSET.search(start)):
        if match:
            yield from _known(match[1].decode("ascii", "ignore"))
    header = Message()
    header["Content-Type"] = content_type.replace("\n", " ").replace("\r", " ")
    yield from _known(header.get_content_charset() or "")


def _known(label: str) -> Iterator[str]:
    try:
        codec = codecs.lookup(label)
    except (LookupError, ValueError):
        return
    if getattr(codec, "_is_text_encoding", True):
        yield _SUPERSETS.get(codec.name, codec.name)


def _strict(body: bytes, encoding: str) -> str | None:
    try:
        return codecs.getincrementaldecoder(encoding)("strict").decode(body)
    except ValueError:
        return None


def _lenient(body: bytes, encoding: str) -> str:
    return codecs.getincrementaldecoder(encoding)("replace").decode(body)


def _is_mostly_utf8(body: bytes) -> bool:
    """Whether at most one non-ASCII character in ten is broken, as in a text that was cut by bytes."""
    text = _lenient(body, "utf-8")
    broken = text.count("\ufffd")
    return broken * 10 <= sum(1 for character in text if character > "\x7f") - broken


def _looks_like_gb(body: bytes) -> bool:
    """Whether most bytes above 127 form pairs of GB 2312, which has nearly all characters in use."""
    return len(_GB2312_PAIR.findall(body)) * 2 >= 0.6 * len(_HIGH_BYTE.findall(body))
