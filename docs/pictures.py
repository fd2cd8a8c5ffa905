"""Draws docs/pictures/*.svg: what people see, from the example posts through the real commands and renderers.

Run it with `make pictures`. The text stays text, so the pictures can be searched and read aloud. Colours
follow the reader's light or dark scheme.
"""

import asyncio
import os
import re
import shutil
import tempfile
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from itertools import groupby
from pathlib import Path

from bot.app import App, build, examples_folder
from bot.commands.types import Button, Call, Reply
from bot.logs import configure
from bot.platforms.telegram.render import render as telegram
from bot.platforms.terminal.render import render as terminal
from bot.settings import PREFIX, load_settings
from content import present
from content.types import PostQuery, Visibility
from scheduler.types import ChatKind, Form, Payload, Place

PICTURES = Path(__file__).parent / "pictures"
NOW = datetime(2026, 10, 9, 9, 41, tzinfo=UTC)
SITE = "https://example.org"

SIZE, LEADING = 15, 22  # of text in a chat, pixels
WIDTH, MARGIN, PADDING = 520, 14, 14
COLUMNS = 92  # of the terminal
CELL = 8.43  # pixels of a terminal's column at 14 pixels

STYLE = """
text { font: 15px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "PingFang SC", "Microsoft YaHei",
  "Noto Sans CJK SC", sans-serif; fill: #17212b; white-space: pre }
.mono { font: 14px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, "Noto Sans Mono CJK SC",
  monospace }
.room { fill: #d5e3ec } .bar { fill: #ffffff } .bubble { fill: #ffffff } .mine { fill: #e2f7cb }
.button { fill: #7d9bb0 } .press { fill: #ffffff; text-anchor: middle }
.small { font-size: 12px; fill: #6d7f8f } .end { text-anchor: end } .name { font-weight: 600 }
.bold { font-weight: 600 } .italic { font-style: italic } .text_link { fill: #1c6fb5 }
.code, .pre { fill: #7a3e9d; font: 13px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas,
  "Noto Sans Mono CJK SC", monospace } .blockquote { fill: #4c6072 }
.screen { fill: #14191f } .screen-text { fill: #d8dee6 } .prompt { fill: #7fd18b }
.strong { font-weight: 700; fill: #ffffff }
.link { text-decoration: underline } .emphasis { font-style: italic } .quote { fill: #9fb0c0 }
@media (prefers-color-scheme: dark) {
  text { fill: #e8eef3 } .room { fill: #0e1621 } .bar { fill: #17212b } .bubble { fill: #182533 }
  .mine { fill: #2b5278 } .button { fill: #2b3d50 } .press { fill: #ffffff } .small { fill: #8b9dad }
  .text_link { fill: #6ab3f3 } .code, .pre { fill: #d3a6ee } .blockquote { fill: #a9bac8 }
}
"""

NARROW, WIDE = frozenset("iljtfrI.,:;'|!()[]· \""), frozenset("mwMWGOQ@%&—…")
# What may not begin a line, in Chinese or in English.
CLOSING = frozenset(",.:;!?)]}”’»…，。：；！？、）」』》")
# What may not end one.
OPENING = frozenset("([{“‘«（「『《")


class StillClock:
    """It is always NOW, so that a picture changes only when what it shows does."""

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Styled:
    """A character with its classes."""

    character: str
    classes: tuple[str, ...] = ()


Line = Sequence[Styled]


# ---------------------------------------------------------------- text to lines


def plain(text: str, *classes: str) -> list[Styled]:
    return [Styled(character, classes) for character in text]


def of_telegram(payload: Payload) -> list[Styled]:
    """A message's characters; entities count in UTF-16 units."""
    styled, at = [], 0
    for character in payload["text"]:
        inside = (e for e in payload["entities"] if e["offset"] <= at < e["offset"] + e["length"])
        styled.append(Styled(character, tuple(sorted(entity["type"] for entity in inside))))
        at += 2 if ord(character) > 0xFFFF else 1
    return styled


def of_terminal(payload: Payload) -> list[Styled]:
    spans = payload["spans"]
    return [
        Styled(character, ("screen-text", *(str(kind) for start, end, kind, _ in spans if start <= at < end)))
        for at, character in enumerate(payload["text"])
    ]


def is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"


def ems(one: Styled) -> float:
    """About how wide a character is in the widest of the fonts, DejaVu Sans."""
    if is_wide(one.character):
        return 1.0
    if {"code", "pre"} & set(one.classes):
        return 0.53
    if one.character in NARROW:
        return 0.35
    if one.character in WIDE:
        return 0.9
    return (0.71 if one.character.isupper() else 0.6) * (1.12 if "bold" in one.classes else 1.0)


