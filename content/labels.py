"""Find link labels that name another host than their link leads to (phishing).

Readers trust a label like `https://bank.example`. So hosts are searched in the label as a reader would see
it, whatever full-width letters and dots, capitals, invisible characters or punycode it is written with.
"""

import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from urllib.parse import quote, urlsplit

# Characters around a label that are examined as well: `<a>bank</a>.com` also reads as one host.
_AROUND = 64
# A message is made to fit by trying several lengths, and each try asks about the same labels.
_REMEMBERED = 512
# Characters that look like a part of a URL, and that NFKC does not replace.
_LOOK_ALIKES = str.maketrans(
    {
        **dict.fromkeys("\u2044\u2215\u29f8\\", "/"),
        **dict.fromkeys("\u2236\ua789\u0589", ":"),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2212", "-"),
    }
)
# Besides control and format characters: spaces no wider than a hair, and characters without a glyph.
_INVISIBLE = frozenset("\u034f\u115f\u1160\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u2800\u3164\uffa0")
_SELECTORS = range(0xFE00, 0xFE10)
_CJK = "\u2e80-\u9fff\uac00-\ud7af"  # scripts that are written without spaces
_IDEOGRAPHIC_STOP = re.compile(r"(?<=[a-z0-9])\u3002(?=[a-z0-9])")  # elsewhere it is a full stop
_NAMED = re.compile(
    r"(?:(?P<scheme>[\w.-]*):/+|(?=www\d?\.))(?P<host>\[[0-9a-f:.]+\]|[\w.-]+)(?:[/?#]\S*)?"
    r"|(?P<bare>[\w.-]+)(?P<tail>(?::\d+)?[/?#]\S*)?"
)
_ASCII_TAIL = re.compile(rf"(?<=[{_CJK}])[a-z0-9-]+\Z")
_TOP = re.compile(rf"xn--[a-z0-9-]+|[a-z]{{2,63}}(?![a-z0-9])|[^\W\d_a-z{_CJK}]{{2,}}")
# In Chinese, only real top-level domains tell a host from two sentences.
_CJK_TOP_NAMES = (
    "中国 中國 公司 网络 網絡 網路 香港 台湾 台灣 新加坡 澳门 澳門 网址 网站 网店 在线 商城 商店 商标 中文网 "
    "我爱你 集团 信息 政务 政府 公益 机构 移动 手机 游戏 娱乐 企业 广东 佛山 时尚 八卦 餐厅 慈善 健康 购物"
)
_CJK_TOPS = tuple(_CJK_TOP_NAMES.split())
# File name extensions that are no top-level domains.
_FILE_NAMES = (
    "avi bmp cfg cpp css csv dll doc docx exe gif gz htm html ini ipynb jpeg jpg js json jsx log mkv mp3 "
    "mp4 ogg pdf php png ppt pptx rar svg tar tex tiff toml ts tsx txt wav webm webp xls xlsx xml yaml yml"
)
_FILES = frozenset(_FILE_NAMES.split())


def other_host(text: str, start: int, end: int, url: str) -> str:
    """The host of `url` if the label `text[start:end]` names another one, else an empty text."""
    # The label may be only the middle of what reads as a host, so the words around it are joined to it.
    before = re.split(r"\s", text[max(0, start - _AROUND) : start])[-1]
    after = re.split(r"\s", text[end : end + _AROUND])[0]
    return _other_host(before, text[start:end], after, url)


@lru_cache(_REMEMBERED)
def _other_host(before: str, label: str, after: str, url: str) -> str:
    before, label, after = _as_seen(before), _as_seen(label), _as_seen(after)
    label_end = len(before) + len(label)
    is_one_word = len(label.split()) == 1
    target = urlsplit(url).hostname or ""
    for first, last, readings, is_sure in _hosts(_IDEOGRAPHIC_STOP.sub(".", before + label + after)):
        is_in_label = first < label_end and len(before) < last
        # In a label of several words, a dot alone does not make a host: "see the end.Next" is not one.
        if not is_in_label or not (is_sure or is_one_word):
            continue
        if _canonical(target) not in map(_canonical, readings):
            return _shown(target)
    return ""


def _as_seen(text: str) -> str:
    """The text as a reader sees it, with one character for all that look alike."""
    folded = text.casefold() if text.isascii() and text.isprintable() else "".join(map(_folded, text))
    return folded.translate(_LOOK_ALIKES)


def _folded(character: str) -> str:
    if character in _INVISIBLE or ord(character) in _SELECTORS:
        return ""
    if unicodedata.category(character) in ("Cc", "Cf") and not character.isspace():
        return ""
    return unicodedata.normalize("NFKC", character).casefold()


def _hosts(seen: str) -> Iterator[tuple[int, int, set[str], bool]]:
    """The hosts in a text: start, end, possible readings, and whether it is surely meant as a host.

    A scheme, `www.` or a path makes it sure.
    """
    for found in _NAMED.finditer(seen):
        if found["host"]:
            yield *found.span("host"), {found["host"].strip(".-")}, True
        name = "scheme" if found["scheme"] else "bare"  # bank.example:/evil.example names two hosts
        if host := _host(found[name] or ""):
            start = found.start(name) + found[name].index(host)
            tail = _ASCII_TAIL.search(
                host.partition(".")[0]
            )  # 见example.org may be a host, or a word and a host
            readings = {host, host[tail.start() :]} if tail else {host}
            first = start + (tail.start() if tail else 0)
            yield first, start + len(host), readings, name == "scheme" or bool(found["tail"])


def _host(run: str) -> str:
    """The host at the start of a run of letters, digits and dots, or an empty text."""
    *labels, last = run.strip(".-_").split(".")
    top = _TOP.match(last)
    ending = top[0] if top else next(filter(last.startswith, _CJK_TOPS), "")
    return ".".join([*labels, ending]) if labels and ending and ending not in _FILES else ""


def _canonical(host: str) -> str:
    folded = unicodedata.normalize("NFKC", host).casefold().strip(".")
    with suppress(UnicodeError):
        folded = folded.encode("idna").decode()
    return folded.strip("[]").removeprefix("www.")


def _shown(host: str) -> str:
    """A host in ASCII, in which no letter can look like another."""
    if ":" in host:
        return f"[{host}]"
    try:
        return host.encode("idna").decode()
    except UnicodeError:
        return quote(host)
