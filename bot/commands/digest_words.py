"""What people write about a digest after its schedule, as `max 10 for Field notes`. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TypeVar

from bot.numbers import number
from content.errors import UsageError
from content.i18n import LANGUAGES, Msgid, Translator
from scheduler.actions.digests import MAX_POSTS, Wanted
from scheduler.timetable.schedules import translated
from scheduler.types import Digest, Rest, WhenEmpty

Choice = TypeVar("Choice", bound=StrEnum)

MAX, NAME, SOURCES = Msgid("max {count}"), Msgid("as {name}"), Msgid("for {sources}")
RESTS = {Rest.NEXT: Msgid("rest next time"), Rest.NEVER: Msgid("rest never")}
EMPTIES = {WhenEmpty.SAY: Msgid("say when empty"), WhenEmpty.SKIP: Msgid("skip when empty")}
NO_COUNT = Msgid("“{word}” is not a number from 1 to {most}.")
FIELD = re.compile(r"\\\{\w+\\\}")


@dataclass(frozen=True, slots=True)
class Typed:
    """A digest as it was typed; `sources` are names, None if none were."""

    wanted: Wanted
    sources: Sequence[str] | None = None


def parse(text: str) -> Typed:
    """The schedule at the beginning, and what is said after it, in any language. Raises UsageError."""
    text, sources = _cut(_sources(), f" {text.strip()} ")
    text, most = _cut(_pattern(MAX, r"(\S+)"), text)
    text, name = _cut(_pattern(NAME, r"(\S+)"), text)
    text, rest = _one_of(RESTS, text)
    text, when_empty = _one_of(EMPTIES, text)
    wanted = Wanted(
        text.strip() or None, name, max_posts=_count(most) if most else None, rest=rest, when_empty=when_empty
    )
    names = None if sources is None else [one for one in re.split(r"\s*[,，、]\s*", sources.strip()) if one]
    return Typed(wanted, names)


def described(digest: Digest, sources: Sequence[str], tr: Translator) -> str:
    """A digest in one line that `parse` reads; what it has by default is left out."""
    default = Digest(0, 0, "", "", digest.next_run_at)
    parts = [
        f"{translated(digest.recurrence, tr)} {digest.timezone}",
        tr.t(MAX, count=digest.max_posts) if digest.max_posts != default.max_posts else "",
        tr.t(RESTS[digest.rest]) if digest.rest is not default.rest else "",
        tr.t(EMPTIES[digest.when_empty]) if digest.when_empty is not default.when_empty else "",
        tr.t(SOURCES, sources=tr.t(", ").join(sources)) if sources else "",
    ]
    return " ".join(filter(None, parts))


def _cut(pattern: re.Pattern[str], text: str) -> tuple[str, str | None]:
    """The text without what matches, and the part of that which is looked for."""
    match = pattern.search(text)
    if match is None:
        return text, None
    return f"{text[: match.start()]} {text[match.end() :]}", next(filter(None, match.groups()), "")


def _one_of(phrases: dict[Choice, Msgid], text: str) -> tuple[str, Choice | None]:
    for choice, phrase in phrases.items():
        rest, found = _cut(_pattern(phrase, ""), text)
        if found is not None:
            return rest, choice
    return text, None


def _count(word: str) -> int:
    found = number(word)
    if found is None or not 1 <= found <= MAX_POSTS:
        raise UsageError(NO_COUNT, word=word, most=MAX_POSTS)
    return found


@cache
def _pattern(phrase: str, field: str) -> re.Pattern[str]:
    """Finds a phrase with its field, in the words of every language."""
    shown = {re.escape(Translator(language).t(phrase)) for language in LANGUAGES}
    patterns = (FIELD.sub(lambda _: field, one).replace(r"\ ", r"\s+") for one in sorted(shown))
    return re.compile("|".join(rf"(?<=\s)(?:{one})(?=\s)" for one in patterns), re.IGNORECASE)


@cache
def _sources() -> re.Pattern[str]:
    """Finds the sources, which are all that follows."""
    before = {Translator(language).t(SOURCES).partition("{sources}")[0].strip() for language in LANGUAGES}
    return re.compile(
        rf"(?<=\s)(?:{'|'.join(map(re.escape, sorted(before)))})\s+(.*)", re.IGNORECASE | re.DOTALL
    )
