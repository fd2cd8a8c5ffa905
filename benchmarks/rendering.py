"""Rendering: the CPU of one long post on each platform in each form, beside making its tree from HTML."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from statistics import median

from benchmarks.results import Result
from bot.platforms.discord.render import render as discord
from bot.platforms.telegram import rich
from bot.platforms.telegram.render import render as telegram
from bot.platforms.terminal.render import render as terminal
from content import present
from content.blocks import to_blocks
from content.clean import sanitise
from content.document import Document
from content.formats import DEFAULT, Detail, Format
from content.present import Look
from content.types import Post
from scheduler.types import Form, Message

TIMES = 20
RICH = (Form.RICH, Form.RICH_TEXT)

Render = Callable[[Document, Form], Sequence[Message]]


def _telegram(document: Document, form: Form) -> Sequence[Message]:
    return (rich.render if form in RICH else telegram)(document, form)


PLATFORMS: dict[str, tuple[Render, Sequence[Form]]] = {
    "telegram": (_telegram, tuple(Form)),
    "discord": (discord, tuple(Form)),
    "terminal": (terminal, (Form.FULL,)),
}


def article() -> str:
    """An article of some 9,000 characters, with headings, lists, a table, code and pictures."""
    part = (
        "<h2>The tide turns</h2><p>The keeper <b>writes</b> wind and <i>fog</i> into a "
        '<a href="https://example.org/log">log-book</a> by hand, and 潮汐表每天清晨更新一次。</p>'
        "<ul><li>first the lamp<ul><li>its glass</li></ul></li><li>then the horn</li></ul>"
        '<img src="https://example.org/p.jpg" alt="The lamp">'
        "<table><tr><th>Day</th><th>High</th></tr><tr><td>Monday</td><td>05:12</td></tr></table>"
        '<pre><code class="language-sh">tide --now</code></pre>'
        "<p>" + "A short-wave set in the loft answers every evening at nine. " * 9 + "</p>"
    )
    return sanitise(part * 12)


def post(html: str) -> Post:
    when = datetime(2026, 3, 1, tzinfo=UTC)
    return Post(
        id=1,
        source_id=1,
        source_title="Harbour Notes",
        guid="1",
        key="1",
        url="https://example.org/1",
        title="A long article",
        author="Ann",
        published_at=when,
        updated_at=None,
        first_seen_at=when,
        html=html,
        text="",
        language="en",
    )


def cpu(work: Callable[[], object]) -> float:
    """The median CPU time of a call, µs."""
    times = []
    for _ in range(TIMES):
        begun = time.process_time()
        work()
        times.append(time.process_time() - begun)
    return median(times) * 1e6


async def rendering() -> list[Result]:
    """CPU of rendering a long post, per platform and form, beside reading its HTML into a tree."""
    html = article()
    tree = cpu(lambda: to_blocks(html))
    document = present.post(post(html), Look(format=Format(detail=Detail.FULL).over(DEFAULT)))
    results = []
    for name, (render, forms) in PLATFORMS.items():
        for form in forms:
            figure = cpu(partial(render, document, form))
            unit = f"µs CPU a post of {len(html):,} characters of HTML, beside its tree"
            results.append(Result(f"render-{name}-{form}", unit, figure, tree, figure / tree))
    return results