def cells(one: Styled) -> float:
    return 0 if unicodedata.category(one.character) in ("Mn", "Cf") else 1 + is_wide(one.character)


def wrapped(text: Iterable[Styled], room: float, measure: Callable[[Styled], float]) -> Iterator[Line]:
    """Lines of at most `room`: broken at spaces and beside wide characters, as a chat breaks them."""
    for is_end, line in groupby(text, lambda one: one.character == "\n"):
        if is_end:
            yield from [()] * (len(list(line)) - 1)
            continue
        current: list[Styled] = []
        for atom in atoms(line):
            if current and sum(map(measure, (*current, *stripped(atom)))) > room:
                yield current
                current = []
                if not stripped(atom):
                    continue
            current += atom
        yield current


def atoms(line: Iterable[Styled]) -> Iterator[list[Styled]]:
    """What stays together: a word with the space behind it, a wide character with the signs that close it."""
    atom: list[Styled] = []
    for one in line:
        glued = atom and (
            one.character in CLOSING
            or one.character == " "
            or atom[-1].character in OPENING
            or not (is_wide(one.character) or is_wide(atom[-1].character) or atom[-1].character == " ")
        )
        if atom and not glued:
            yield atom
            atom = []
        atom.append(one)
    if atom:
        yield atom


def stripped(atom: Sequence[Styled]) -> Sequence[Styled]:
    return atom[: len(atom) - 1] if atom[-1].character == " " else atom


# ---------------------------------------------------------------- lines to SVG


def spans(line: Line) -> str:
    parts = []
    for classes, characters in groupby(line, lambda one: one.classes):
        content = escape("".join(one.character for one in characters), quote=False)
        parts.append(f'<tspan class="{" ".join(classes)}">{content}</tspan>' if classes else content)
    return "".join(parts)


def text_at(x: float, y: float, content: str, classes: str = "") -> str:
    named = f' class="{classes}"' if classes else ""
    return f'<text xml:space="preserve" x="{x:g}" y="{y:g}"{named}>{content}</text>'


def box(x: float, y: float, width: float, height: float, classes: str, radius: float = 12) -> str:
    return (
        f'<rect class="{classes}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{radius:g}"/>'
    )


def document(width: float, height: float, title: str, shapes: Iterable[str]) -> str:
    body = "\n".join(shapes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {width:g} {height:g}" role="img">\n<title>{escape(title)}</title>\n'
        f"<style>{STYLE}</style>\n{body}\n</svg>\n"
    )


class ChatPicture:
    """A chat as a phone shows it, filled from the top."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._shapes: list[str] = []
        self._y = 60.0

    def says(self, words: str) -> None:
        """A person's message, on the right."""
        width = sum(map(ems, plain(words))) * SIZE + 2 * PADDING + 36
        left = WIDTH - MARGIN - width
        self._shapes += [
            box(left, self._y, width, 36, "mine"),
            text_at(left + PADDING, self._y + 23, escape(words)),
            text_at(WIDTH - MARGIN - 10, self._y + 27, f"{NOW:%H:%M}", "small end"),
        ]
        self._y += 36 + 10

    def shows(self, payload: Payload, buttons: Sequence[Button] = ()) -> None:
        """A message of the bot's, on the left, with its row of buttons."""
        width = WIDTH - 2 * MARGIN - 24
        lines = list(wrapped(of_telegram(payload), (width - 2 * PADDING) / SIZE, ems))
        height = len(lines) * LEADING + 34
        self._shapes.append(box(MARGIN, self._y, width, height, "bubble"))
        for number, line in enumerate(lines):
            self._shapes.append(text_at(MARGIN + PADDING, self._y + 26 + number * LEADING, spans(line)))
        self._shapes.append(text_at(MARGIN + width - 10, self._y + height - 9, f"{NOW:%H:%M}", "small end"))
        self._y += height + 4
        self._row(buttons, width)
        self._y += 10

    def _row(self, buttons: Sequence[Button], width: float) -> None:
        if not buttons:
            return
        each = (width - 4 * (len(buttons) - 1)) / len(buttons)
        for number, button in enumerate(buttons):
            left = MARGIN + number * (each + 4)
            self._shapes.append(box(left, self._y, each, 34, "button", 8))
            self._shapes.append(text_at(left + each / 2, self._y + 22, escape(button.label), "press"))
        self._y += 34

    def svg(self) -> str:
        """The picture, as high as what is in it."""
        height = self._y + 4
        bar = [
            box(0, 0, WIDTH, height, "room", 16),
            f'<path class="bar" d="M0 46V16a16 16 0 0 1 16-16h{WIDTH - 32}a16 16 0 0 1 16 16v30z"/>',
            text_at(18, 29, "Skywave", "name"),
            text_at(WIDTH - 18, 29, "bot", "small end"),
        ]
        return document(WIDTH, height, self._title, [*bar, *self._shapes])


