"""`skywave deliveries watch`: shows the progress of broadcasts that another process sends."""

from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from bot.engine import Engine
from bot.platforms import PLATFORMS
from bot.visible import visible_line
from scheduler.types import Progress

# How many finished broadcasts are shown.
RECENT = 8
# Rates are averaged over this time, seconds.
WINDOW = 10.0


@dataclass(frozen=True, slots=True)
class Pace:
    """The speed of a platform.

    `rate` is in messages a second, `share` is the used part of the platform's limit, and `left` is the time
    until all is sent, in seconds; None if nothing is being sent.
    """

    rate: float
    share: float
    left: float | None


class Watch:
    """Queries the progress repeatedly and derives each platform's `Pace` from the differences."""

    def __init__(self, app: Engine) -> None:
        self._app = app
        self._limits = {one.name: one.limits(app.settings).overall for one in PLATFORMS}
        self._seen: list[tuple[float, dict[str, int]]] = []

    async def look(self) -> tuple[Sequence[Progress], dict[str, Pace]]:
        async with self._app.store.read() as work:
            progress = await work.outbox.progress(RECENT)
        sent: dict[str, int] = {}
        pending: dict[str, int] = {}
        for line in progress:
            sent[line.platform] = sent.get(line.platform, 0) + line.sent
            pending[line.platform] = pending.get(line.platform, 0) + line.pending
        now = monotonic()
        self._seen = [(at, before) for at, before in self._seen if now - at <= WINDOW] + [(now, sent)]
        return progress, {platform: self._pace(platform, pending[platform]) for platform in sent}

    def _pace(self, platform: str, pending: int) -> Pace:
        (first, before), (last, after) = self._seen[0], self._seen[-1]
        done = after[platform] - before.get(platform, after[platform])
        rate = done / (last - first) if last > first else 0.0
        limit = self._limits[platform]
        share = rate * limit.seconds / limit.count
        return Pace(rate, share, pending / rate if rate else None)


def line_of(progress: Sequence[Progress], paces: dict[str, Pace]) -> str:
    """The progress as one line, for a pipe."""
    totals = f"{sum(p.sent for p in progress)} sent, {sum(p.pending for p in progress)} pending"
    bad = f"{sum(p.failed for p in progress)} failed, {sum(p.unknown for p in progress)} unknown"
    rates = ", ".join(f"{name} {pace.rate:.1f}/s ({pace.share:.0%})" for name, pace in paces.items())
    return f"{totals}, {bad}" + (f"; {rates}" if rates else "")


def picture(progress: Sequence[Progress], paces: dict[str, Pace]) -> Group:
    """The progress as a table with bars, for a person at a terminal."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("#", "platform", "broadcast", "", "sent", "pending", "failed", "cancelled", "unknown"):
        table.add_column(column, justify="right" if column in ("sent", "pending", "failed") else "left")
    for line in progress:
        bar = ProgressBar(total=max(line.total, 1), completed=line.total - line.pending, width=24)
        name = escape(visible_line(line.name[:40]) or line.kind)
        counts = (line.sent, line.pending, line.failed, line.cancelled, line.unknown)
        table.add_row(str(line.broadcast_id), line.platform, name, bar, *map(str, counts))
    rates = [Text(_rate(name, pace)) for name, pace in paces.items()]
    return Group(table, Text(), *rates)


def _rate(name: str, pace: Pace) -> str:
    left = f", {int(pace.left // 60)}:{int(pace.left % 60):02} left" if pace.left is not None else ""
    return f"{name}: {pace.rate:.1f} a second, {pace.share:.0%} of the limit{left}"


async def watch(app: Engine, seconds: float) -> None:
    """Show progress every `seconds`: at a terminal until Ctrl-C, in a pipe until nothing is pending."""
    watcher, console = Watch(app), Console(highlight=False)
    if not console.is_terminal:
        while True:
            progress, paces = await watcher.look()
            print(line_of(progress, paces), flush=True)
            if not any(line.pending for line in progress):
                return
            await app.clock.sleep(seconds)
    with Live(console=console, screen=False) as live:
        while True:
            live.update(picture(*await watcher.look()))
            await app.clock.sleep(seconds)
