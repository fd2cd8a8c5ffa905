"""Helpers that the commands share: opening the app, errors in one line, JSON output, finding things."""

import asyncio
import dataclasses
import gc
import json
import os
import stat
import sys
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer

from bot.engine import Engine, open_engine
from bot.loading import load_settings, unknown_settings
from bot.logs import configure
from bot.platforms import PLATFORMS
from bot.platforms.types import Platform
from bot.settings import Settings
from bot.visible import visible, visible_json, visible_line
from content import secrets
from content.errors import NotFound, SettingsError, SkywaveError, UsageError
from content.types import Failure, Source, SourceState
from scheduler.actions import sources
from scheduler.ports import UnitOfWork
from scheduler.types import Chat, ChatKind, Place

if TYPE_CHECKING:
    from bot.metrics import Metrics

T = TypeVar("T")

Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]

BY_NAME = {platform.name: platform for platform in PLATFORMS}


def settings_of_process(*, level: str = "WARNING", observers: "Sequence[Metrics]" = ()) -> Settings:
    """Load the settings and configure logging. Commands log warnings only; `skywave run` uses INFO."""
    settings = load_settings()
    configure(settings.log_format, settings.secrets, level=level, observers=observers)
    for line in unknown_settings():
        warn(f"skywave: {line}")
    return settings


@asynccontextmanager
async def open_app() -> AsyncIterator[Engine]:
    async with open_engine(settings_of_process()) as app:
        yield app


def run(work: Coroutine[Any, Any, int | None]) -> NoReturn:
    """Run a command and exit with its status; an error of ours is printed as one line on standard error."""
    raise SystemExit(result_of(work) or 0)


def result_of(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine and return its result; an error of ours is printed as one line and ends the process.

    Exit status: 2 for wrong usage or settings, 1 for other errors, 130 after Ctrl-C.
    """
    # What is loaded stays until the end: looking through it for garbage would take a sixth of a start.
    gc.freeze()
    gc.enable()
    try:
        return asyncio.run(work)
    except SkywaveError as exc:
        warn(f"skywave: {exc}")
        raise SystemExit(2 if isinstance(exc, UsageError | SettingsError) else 1) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except BrokenPipeError:
        raise SystemExit(1) from None


def confirm(question: str, yes: bool, refused: str = "Nothing was removed.") -> None:
    """Ask for confirmation, unless `--yes` was given; exit if it is refused.

    Call it outside the event loop: it blocks, and Ctrl-C would not end it there.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        warn(f"skywave: {question} There is no terminal to ask at: add --yes to go on")
        raise SystemExit(2)
    print(visible_line(question), end=" [y/N] ", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().casefold() not in ("y", "yes"):
        warn(refused)
        raise SystemExit(1)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def to_json(item: Any, *without: str) -> dict[str, Any]:
    """A dataclass as a JSON object, except the fields named in `without`."""
    return {name: value for name, value in dataclasses.asdict(item).items() if name not in without}


def without_secrets(source: Source) -> Source:
    """A copy of a source whose URLs and messages contain no secrets."""
    error, warning = secrets.without_secrets(source.last_error), secrets.without_secrets(source.warning)
    url, moved_to = secrets.printable(source.url), secrets.printable(source.moved_to)
    unread = tuple(
        Failure(secrets.without_secrets(one.name), secrets.without_secrets(one.reason))
        for one in source.unread
    )
    return dataclasses.replace(
        source, url=url, last_error=error, warning=warning, unread=unread, moved_to=moved_to
    )


def trouble(source: Source) -> str:
    """What is wrong with a source, and how to fix it; empty if nothing is."""
    if source.last_error and source.state is SourceState.PAUSED:
        again = (
            f"to read it again, run skywave sources resume {source.id}; "
            f"to remove it, skywave sources remove {source.id}"
        )
        return f"{source.last_error}; {again}"
    return source.last_error or source.warning


def print_json(document: object) -> None:
    print(visible_json(json.dumps(document, default=_plain, ensure_ascii=False, indent=2)))


def say(text: str) -> None:
    print(visible(text))


def counted(count: int, word: str, words: str = "") -> str:
    """A number with its noun: 1 post, 2 posts. `words` is an irregular plural."""
    return f"{count:,} {word if count == 1 else words or word + 's'}"


def warn(text: str) -> None:
    print(visible(text), file=sys.stderr)


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check; `hint` says how to fix it."""

    what: str
    well: bool
    hint: str = ""


def show_findings(findings: Sequence[Finding]) -> int:
    """Print a line for each finding; returns the exit status."""
    for finding in findings:
        hint = f": {finding.hint}" if finding.hint else ""
        say(f"{'ok  ' if finding.well else 'BAD '} {finding.what}{hint}")
    return 0 if all(finding.well for finding in findings) else 1


def write_private(file: Path, content: bytes) -> None:
    """Write a file that only its owner can read. Raises UsageError."""
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as opened:
            if stat.S_ISREG(os.fstat(opened.fileno()).st_mode):  # do not change the mode of /dev/stdout
                os.fchmod(opened.fileno(), 0o600)
            opened.write(content)
    except OSError as exc:
        raise UsageError(f"{file} cannot be written: {exc.strerror}") from exc


def parse_place(word: str) -> Place:
    """Parse a chat: `discord:456`, `telegram:-100123`, `telegram:-100123/7` (a topic). Raises UsageError."""
    name, _, rest = word.strip().partition(":")
    place = BY_NAME[name].parse(rest) if name in BY_NAME else None
    if place is None:
        *most, last = (example for platform in PLATFORMS for example in platform.examples)
        raise UsageError(f"{word!r} is not a chat: write {', '.join(most)} or {last}")
    return place


def platform_of(place: Place) -> Platform[Any]:
    """The platform of a place."""
    return BY_NAME[place.platform]


def kind_of_place(place: Place) -> ChatKind:
    """The kind of a chat as its place suggests; the platform may correct it later."""
    return platform_of(place).kind(place)


def words_or_stdin(words: Sequence[str]) -> list[str]:
    """The arguments, with `-` replaced by the words of standard input. UsageError if there are none."""
    out: list[str] = []
    for word in words:
        out += sys.stdin.read().split() if word == "-" else [word]
    if not out:
        raise UsageError("no chat is given: name at least one, or - to read them from standard input")
    return out


async def source_named(work: UnitOfWork, name: str) -> Source:
    """Find a source by URL, title or id. Raises NotFound."""
    try:
        return await sources.named(work, name)
    except sources.UnknownSource as exc:
        raise NotFound(f"no source is called {name}: skywave sources list shows them") from exc


async def chat_named(work: UnitOfWork, word: str) -> Chat:
    """Find a stored chat. Raises NotFound and UsageError."""
    chat = await work.chats.find(parse_place(word))
    if chat is None:
        raise NotFound(f"no chat {word} is known: add it with skywave chats add {word}")
    return chat
