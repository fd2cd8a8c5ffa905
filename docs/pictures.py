"""Draws docs/pictures/*.svg from the example posts, with the real commands, renderers and default settings.

Run it with `make pictures`. The text stays text, so that the pictures can be searched and read aloud. Colours
follow the reader's light or dark scheme. Only the figures of `deliveries watch` are made up.
"""

import asyncio
import json
import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import ceil, floor, log10
from pathlib import Path

from drawing.discord import DiscordPicture
from drawing.plot import Panel, plot
from drawing.ranges import Row, ranges
from drawing.telegram import TelegramPicture
from drawing.terminal import COLUMNS, of_rich, of_terminal, terminal_svg
from drawing.text import Line, cells, plain, wrapped

from bot.access import Role
from bot.app import App, build, examples_folder
from bot.cli.watch import Pace, picture
from bot.commands import listing
from bot.commands.types import Call, Reply, Request
from bot.loading import PREFIX, load_settings
from bot.logs import configure
from bot.look import make_look
from bot.platforms.discord.render import prefers_rich as more_than_an_embed
from bot.platforms.discord.render import render as discord
from bot.platforms.telegram.gains import gains
from bot.platforms.telegram.render import render as telegram
from bot.platforms.telegram.rich import render as rich
from bot.platforms.terminal.render import render as terminal
from content import present
from content.document import Document
from content.fetch import Fetched
from content.formats import Detail, Format
from content.i18n import LANGUAGES, native_name
from content.sources import ReadContext
from content.types import Post, PostQuery, Validators, Visibility
from scheduler.actions.audit import UPKEEP
from scheduler.intake.ingest import Ingest
from scheduler.types import BroadcastKind, Chat, ChatKind, Form, Place, Progress

PICTURES = Path(__file__).parent / "pictures"
NOW = datetime(2026, 10, 9, 9, 41, tzinfo=UTC)
SITE = "https://example.org"
SAMPLES = Path(__file__).parent / "samples"
GROWTH = Path(__file__).parents[1] / "benchmarks" / "growth.json"
RHYTHM = GROWTH.with_name("rhythm.json")
WATCHED = 100  # columns of `deliveries watch`


class OnePage:
    """A web in which every address is the page of docs/samples/listing.html."""

    async def fetch(self, url: str, validators: Validators, *, large: bool = False) -> Fetched:
        return Fetched(url, (SAMPLES / "listing.html").read_bytes(), "text/html", validators)


class StillClock:
    """Always NOW, so that a picture changes only when its content does."""

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        return None


def site_like(notes: Path, log: Path) -> None:
    """Copy the example posts into two sources: dated files become the log, the others the notes.

    They get URLs, because posts of real sites have them, and the same modification time.
    """
    for folder in (notes, log):
        folder.mkdir()
    for file in sorted(examples_folder().glob("*.md")):
        copy = Path(shutil.copy(file, log if file.name[0].isdigit() else notes))
        fence, _, rest = copy.read_text(encoding="utf-8").partition("\n")
        if fence in ("---", "+++") and not re.search(r"^(url|link|permalink)\b", rest, re.MULTILINE):
            sign = ":" if fence == "---" else " ="
            copy.write_text(f'{fence}\nurl{sign} "{SITE}/{file.stem}"\n{rest}', encoding="utf-8")
        os.utime(copy, (NOW.timestamp(), NOW.timestamp()))


async def reply_to(
    app: App, line: str, locale: str, place: Place, kind: ChatKind = ChatKind.PRIVATE
) -> Reply:
    name, _, arguments = line.removeprefix("/").partition(" ")

    async def is_admin() -> bool:
        return True

    call = Call(name, arguments, place, kind, "", f"{place.platform}:1", locale, is_admin)
    reply = await app.router.command(call)
    assert reply is not None
    return reply


async def telegram_picture(app: App, title: str, line: str, locale: str) -> str:
    """A command and its answer in Telegram."""
    drawn = TelegramPicture(title, NOW)
    reply = await reply_to(app, line, locale, Place("telegram", "1"))
    drawn.says(line)
    drawn.shows(telegram(reply.document, Form.FULL)[0].payload, reply.rows)
    return drawn.svg()


async def discord_picture(app: App, title: str, line: str, *, shown: str = "") -> str:
    """A command and its answer in Discord; `shown` is how Discord displays the command, if it differs."""
    drawn = DiscordPicture(title, "updates", NOW)
    reply = await reply_to(app, line, "en", Place("discord", "1"))
    drawn.used("mira", shown or line)
    drawn.shows(discord(reply.document, Form.FULL)[0].payload, reply.rows, secret=reply.private)
    return drawn.svg()


