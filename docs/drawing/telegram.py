"""Draws a chat like Telegram."""

from collections.abc import Sequence
from datetime import datetime
from html import escape

from bot.commands.types import Button, Rows
from drawing import rich
from drawing.column import SIZE, Column
from drawing.svg import SCREEN, box, document, scrolled, text_at
from drawing.text import Styled, ems, plain
from scheduler.types import Payload

WIDTH, MARGIN, PADDING = 520, 14, 14
BAR = 46


def of_telegram(payload: Payload) -> list[Styled]:
    """The styled characters of a message, whose entities count in UTF-16 units."""
    styled, at = [], 0
    for character in payload["text"]:
        inside = (e for e in payload["entities"] if e["offset"] <= at < e["offset"] + e["length"])
        styled.append(Styled(character, tuple(sorted(entity["type"] for entity in inside))))
        at += 2 if ord(character) > 0xFFFF else 1
    return styled


class TelegramPicture:
    """A chat as a phone shows it, scrolled to its end.

    `group` is the name of a group; without it, this is a private chat with the bot.
    """

    def __init__(self, title: str, now: datetime, group: str = "") -> None:
        self._title, self._time, self._group = title, f"{now:%H:%M}", group
        self._shapes: list[str] = []
        self._y = BAR + 14.0

    def says(self, words: str) -> None:
        """Draw the reader's own message, on the right."""
        width = sum(map(ems, plain(words))) * SIZE + 2 * PADDING + 36
        left = WIDTH - MARGIN - width
        self._shapes += [
            box(left, self._y, width, 36, "mine"),
            text_at(left + PADDING, self._y + 23, escape(words)),
            text_at(WIDTH - MARGIN - 10, self._y + 27, self._time, "small end"),
        ]
        self._y += 36 + 10

    def shows(self, payload: Payload, rows: Rows = ()) -> None:
        """Draw a message of the bot, on the left, with its rows of buttons."""
        width = WIDTH - 2 * MARGIN - 24
        column = Column(MARGIN + PADDING, width - 2 * PADDING, self._y + 8)
        if self._group:  # groups name the sender
            column.text(plain("Skywave", "bold", "text_link"), gap=0)
        if "rich_message" in payload:
            rich.blocks(column, payload["rich_message"]["blocks"])
        else:
            column.text(of_telegram(payload), gap=0)
        height = column.y - self._y + 20
        self._shapes.append(box(MARGIN, self._y, width, height, "bubble"))
        self._shapes += column.shapes
        self._shapes.append(text_at(MARGIN + width - 10, self._y + height - 9, self._time, "small end"))
        self._y += height + 4
        for row in filter(None, rows):
            self._row(row, width)
        self._y += 10

    def _row(self, buttons: Sequence[Button], width: float) -> None:
        each = (width - 4 * (len(buttons) - 1)) / len(buttons)
        for number, button in enumerate(buttons):
            left = MARGIN + number * (each + 4)
            self._shapes.append(box(left, self._y, each, 34, "button", 8))
            self._shapes.append(text_at(left + each / 2, self._y + 22, escape(button.label), "press"))
        self._y += 38

    def svg(self) -> str:
        """The picture, as high as its messages but not higher than a screen."""
        height = self._y + 4
        screen = min(height, SCREEN)
        chat, about = (self._group, "group") if self._group else ("Skywave", "bot")
        shapes = [
            box(0, 0, WIDTH, screen, "room", 16),
            *scrolled(self._shapes, WIDTH, BAR, screen, height),
            f'<path class="bar" d="M0 {BAR}V16a16 16 0 0 1 16-16h{WIDTH - 32}a16 16 0 0 1 16 16V{BAR}z"/>',
            text_at(18, 29, escape(chat), "name"),
            text_at(WIDTH - 18, 29, about, "small end"),
        ]
        return document(WIDTH, screen, self._title, shapes)
