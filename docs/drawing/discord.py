"""Draws a channel like Discord, including the Markdown of its messages."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any

from bot.commands.types import Button, Rows
from bot.platforms.discord.sender import fitting
from drawing.svg import SCREEN, box, document, scrolled, spans, text_at
from drawing.text import Line, Styled, ems, plain, wrapped
from scheduler.types import Payload

WIDTH, LEFT, RIGHT = 560, 70, 16
BAR = 44
SIZE, LEADING = 14, 20  # of text, pixels
HEADINGS = {"# ": ("d-h1", 21), "## ": ("d-h2", 18)}
FAINT = 12 / SIZE

TOKENS = re.compile(
    r"\\(?P<escaped>.)|\[(?P<label>(?:\\.|[^\]\\])*)\]\([^)]*\)|<(?P<url>https?://[^>]*)>"
    r"|<t:(?P<time>\d+):f>|`(?P<code>[^`]*)`|(?P<strong>\*\*)|(?P<strike>~~)|(?P<emphasis>\*)|(?P<other>.)"
)
FENCE, QUOTE, SMALL = "```", "> ", "-# "
TEXT, GALLERY = 10, 12  # types of components
PICTURE = 120  # height of a picture, pixels


def inline(markdown: str, *classes: str) -> list[Styled]:
    """Parse a line of Markdown from `bot.platforms.discord.markup` into styled characters."""
    styled: list[Styled] = []
    marks: set[str] = set()
    for found in TOKENS.finditer(markdown):
        kind, content = found.lastgroup, found[found.lastgroup or 0]
        if kind in ("strong", "emphasis", "strike"):
            marks ^= {"strike" if kind == "strike" else f"d-{kind}"}
        elif kind == "time":
            styled += plain(f"{datetime.fromtimestamp(int(content), UTC):%B %-d, %Y %H:%M}", *classes)
        elif kind == "label":
            styled += inline(content, *classes, "d-link")
        else:
            extra = {"url": ("d-link",), "code": ("d-code",)}.get(kind or "", ())
            styled += plain(content, *classes, *sorted(marks), *extra)
    return styled


def lines_of(markdown: str, room: float) -> Iterator[tuple[Line, int]]:
    """Break a text into lines of `room` pixels, each with its height."""
    fenced = False
    for line in markdown.split("\n"):
        if line.startswith(FENCE):
            fenced = not fenced
            continue
        if fenced:
            yield plain(line, "d-code"), LEADING
            continue
        if not line:
            yield (), LEADING // 2
            continue
        mark = next((mark for mark in (*HEADINGS, SMALL) if line.startswith(mark)), "")
        name, size = HEADINGS.get(mark, ("d-faint" if mark == SMALL else "d-text", SIZE))
        content = re.sub("^( *)- ", r"\1•  ", line.removeprefix(mark))
        lead = plain("▎ ", "d-faint") if content.startswith(QUOTE) else []
        for part in wrapped(inline(content.removeprefix(QUOTE), name), room / size - 2 * bool(lead), ems):
            yield (*lead, *part), size + LEADING - SIZE


def width_of(text: str, share: float = 1.0) -> float:
    return sum(map(ems, plain(text))) * SIZE * share


class DiscordPicture:
    """A channel, scrolled to its end."""

    def __init__(self, title: str, channel: str, now: datetime) -> None:
        self._title, self._channel, self._time = title, channel, f"Today at {now:%H:%M}"
        self._behind: list[str] = []
        self._shapes: list[str] = []
        self._y = BAR + 18.0
        self._top = self._y  # where the next message begins

    def used(self, person: str, command: str) -> None:
        """Draw the line above an answer that says who used which command."""
        y, start = self._y, LEFT + width_of(f"{person} used ", 13 / SIZE)
        self._shapes += [
            f'<path class="d-curve" d="M36 {y + 20:g}v-6a6 6 0 0 1 6-6h20"/>',
            text_at(LEFT, y + 13, escape(f"{person} used"), "d-faint"),
            box(start - 4, y - 2, width_of(command, 13 / SIZE) + 12, 20, "d-pill", 4),
            text_at(start + 2, y + 13, escape(command), "d-command"),
        ]
        self._y += 26

    def shows(self, payload: Payload, rows: Rows = (), *, secret: bool = False) -> None:
        """Draw a message of the bot with its buttons. A `secret` one is visible to one person only."""
        self._author()
        for embed in payload["embeds"]:
            self._embed(embed)
        for container in payload.get("components", ()):
            self._container(container)
        for row in filter(None, fitting(rows)):
            self._row(row)
        if secret:
            self._shapes.append(text_at(LEFT, self._y + 15, "Only you can see this", "d-faint"))
            seen = width_of("Only you can see this • ", FAINT)
            self._shapes.append(text_at(LEFT + seen, self._y + 15, "Dismiss message", "d-faint d-link"))
            self._y += 26
            height = self._y - self._top + 16
            self._behind += [
                box(0, self._top - 12, WIDTH, height, "d-secret", 0),
                box(0, self._top - 12, 3, height, "d-badge", 0),
            ]
        self._y += 18
        self._top = self._y

    def _author(self) -> None:
        y, after = self._y, LEFT + width_of("Skywave", 15 / SIZE) + 13
        self._shapes += [
            f'<circle class="d-badge" cx="36" cy="{y + 20:g}" r="20"/>',
            f'<path fill="none" stroke="#fff" stroke-width="2.5" stroke-linecap="round" '
            f'd="M24 {y + 27:g}L36 {y + 13:g}L48 {y + 27:g}"/>',
            text_at(LEFT, y + 13, "Skywave", "d-name"),
            box(after, y + 1, 30, 15, "d-badge", 3),
            text_at(after + 4, y + 12, "APP", "d-on-badge"),
            text_at(after + 38, y + 13, self._time, "d-faint"),
        ]
        self._y += 24

    def _embed(self, embed: Mapping[str, Any]) -> None:
        """An embed: its author, its text, its picture and its time stamp."""
        author = embed.get("author", {}).get("name", "")
        below = [embed["footer"]["text"]] if "footer" in embed else []
        parts = [{"type": TEXT, "content": f"-# {author}"}] if author else []
        parts.append({"type": TEXT, "content": embed["description"]})
        if "image" in embed:
            parts.append({"type": GALLERY, "items": [{"media": embed["image"]}]})
        if "timestamp" in embed:
            below.append(f"{datetime.fromisoformat(embed['timestamp']):%B %-d, %Y %H:%M}")
        if below:
            parts.append({"type": TEXT, "content": f"-# {' • '.join(below)}"})
        self._container({"components": parts, "accent_color": embed.get("color")})

    def _container(self, container: Mapping[str, Any]) -> None:
        width, top = WIDTH - LEFT - RIGHT, self._y
        behind = len(self._shapes)
        self._y += 8
        for part in container["components"]:
            self._part(part, width - 32)
        self._y += 14
        colour = container.get("accent_color")
        edge = box(LEFT, top, 4, self._y - top, "d-edge", 2)
        if colour is not None:
            edge = edge.replace('class="d-edge"', f'fill="#{colour:06x}"')
        self._shapes.insert(behind, box(LEFT, top, width, self._y - top, "d-embed", 4))
        self._shapes.insert(behind + 1, edge)
        self._y += 8

    def _part(self, part: Mapping[str, Any], room: float) -> None:
        match part["type"]:
            case 10:  # a text
                self._text(part["content"], room)
            case 9:  # a section: texts with a small picture to their right
                top = self._y
                for inner in part["components"]:
                    self._part(inner, room - 90)
                self._shapes.append(box(LEFT + 16 + room - 74, top + 8, 74, 74, "sheet", 6))
                self._y = max(self._y, top + 88)
            case 12:  # a gallery
                self._gallery(part["items"], room)
            case 14:  # a separator
                self._shapes.append(box(LEFT + 16, self._y + 8, room, 1, "d-edge", 0))
                self._y += 14

    def _text(self, content: str, room: float) -> None:
        for line, height in lines_of(content, room):
            self._y += height
            if line:
                self._shapes.append(text_at(LEFT + 16, self._y, spans(line)))

    def _gallery(self, items: Sequence[Mapping[str, Any]], room: float) -> None:
        """Pictures side by side. A drawing cannot load them, so each is a box with its description."""
        each = (room - 4 * (len(items) - 1)) / len(items)
        self._y += 10
        for number, item in enumerate(items):
            left = LEFT + 16 + number * (each + 4)
            name = (item.get("description") or item["media"]["url"].rpartition("/")[2])[: int(each / 7)]
            self._shapes += [
                box(left, self._y, each, PICTURE, "sheet", 6),
                text_at(left + each / 2, self._y + PICTURE / 2, "🖼", "middle"),
                text_at(
                    left + each / 2,
                    self._y + PICTURE / 2 + 22,
                    escape(name[: int(each / 7)]),
                    "d-faint middle",
                ),
            ]
        self._y += PICTURE + 4

    def _row(self, buttons: Sequence[Button]) -> None:
        x = float(LEFT)
        for button in buttons:
            width = max(60.0, width_of(button.label) + 32)
            if x > LEFT and x + width > WIDTH - 8:
                x, self._y = float(LEFT), self._y + 40
            self._shapes.append(box(x, self._y, width, 34, "d-button", 8))
            self._shapes.append(text_at(x + width / 2, self._y + 22, escape(button.label), "d-press"))
            x += width + 8
        self._y += 40

    def svg(self) -> str:
        """The picture, as high as its messages but not higher than a screen."""
        screen = min(self._y, SCREEN)
        shapes = [
            f'<clipPath id="room"><rect width="{WIDTH}" height="{screen:g}" rx="12"/></clipPath>',
            '<g clip-path="url(#room)">',
            box(0, 0, WIDTH, screen, "d-room", 12),
            box(0, BAR, WIDTH, 1.5, "d-line", 0),
            text_at(18, 28, "#", "d-faint name"),
            text_at(36, 28, escape(self._channel), "d-name"),
            *scrolled([*self._behind, *self._shapes], WIDTH, BAR + 1.5, screen, self._y),
            "</g>",
        ]
        return document(WIDTH, screen, self._title, shapes)