async def panel_pictures(app: App) -> dict[str, str]:
    """The panel of a subscription in Telegram, and the settings of a chat in Discord."""
    group, channel = Place("telegram", "-1002"), Place("discord", "2")
    await reply_to(app, "/subscribe Field notes", "en", group, ChatKind.GROUP)
    reply = await reply_to(app, "/subscriptions", "en", group, ChatKind.GROUP)
    reply = await press(app, reply, "Field notes", group)
    on_telegram = TelegramPicture("A panel of /subscriptions in Telegram", NOW, group="Short Wave Club")
    on_telegram.shows(telegram(reply.document, Form.FULL)[0].payload, reply.rows)
    reply = await reply_to(app, "/settings", "en", channel, ChatKind.CHANNEL)
    on_discord = DiscordPicture("/settings in Discord", "updates", NOW)
    on_discord.used("mira", "/settings")
    on_discord.shows(discord(reply.document, Form.FULL)[0].payload, reply.rows, secret=reply.private)
    return {"panel-telegram": on_telegram.svg(), "panel-discord": on_discord.svg()}


async def contact_pictures(app: App) -> dict[str, str]:
    """What a group is asked at first, and what it is told when it is set up."""
    group = Place("telegram", "-1003")
    reply = await reply_to(app, "/start", "en", group, ChatKind.GROUP)
    asked = TelegramPicture("The greeting in a Telegram group", NOW, group="Short Wave Club")
    asked.shows(telegram(reply.document, Form.FULL)[0].payload, reply.rows)
    done = TelegramPicture("The last question, and what the group is told", NOW, group="Short Wave Club")
    for label in ("Field notes", "Weekdays", "09:00"):
        reply = await press(app, reply, label, group)
        if label != "Field notes":
            done.shows(telegram(reply.document, Form.FULL)[0].payload, reply.rows)
    return {"contact-source": asked.svg(), "contact-done": done.svg()}


async def listing_picture(app: App, title: str) -> str:
    """The preview of a listing page in Telegram."""
    place, web, clock = Place("telegram", "1"), OnePage(), StillClock()
    context = ReadContext(web, now=clock.now)
    ingest = Ingest(
        app.store,
        context,
        clock,
        timedelta(hours=1),
        lambda: None,
        for_people=web,
        quotas=app.settings.quotas,
    )
    command = f"/subscribe {SITE}/notices --listing"
    drawn = TelegramPicture(title, NOW)
    drawn.says(command)

    async def is_admin() -> bool:
        return True

    arguments = command.partition(" ")[2]
    call = Call("subscribe", arguments, place, ChatKind.PRIVATE, "", "telegram:1", "en", is_admin)
    chat = Chat(0, place)
    request = Request(call, chat, Role.ADMIN, make_look(app.settings, chat))
    reply = await listing.subscribe(request, replace(app.services, ingest=ingest))
    drawn.shows(telegram(reply.document, Form.FULL)[0].payload, reply.rows)
    return drawn.svg()


async def trial_picture(app: App, title: str) -> str:
    """A filter in Telegram, tried on the newest posts before it is saved."""
    group, command = Place("telegram", "-1004"), "/filter lang:en -warm"
    await reply_to(app, "/subscribe Station log", "en", group, ChatKind.GROUP)
    reply = await reply_to(app, command, "en", group, ChatKind.GROUP)
    drawn = TelegramPicture(title, NOW, group="Short Wave Club")
    drawn.says(command)
    drawn.shows(telegram(reply.document, Form.FULL)[0].payload, reply.rows)
    return drawn.svg()


async def press(app: App, shown: Reply, label: str, place: Place) -> Reply:
    """The reply to a button, which asks nothing."""

    async def is_admin() -> bool:
        return True

    data = next(button.sent for button in shown.buttons if button.label == label)
    call = Call("", "", place, ChatKind.GROUP, "", f"{place.platform}:1", "en", is_admin)
    reply = await app.router.press(data, call, [data])
    assert isinstance(reply, Reply)
    return reply


async def posts_of(app: App, folder: Path) -> Sequence[Post]:
    """The posts of a folder, which is added as a source that only this asks for."""
    found = await app.ingest.add(str(folder), Visibility.PRIVATE, title="Samples", by=UPKEEP)
    async with app.store.read() as work:
        posts, _ = await work.posts.page(PostQuery(source_id=found.source.id, limit=20))
    return posts


async def newest(app: App, count: int) -> Sequence[Post]:
    async with app.store.read() as work:
        posts, _ = await work.posts.page(PostQuery(limit=count))
    return posts


