"""Writes text, links and code in Discord's Markdown; outside text is escaped, so it never becomes markup.

Discord publishes no grammar, so this relies on the known behaviour of its clients:

- A backslash escapes any ASCII punctuation. In the label of a masked link the backslash itself is shown, so
  labels get look-alike characters instead (github.com/discord/discord-api-docs/issues/6185).
- A label that contains a URL is not shown as a link (#7721).
- A URL without angle brackets ends at the next white space, so it would include a Chinese full stop and the
  text after it.
"""

import re
from itertools import groupby, pairwise

from bot.platforms.flat import Flat, Span, SpanKind
from content.urls import is_web_url

URL_LENGTH = 1024  # most code points of a URL as written; a longer one might leave no room for the text

_WORD_JOINER = "\u2060"
_GAP = "\u200b"  # zero-width space: separates marks that Discord would read as one
_URL = r"https?://[\w.~:/?#@!$&'()*+,;=%-]+"
_STOPS = frozenset(".,:;!?'")

# Text that Discord would read as markup; the name of the group says how `_escaped` escapes it.
# `[^\S\n]` is white space within a line.
_SPECIAL_MARKUP = (
    r"(?P<escape>[\\*_~|`<\[#]"
    r"|:(?=/)"  # a scheme that is not http(s): steam://, <x:/y>
    r"|:(?=[\w+-]+:))"  # the name of an emoji
    r"|(?P<mention>(?<=<)@|@(?=everyone|here))"
    r"|(?P<line>^[^\S\n]*(?:\d+(?=[.)])|(?=[>+-])))"  # list items, quotes, small print
)
_SPECIAL = re.compile(_SPECIAL_MARKUP, re.IGNORECASE | re.MULTILINE)
_URL_OR_SPECIAL = re.compile(rf"(?P<url>{_URL})|{_SPECIAL_MARKUP}", re.IGNORECASE | re.MULTILINE)

_LOOK_ALIKES = str.maketrans("\\*`<>[]", "\u2216\u2217\u02cb\uff1c\uff1e\uff3b\uff3d")
_LINE_LOW = "\u02cd"  # replaces an underscore that could open or close emphasis
_LABEL = re.compile(
    r"(?P<low>__+|_(?![A-Za-z0-9]))"
    r"|(?P<join>~(?=~)|\|(?=\|)|:(?=/)|:(?=[\w+-]+:)|(?<=<)@|@(?=everyone|here))"
    r"|(?P<line>^(?=\s*(?:[#+-]|\d+[.)])))",
    re.IGNORECASE,
)

_MARKS = {
    SpanKind.EMPHASIS: "*",
    SpanKind.STRONG: "**",
    SpanKind.UNDERLINE: "__",
    SpanKind.STRIKE: "~~",
    SpanKind.SPOILER: "||",
}
# Characters that could end a URL, or the marks around it, too early.
_IN_URLS = {ord(ch): f"%{ord(ch):02X}" for ch in ' "*<>\\^`{|}'}
_IN_TARGETS = _IN_URLS | {ord("("): "%28", ord(")"): "%29"}


def escape(content: str) -> str:
    """Text as Markdown that shows exactly this text, with its http(s) URLs as links."""
    return _URL_OR_SPECIAL.sub(_escaped, content)


def marked(flat: Flat) -> str:
    """Text and its spans as Markdown. Code blocks and quotes are not handled here."""
    # Cut the text at all span edges and line ends, so that the same spans apply within each run.
    edges = {0, len(flat.text)} | {edge for span in flat.spans for edge in (span.start, span.end)}
    for found in re.finditer("\n", flat.text):
        edges |= {found.start(), found.end()}
    out, after_marks = "", False
    for link, group in groupby(pairwise(sorted(edges)), key=lambda run: _link(flat, *run)):
        runs = list(group)
        for piece, marks in [_masked(flat, link, runs)] if link else [_run(flat, *run) for run in runs]:
            out += _GAP + piece if marks and after_marks and not piece[:1].isspace() else piece
            after_marks = marks and not piece[-1:].isspace()
    return out


