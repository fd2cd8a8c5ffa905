"""`python -m tests.content.mutations [COUNT]`: what seeded mutations of our fixtures do, and the slowest.

Every mutant must become posts or a SourceError (a UsageError for OPML), within a second.
"""

import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.cli.opml import read_opml
from content.blocks import to_blocks
from content.edge import guarded
from content.errors import SourceError, UsageError
from content.sources.feed import parse_feed
from content.sources.markdown import _files, parse_folder
from content.text import plain_text, sanitise
from tests.content.test_feed import ATOM, JSON, RDF, RSS

COUNT = 2000
SECOND = 1.0
URL = "https://example.org/feed.xml"

YAML = """---
title: 微调 笔记
date: 2026-07-14T10:00:00+08:00
author: &me {name: Ann}
authors: [*me, Bob]
tags: [LoRA, 微调, 7, 0x1f, 1.5]
draft: false
url: https://example.org/a
---

# Heading

Hello **you** [b](b.html) ![p](/p.png) [ref][r] `code` <b>raw</b>

| a | b |
|---|---|
| 1 | 2 |

> - quote
>   1. list

[r]: https://example.org/r "title"
"""
TOML = '+++\ntitle = "T"\ndate = 2026-07-14T10:00:00Z\ntags = ["a", 7]\n[author]\nname = "Ann"\n+++\n\nText\n'
OPML = """<?xml version="1.0"?><opml version="2.0"><head><title>t</title></head><body>
<outline text="a"><outline type="rss" text="b" xmlUrl="https://example.org/feed.xml"/></outline></body></opml>"""
HTML = """<h1>T</h1><p>a <b>b <i>c</i></b> <a href="/x" title='y'>l</a><img src="i.png" alt="i"></p>
<ul><li>1<ol start="3"><li>2</li></ol></li></ul><table><tr><th>h</th><td>d</td></tr></table>
<pre><code class="language-python">x = 1</code></pre><blockquote>q</blockquote>
<figure><img src="a.png" srcset="b.png 2x, c.png 800w"><figcaption>c</figcaption></figure>
<ruby>b<rt>r</rt></ruby>
<p id="t">t<sup><a href="#n" id="r">1</a></sup> <math display="block"><mi>x</mi></math><a href="#h">j</a></p>
<details><summary>s</summary>d</details><ol><li id="n">n <a href="#r">b</a></li></ol><h2 id="h">H</h2>
<video title="v"><source src="v.mp4"></video><iframe src="https://player.vimeo.com/video/1"></iframe>
<table><caption>c</caption><tr><td colspan="2" rowspan="9">
<table><tr><th>n</th></tr></table></td></tr></table>
<script>x</script>&amp;&#20013;"""

NASTY = (
    # Markup and entities that begin and do not end.
    *(b"<?xml", b"<!--", b"<![CDATA[", b"]]>", b"&b;", b"&#x110000;", b"&#0;"),
    *(b"<!DOCTYPE a [<!ENTITY b '&b;'>]>", b"<<: *me\n", b"&a [*a]", b"!!python/object:os.system"),
    # Too much of one thing.
    *(piece * 500 for piece in (b"&", b"[", b"{", b"<p>", b"<", b"> ", b"- ", b"* _", b"`", b"1:", b" a=1")),
    *(b"9" * 5000, b"0x" + b"f" * 5000, b"a" * 3000 + b"@"),
    # Characters and encodings.
    *(b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\r", b"\xc2\xa0", b"\xe2\x80\xa8"),
    *(b' encoding="utf-16"', b' encoding="utf-7"', b' encoding="hz"', b'"\\ud800"'),
    # Values.
    *(b"null", b"true", b"1e999", b"-1", b'{"a":', b".inf", b"http://[::1", b"//", b"javascript:"),
    *(b"0001-01-01", b"9999-12-31T23:59:59-23:59"),
)

Reader = Callable[[bytes, Path], object]


def _feed(body: bytes, _folder: Path) -> object:
    return guarded(URL, parse_feed, body, "", URL)


def _markdown(body: bytes, folder: Path) -> object:
    (folder / "post.md").write_bytes(body)
    return guarded(str(folder), parse_folder, folder, _files(folder))


def _opml(body: bytes, folder: Path) -> object:
    file = folder / "feeds.opml"
    file.write_bytes(body)
    return read_opml(file)


def _html(body: bytes, _folder: Path) -> object:
    clean = sanitise(body.decode("utf-8", "replace"), URL)
    return plain_text(clean), to_blocks(clean)


FIXTURES: Mapping[str, tuple[str, Reader]] = {
    "rss": (RSS, _feed),
    "atom": (ATOM, _feed),
    "rdf": (RDF, _feed),
    "json": (JSON, _feed),
    "page": (f"<html><head><link rel=alternate type=application/rss+xml href=/f></head>{HTML}</html>", _feed),
    "yaml": (YAML, _markdown),
    "toml": (TOML, _markdown),
    "html": (HTML, _html),
    "opml": (OPML, _opml),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a mutant: `error` is empty for posts, and `wrong` if it was none of those allowed."""

    name: str
    number: int
    seconds: float
    error: str
    wrong: bool


def mutant(text: str, rng: random.Random) -> bytes:
    """`text` after one to six mutations."""
    body = bytearray(text.encode())
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(body) + 1)
        to = min(len(body), at + rng.choice((1, 2, 8, 40, 200)))
        match rng.randrange(6):
            case 0 if at < len(body):
                body[at] ^= 1 << rng.randrange(8)
            case 1:
                del body[at:to]
            case 2:
                body[at:at] = body[at:to] * rng.choice((1, 2, 50))
            case 3:
                body[at:at] = rng.choice(NASTY)
            case 4:
                body[at:to] = rng.choice(NASTY)
            case _ if rng.random() < 0.2:
                del body[at:]
    return bytes(body)


def outcomes(name: str, count: int, folder: Path) -> Iterator[Outcome]:
    """What becomes of the first `count` mutants of a fixture."""
    text, read = FIXTURES[name]
    for number in range(count):
        body = mutant(text, random.Random(f"{name} {number}"))
        begun, error, wrong = time.perf_counter(), "", False
        try:
            read(body, folder)
        except (SourceError, UsageError) as exc:
            error = str(exc)
            wrong = "\n" in error or isinstance(exc, UsageError) != (read is _opml)
        except Exception as exc:
            error, wrong = repr(exc), True
        yield Outcome(name, number, time.perf_counter() - begun, error, wrong)


def main() -> int:
    """0 if all mutants became what they may, each within a second."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COUNT
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in FIXTURES:
            found = list(outcomes(name, count, Path(folder)))
            slowest = max(found, key=lambda one: one.seconds)
            wrong = [one for one in found if one.wrong or one.seconds > SECOND]
            bad += len(wrong)
            errors = sum(bool(one.error) for one in found)
            print(
                f"{name}: {count - errors} posts, {errors} errors, {len(wrong)} wrong; "
                f"the slowest, {slowest.number}, took {slowest.seconds * 1000:.0f} ms"
            )
            for one in wrong[:5]:
                print(f"  {one.number}: {one.seconds:.2f} s {one.error[:200]}")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