async def arrival_picture(app: App, title: str, guid: str) -> str:
    """An admin subscribes a Telegram group, and later a post arrives."""
    drawn = TelegramPicture(title, NOW, group="Short Wave Club")
    chat = Chat(0, Place("telegram", "-1001"), ChatKind.GROUP)
    command = "/subscribe Field notes"
    reply = await reply_to(app, command, "en", chat.place, chat.kind)
    drawn.says(command)
    drawn.shows(telegram(reply.document, Form.FULL)[0].payload)
    post = next(post for post in await newest(app, 100) if post.guid == guid)
    for message in telegram(present.post(post, make_look(app.settings, chat)), Form.FULL):
        drawn.shows(message.payload)
    return drawn.svg()


async def digest_pictures(app: App) -> dict[str, str]:
    """One digest in Telegram and in Discord."""
    posts = tuple(reversed(await newest(app, 4)))
    document = present.edition(posts, make_look(app.settings, Chat(0, Place("telegram", "1"))))
    return {
        f"digest-{name}": drawn(name, document, f"A digest in {name}") for name in ("telegram", "discord")
    }


async def language_pictures(app: App) -> dict[str, str]:
    """A page of results, and a digest below /language, in each language, in a private chat for each."""
    posts = tuple(reversed(await newest(app, 3)))
    pictures = {}
    for number, language in enumerate(LANGUAGES, start=100):
        name, place = native_name(language), Place("telegram", str(number))
        asked, searched = f"/language {name}", "/search skywaev -clock -noise"
        digest, page = (TelegramPicture(f"{what} in {name}", NOW) for what in ("A digest", "A page"))
        for drawn, command in ((digest, asked), (page, searched)):
            reply = await reply_to(app, command, language, place)
            drawn.says(command)
            drawn.shows(telegram(reply.document, Form.FULL)[0].payload, reply.rows)
        look = replace(make_look(app.settings, Chat(0, place, language=language)), excerpt_length=80)
        digest.shows(telegram(present.edition(posts, look, more=22), Form.FULL)[0].payload)
        pictures |= {f"digest-{language}": digest.svg(), f"page-{language}": page.svg()}
    return pictures


async def sample_pictures(app: App) -> dict[str, str]:
    """Each of the typical posts of docs/samples, in Telegram, in Discord and in a terminal."""
    pictures = {}
    everything = Format(detail=Detail.FULL, author=True)
    for post in await posts_of(app, SAMPLES):
        for name in ("telegram", "discord", "terminal"):
            chat = Chat(0, Place(name, "1"), choices=everything)
            document = present.post(post, make_look(app.settings, chat))
            pictures[f"{post.guid}-{name}"] = drawn(name, document, f"{post.guid} in {name}")
    return pictures


def drawn(platform: str, document: Document, title: str) -> str:
    """A document as the platform shows it, in the form that it prefers."""
    if platform == "terminal":
        payload = terminal(document, Form.FULL)[0].payload
        return terminal_svg(title, list(wrapped(of_terminal(payload), COLUMNS, cells)))
    if platform == "discord":
        on_discord = DiscordPicture(title, "updates", NOW)
        for message in discord(document, Form.RICH if more_than_an_embed(document) else Form.FULL):
            on_discord.shows(message.payload)
        return on_discord.svg()
    on_telegram = TelegramPicture(title, NOW)
    for message in (rich if gains(document) else telegram)(
        document, Form.RICH if gains(document) else Form.FULL
    ):
        on_telegram.shows(message.payload)
    return on_telegram.svg()


async def terminal_picture(app: App, title: str, commands: Sequence[str]) -> str:
    """The terminal of a person who starts `skywave chat` and then types the commands."""
    lines: list[Line] = [[*plain("$ ", "prompt"), *plain("skywave chat", "screen-text")]]
    for number, command in enumerate(("/start", "/latest", *commands)):
        if number > 1:  # skywave chat shows the first two by itself
            lines.append([*plain("skywave> ", "prompt"), *plain(command, "screen-text")])
        reply = await reply_to(app, command, "en", Place("terminal", "me"))
        payload = terminal(reply.document, Form.FULL)[0].payload
        lines += [*wrapped(of_terminal(payload), COLUMNS, cells), ()]
    return terminal_svg(title, lines[:-1])