def plain(flat: Flat) -> str:
    """The escaped text, with the URL of each link written once after it; `<>` suppresses its preview."""
    pieces, last, seen = [], 0, set[str]()
    for span in sorted(flat.spans, key=lambda span: span.end):
        if (
            span.kind is SpanKind.LINK
            and span.url not in seen
            and len(target := _url(span.url)) <= URL_LENGTH
        ):
            seen.add(span.url)
            if flat.text[span.start : span.end] != span.url:
                pieces += [escape(flat.text[last : span.end]), f" (<{target}>)"]
                last = span.end
    return "".join(pieces) + escape(flat.text[last:])


def code_span(content: str) -> str:
    """One line of code. Zero-width spaces separate its backticks from each other and from the marks."""
    if "`" not in content:
        return f"`{content}`"
    inner = re.sub("`(?=`)", "`" + _GAP, content)
    before, after = _GAP * inner.startswith("`"), _GAP * inner.endswith("`")
    return f"``{before}{inner}{after}``"


def fence(content: str, language: str) -> list[str]:
    """A code block as lines.

    Discord has no fence longer than three backticks, so zero-width spaces separate three in the content.
    """
    name = language if re.fullmatch(r"[\w+.#-]{1,32}", language, re.ASCII) else ""
    return ["```" + name, *re.sub("`(?=``)", "`" + _GAP, content).split("\n"), "```"]


def _escaped(found: re.Match[str]) -> str:
    match found.lastgroup:
        case "url":
            url = _without_stops(found.group())
            if not _can_link(url, _url(url)):
                return _SPECIAL.sub(_escaped, found.group())
            return f"<{_url(url)}>" + found.group()[len(url) :]
        case "escape":
            return "\\" + found.group()
        case "mention":
            return "@" + _WORD_JOINER
        case _:
            return found.group() + "\\"


def _without_stops(url: str) -> str:
    """The URL without the punctuation that ends its sentence, and without brackets opened before it."""
    end, surplus = len(url), url.count(")") - url.count("(")
    while url[end - 1] in _STOPS or (url[end - 1] == ")" and surplus > 0):
        surplus -= url[end - 1] == ")"
        end -= 1
    return url[:end]


def _can_link(url: str, written: str) -> bool:
    return is_web_url(url) and len(written) <= URL_LENGTH


def _url(url: str) -> str:
    return url.translate(_IN_URLS).replace("~~", "%7E%7E")


def _target(url: str) -> str:
    return url.translate(_IN_TARGETS).replace("~~", "%7E%7E")


def _link(flat: Flat, start: int, end: int) -> Span | None:
    """The link that a run of text is part of. A line end has none, nor has a link with too long a URL."""
    inner = (s for s in flat.spans if s.kind is SpanKind.LINK and s.start <= start and end <= s.end)
    span = next(inner, None)
    return span if span and flat.text[start] != "\n" and _can_link(span.url, _target(span.url)) else None


def _masked(flat: Flat, link: Span, runs: list[tuple[int, int]]) -> tuple[str, bool]:
    if flat.text[runs[0][0] : runs[-1][1]] == link.url:
        return f"<{_url(link.url)}>", False
    label, after_marks = "", False
    for start, end in runs:
        piece, marks = _run(flat, start, end, label=True)
        label += _GAP + piece if marks and after_marks else piece
        after_marks = marks
    return f"[{label.strip()}]({_target(link.url)})" if label.strip() else label, False


def _run(flat: Flat, start: int, end: int, *, label: bool = False) -> tuple[str, bool]:
    """A run of text within one line as Markdown, with white space outside its marks; whether it has marks."""
    kinds = {span.kind for span in flat.spans if span.start <= start and end <= span.end}
    content = flat.text[start:end]
    core = content.strip()
    before, after = content[: len(content) - len(content.lstrip())], content[len(content.rstrip()) :]
    if not core:
        return content, False
    if SpanKind.CODE in kinds and not label:
        return before + code_span(core) + after, True
    marks = [mark for kind, mark in _MARKS.items() if kind in kinds]
    inner = _label(core) if label else escape(core)
    if SpanKind.UNDERLINE in kinds:  # only URLs still have two underscores side by side
        inner = inner.replace("__", "%5F%5F")
    return before + "".join(marks[::-1]) + inner + "".join(marks) + after, bool(marks)


def _label(content: str) -> str:
    return _LABEL.sub(_joined, content.translate(_LOOK_ALIKES))


def _joined(found: re.Match[str]) -> str:
    if found.lastgroup == "low":
        return _LINE_LOW * len(found.group())
    return found.group() + _WORD_JOINER