def terminal_svg(title: str, lines: Sequence[Line]) -> str:
    width, height = COLUMNS * CELL + 2 * 18, len(lines) * 20 + 62
    dots = [
        f'<circle cx="{x}" cy="20" r="5.5" fill="{fill}"/>'
        for x, fill in ((22, "#ff5f57"), (40, "#febc2e"), (58, "#28c840"))
    ]
    texts = [text_at(18, 56 + 20 * number, spans(line), "mono") for number, line in enumerate(lines)]
    return document(round(width), height, title, [box(0, 0, round(width), height, "screen"), *dots, *texts])


# ---------------------------------------------------------------- what is shown


def site_like(folder: Path) -> None:
    """The example posts with addresses, as the posts of a site have them, and of one age."""
    for file in sorted(examples_folder().glob("*.md")):
        copy = Path(shutil.copy(file, folder))
        fence, _, rest = copy.read_text(encoding="utf-8").partition("\n")
        if fence in ("---", "+++") and not re.search(r"^(url|link|permalink)\b", rest, re.MULTILINE):
            sign = ":" if fence == "---" else " ="
            copy.write_text(f'{fence}\nurl{sign} "{SITE}/{file.stem}"\n{rest}', encoding="utf-8")
        os.utime(copy, (NOW.timestamp(), NOW.timestamp()))


async def reply_to(app: App, line: str, locale: str, place: Place) -> Reply:
    name, _, arguments = line.removeprefix("/").partition(" ")

    async def is_admin() -> bool:
        return True

    call = Call(name, arguments, place, ChatKind.PRIVATE, "", f"{place.platform}:1", locale, is_admin)
    reply = await app.router.command(call)
    assert reply is not None
    return reply


async def chat_picture(app: App, title: str, line: str, locale: str) -> str:
    """A command and its answer in Telegram."""
    picture = ChatPicture(title)
    reply = await reply_to(app, line, locale, Place("telegram", "1"))
    picture.says(line)
    picture.shows(telegram(reply.document, Form.FULL)[0].payload, reply.buttons)
    return picture.svg()


async def post_picture(app: App, title: str, guid: str) -> str:
    """A post as it arrives in a chat that follows its source."""
    async with app.store.read() as work:
        posts, _ = await work.posts.page(PostQuery(limit=100))
    post = next(post for post in posts if post.guid == guid)
    picture = ChatPicture(title)
    for message in telegram(present.post(post, present.Look()), Form.FULL):
        picture.shows(message.payload)
    return picture.svg()


async def terminal_picture(app: App, title: str, commands: Sequence[str]) -> str:
    """What a person sees who starts `skywave chat`, and then types."""
    lines: list[Line] = [[*plain("$ ", "prompt"), *plain("skywave chat", "screen-text")]]
    for number, command in enumerate(("/start", "/latest", *commands)):
        if number > 1:  # the first two come by themselves
            lines.append([*plain("skywave> ", "prompt"), *plain(command, "screen-text")])
        reply = await reply_to(app, command, "en", Place("terminal", "me"))
        payload = terminal(reply.document, Form.FULL)[0].payload
        lines += [*wrapped(of_terminal(payload), COLUMNS, cells), ()]
    return terminal_svg(title, lines[:-1])


async def draw(folder: Path) -> None:
    posts = folder / "posts"
    posts.mkdir()
    site_like(posts)
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
    settings = load_settings(
        database_url=f"sqlite:///{folder / 'pictures.db'}", page_size=4, excerpt_length=110
    )
    async with build(settings, clock=StillClock(), seed=0) as app:
        await app.ingest.add(str(posts), Visibility.PUBLIC, title="Field notes")
        pictures = {
            "page": await chat_picture(app, "/latest in Telegram", "/latest", "en"),
            "search": await chat_picture(app, "/search in Telegram, in Chinese", "/search 微调", "zh-hans"),
            "post": await post_picture(
                app, "A new post of a source that a chat follows", "four-bits-are-often-enough"
            ),
            "terminal": await terminal_picture(app, "skywave chat in a terminal", ("/search skywave",)),
        }
    PICTURES.mkdir(exist_ok=True)
    for name, svg in pictures.items():
        (PICTURES / f"{name}.svg").write_text(svg, encoding="utf-8")


def main() -> None:
    configure("console", (), level="WARNING")
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(draw(Path(folder)))


if __name__ == "__main__":
    main()
