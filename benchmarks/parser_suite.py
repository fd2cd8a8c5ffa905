"""feedparser's own tests, unpacked when they are run: how many of them hold for our posts, by format.

Only those are counted that ask for something that a post has. HTML is compared by its text, because it is
sanitised in another way. On all files, the fast way and feedparser must read the same.
"""

import ast
import re
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from benchmarks.results import Result, at_least
from content.sources.fastfeed import Feed, read
from content.sources.feed import parse_feed
from content.sources.xmlfeed import ReadFast
from content.text import plain_text
from content.types import ParsedPost, ParsedSource

URL = "https://example.org/feed.xml"
FORMATS = ("rss", "rdf", "atom", "atom10", "itunes", "media-rss", "namespace", "base")  # CDF is not read
LEAST = 0.9  # of the cases of a format
_EXPECTED = re.compile(
    r"Expect:\s+(?:not bozo and )?(entries\[0\]|feed)\[u?['\"](\w+)['\"]\]"
    r"(\[0\]\[u?['\"]value['\"]\])? == (.+)"
)
_ADDRESS = re.compile(r"Header:\s+Content-Location:\s*(\S+)")


@dataclass(frozen=True, slots=True)
class Case:
    """What a test expects of a field. `name` is feedparser's."""

    is_feed: bool
    name: str
    value: object


async def parser_suite() -> Sequence[Result]:
    """The share of cases that hold, by format, and of files that both ways read alike."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            tests = _unpacked(Path(folder))
        except (subprocess.CalledProcessError, OSError) as exc:
            print(f"feedparser's tests cannot be had: {exc}", file=sys.stderr)
            return []
        return [*_rates(tests), *_alike(sorted(tests.rglob("*.xml")))]


def _unpacked(folder: Path) -> Path:
    pinned = f"feedparser=={version('feedparser')}"
    options = ("--no-binary", "feedparser", "--no-deps", "--quiet", "--dest", str(folder))
    subprocess.run([sys.executable, "-m", "pip", "download", *options, pinned], check=True)
    (archive,) = folder.glob("feedparser-*.tar.gz")
    with tarfile.open(archive) as files:
        files.extractall(folder, filter="data")
    (tests,) = folder.glob("feedparser-*/tests")
    return tests


def _rates(tests: Path) -> Iterator[Result]:
    for name in FORMATS:
        held: Counter[bool] = Counter()
        for file in sorted((tests / "wellformed" / name).glob("*.xml")):
            if case := _case(file.read_text("utf-8", "replace")):
                held[_holds(case, _parsed(file))] += 1
        if held.total():
            yield at_least(f"feedparser's tests, {name}", "cases", held[True], held.total(), LEAST)


def _case(text: str) -> Case | None:
    found = _EXPECTED.search(text)
    if found is None:
        return None
    try:
        value = ast.literal_eval(found[4].strip())
    except (ValueError, SyntaxError):
        return None
    case = Case(found[1] == "feed", found[2], value)
    return case if case.name in (_OF_FEED if case.is_feed else _OF_POST) else None


def _parsed(file: Path) -> ParsedSource | None:
    body = file.read_bytes()
    address = _ADDRESS.search(body.decode("utf-8", "replace"))
    try:
        return parse_feed(body, "", address[1] if address else URL)
    except Exception:  # whatever it is, the case does not hold
        return None


def _holds(case: Case, parsed: ParsedSource | None) -> bool:
    if parsed is None or not (case.is_feed or parsed.posts):
        return False
    found = _OF_FEED[case.name](parsed) if case.is_feed else _OF_POST[case.name](parsed.posts[0])
    expected = _plain(case.value)
    # A test may expect HTML, or plain text with angle brackets.
    return expected in found or (isinstance(expected, str) and _text(expected) in found)


def _plain(value: object) -> object:
    return value[:6] if isinstance(value, tuple) else value


def _text(html: str) -> str:
    return " ".join(plain_text(html).split())


def _bodies(post: ParsedPost) -> list[object]:
    return [_text(post.html), _text(post.summary), post.summary, plain_text(post.html)]


# What of ours may be the value that a case expects.
_OF_FEED: Mapping[str, Callable[[ParsedSource], Sequence[object]]] = {
    "title": lambda parsed: [parsed.title],
    "link": lambda parsed: [parsed.url],
}
_OF_POST: Mapping[str, Callable[[ParsedPost], Sequence[object]]] = {
    "title": lambda post: [post.title],
    "id": lambda post: [post.guid],
    "link": lambda post: [post.url],
    "author": lambda post: [post.author, f"{post.author} (me@example.com)"],
    "description": _bodies,
    "summary": _bodies,
    "content": _bodies,
    "published_parsed": lambda post: [post.published_at and post.published_at.timetuple()[:6]],
}


def _alike(files: Sequence[Path]) -> Iterator[Result]:
    fast = same = 0
    for file in files:
        reads: list[Feed | None] = []

        def counted(text: str, reads: list[Feed | None] = reads) -> Feed | None:
            reads.append(read(text))
            return reads[-1]

        body = file.read_bytes()
        same += _outcome(body, counted) == _outcome(body, lambda _text: None)
        fast += any(reads)
    yield at_least("files that both ways read alike", "files", same, len(files), 1)
    yield Result("of these, read without feedparser", "files", fast, len(files), fast / len(files))


def _outcome(body: bytes, read_fast: ReadFast) -> object:
    try:
        return parse_feed(body, "", URL, read_fast=read_fast)
    except Exception as exc:
        return type(exc)