def watch_picture(title: str) -> str:
    """The display of `skywave deliveries watch` during a broadcast."""

    def line(number: int, platform: str, name: str, *counts: int) -> Progress:
        sent, pending, failed, cancelled, unknown = counts
        begun = NOW - timedelta(minutes=40 - number)
        return Progress(
            number, BroadcastKind.POST, platform, begun, name, sent, pending, failed, cancelled, unknown
        )

    progress = (
        line(31, "discord", "Which rank for LoRA?", 388, 412, 0, 0, 0),
        line(31, "telegram", "Which rank for LoRA?", 1274, 3726, 0, 2, 1),
        line(30, "discord", "Morning wave", 1, 0, 0, 0, 0),
        line(29, "telegram", "机器人值守一周", 4996, 0, 1, 3, 0),
    )
    paces = {"discord": Pace(47.1, 0.942, 412 / 47.1), "telegram": Pace(28.6, 0.953, 3726 / 28.6)}
    command = [*plain("$ ", "prompt"), *plain("skywave deliveries watch", "screen-text")]
    return terminal_svg(title, [command, (), *of_rich(picture(progress, paces), WATCHED)], WATCHED)


def growth_picture(title: str) -> str:
    """The last results of `make bench NAMES=growth`."""
    names = {"sent": "sent to Telegram at 1000/s", "outbox": "the outbox alone, unthrottled"}
    measured = json.loads(GROWTH.read_text(encoding="utf-8"))

    def panel(heading: str, measure: str) -> Panel:
        series = {
            name: [(size["deliveries"], size[measure]) for size in measured[key]]
            for key, name in names.items()
        }
        return Panel(heading, ticks(max(value for points in series.values() for _, value in points)), series)

    return plot(
        title,
        [
            panel("deliveries a second", "rate"),
            panel("µs of CPU for each", "cpu"),
            panel("MB of the process", "memory"),
        ],
    )


def ticks(most: float) -> Sequence[float]:
    """Three to five round numbers, from 0 to `most` or above."""
    scale = 10 ** floor(log10(most))
    step = next(part * scale for part in (0.2, 0.25, 0.5, 1, 2.5) if most <= 4 * part * scale)
    return [step * n for n in range(ceil(most / step) + 1)]


def rhythm_picture(title: str) -> str:
    """The last results of `make bench NAMES=rhythm`."""
    years = json.loads(RHYTHM.read_text(encoding="utf-8"))
    found = {(year["kind"], year["policy"]): year for year in years}

    def delays(kind: str, policy: str) -> tuple[float, float] | None:
        year = found[kind, policy]
        return None if kind == "ended" else (year["p50"], year["p95"])

    kinds = [kind for kind, policy in found if policy == "rhythm"]
    rows = [
        Row(kind, found[kind, "rhythm"]["requests"], delays(kind, "rhythm"), delays(kind, "fixed"))
        for kind in kinds
    ]
    return ranges(title, found["all", "fixed"]["requests"], rows)


async def draw(folder: Path) -> None:
    notes, log = folder / "notes", folder / "log"
    site_like(notes, log)
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
    settings = load_settings(
        database_url=f"sqlite:///{folder / 'pictures.db'}",
        commands_per_minute=1000,  # one person gives them all
    )
    async with build(settings, clock=StillClock(), seed=0) as app:
        await app.ingest.add(str(notes), Visibility.PUBLIC, title="Field notes")
        await app.ingest.add(str(log), Visibility.PUBLIC, title="Station log")
        await app.indexing.run()
        post = "/post at 18:30 Maintenance tonight\nThe bot is away from **22:00** to 22:10. Nothing is lost."
        pictures = {
            "arrival": await arrival_picture(app, "A new post in a Telegram group", "a-book-about-clocks"),
            "page": await telegram_picture(app, "/latest in Telegram", "/latest", "en"),
            "search": await telegram_picture(
                app, "/search in Telegram, in Chinese", "/search 微调", "zh-hans"
            ),
            "discord": await discord_picture(
                app, "/search in Discord", "/search skywave", shown="/search words: skywave"
            ),
            "own-post": await discord_picture(
                app, "The preview of /post in Discord, which only its writer sees", post, shown="/post"
            ),
            "schedule": await discord_picture(
                app, "/digest in Discord", "/digest weekdays 09:00 Asia/Shanghai", shown="/digest"
            ),
            **await contact_pictures(app),
            "listing": await listing_picture(app, "The preview of a listing page in Telegram"),
            "trial": await trial_picture(app, "The trial of a filter in Telegram"),
            **await panel_pictures(app),
            **await digest_pictures(app),
            **await language_pictures(app),
            **await sample_pictures(app),
            "terminal": await terminal_picture(app, "skywave chat in a terminal", ("/search skywave",)),
            "growth": growth_picture("One broadcast to so many chats"),
            "rhythm": rhythm_picture("A year of 500 sources, simulated"),
            "watch": watch_picture("skywave deliveries watch in a terminal"),
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
