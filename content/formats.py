"""How a chat wants its posts: the table of choices, and the words by which people make them.

A choice is made for a chat, for one of its subscriptions, for both, or not at all, which is None.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Any

from content.errors import UsageError
from content.i18n import Msgid, Translator

RESET = Msgid("default")  # the word that takes all choices back
SOURCE = Msgid("source")  # the word before the name of a source
NOT_UNDERSTOOD = Msgid("I don't understand “{word}”. Did you mean: {nearest}")
SHOWN_WORDS = 60  # characters of wrong words that an error repeats

_WORD = re.compile(r"[^\s,;，、；]+")
_CHOICE = "choice"  # the key in the metadata of a field


class Detail(StrEnum):
    """How much of a post is shown."""

    TITLE = "title"
    EXCERPT = "excerpt"
    FULL = "full"


class Rich(StrEnum):
    """Whether posts are sent in the richest form; AUTO: those that lose something in another."""

    OFF = "off"
    AUTO = "auto"
    ON = "on"


class Answers(StrEnum):
    """Who sees the answers to commands that only read."""

    PRIVATE = "private"
    PUBLIC = "public"


Value = StrEnum | bool


@dataclass(frozen=True, slots=True)
class Choice:
    """What can be chosen: a msgid that says what it is about, and the msgid of each value's phrase.

    `default` counts where nothing is chosen. `of_chat`: no subscription can have its own. `visible`: it
    decides what a message contains.
    """

    default: Value
    about: str
    phrases: Mapping[Value, str]
    of_chat: bool = False
    visible: bool = True


def _choice(
    default: Value, about: str, phrases: Mapping[Value, str], *, of_chat: bool = False, visible: bool = True
) -> Mapping[str, Choice]:
    """The metadata of a field of `Format`."""
    return {_CHOICE: Choice(default, about, phrases, of_chat, visible)}


@dataclass(frozen=True, slots=True)
class Format:
    """What was chosen. To add a choice, add a field: it is stored under its name."""

    detail: Detail | None = field(
        default=None,
        metadata=_choice(
            Detail.EXCERPT,
            Msgid("How much of a post"),
            {Detail.TITLE: Msgid("title"), Detail.EXCERPT: Msgid("excerpt"), Detail.FULL: Msgid("full")},
        ),
    )
    pictures: bool | None = field(
        default=None,
        metadata=_choice(True, Msgid("Pictures"), {True: Msgid("pictures"), False: Msgid("no pictures")}),
    )
    source: bool | None = field(
        default=None,
        metadata=_choice(
            True, Msgid("Name of the source"), {True: Msgid("source name"), False: Msgid("no source name")}
        ),
    )
    author: bool | None = field(
        default=None,
        metadata=_choice(False, Msgid("Author"), {True: Msgid("author"), False: Msgid("no author")}),
    )
    hashtags: bool | None = field(
        default=None,
        metadata=_choice(
            False, Msgid("Tags as hashtags"), {True: Msgid("hashtags"), False: Msgid("no hashtags")}
        ),
    )
    silent: bool | None = field(
        default=None,
        metadata=_choice(
            False,
            Msgid("Without a sound"),
            {True: Msgid("silent"), False: Msgid("not silent")},
            visible=False,
        ),
    )
    rich: Rich | None = field(
        default=None,
        metadata=_choice(
            Rich.AUTO,
            Msgid("Rich messages, with tables and pictures in place"),
            {Rich.OFF: Msgid("rich off"), Rich.AUTO: Msgid("rich auto"), Rich.ON: Msgid("rich on")},
            of_chat=True,
            visible=False,
        ),
    )
    answers: Answers | None = field(
        default=None,
        metadata=_choice(
            Answers.PRIVATE,
            Msgid("Who sees answers in a group"),
            {Answers.PRIVATE: Msgid("private answers"), Answers.PUBLIC: Msgid("public answers")},
            of_chat=True,
            visible=False,
        ),
    )
    threads: bool | None = field(
        default=None,
        metadata=_choice(
            False,
            Msgid("Long posts go on in a thread"),
            {True: Msgid("threads"), False: Msgid("no threads")},
            of_chat=True,
            visible=False,
        ),
    )
    once: bool | None = field(
        default=None,
        metadata=_choice(
            False,
            Msgid("The same story of several sources"),
            {True: Msgid("stories once"), False: Msgid("all stories")},
            of_chat=True,
            visible=False,
        ),
    )
    edits: bool | None = field(
        default=None,
        metadata=_choice(
            True,
            Msgid("Messages follow changes of their posts"),
            {True: Msgid("edits"), False: Msgid("no edits")},
            of_chat=True,
            visible=False,
        ),
    )

    @property
    def chosen(self) -> Mapping[str, Any]:
        """The choices that were made, by their names."""
        return {name: value for name in CHOICES if (value := getattr(self, name)) is not None}

    @property
    def phrases(self) -> Sequence[str]:
        """The phrases of the choices that were made."""
        return [CHOICES[name].phrases[value] for name, value in self.chosen.items()]

    @property
    def look(self) -> str:
        """Names what a message contains: the same for formats that differ in nothing visible."""
        return "|".join(f"{name}={value}" for name, value in self.chosen.items() if CHOICES[name].visible)

    def over(self, other: "Format") -> "Format":
        """These choices, and those of `other` where none was made."""
        if self is NOTHING:  # as nearly always
            return other
        return replace(other, **self.chosen)


CHOICES: Mapping[str, Choice] = {one.name: one.metadata[_CHOICE] for one in fields(Format)}
NOTHING = Format()
_DEFAULTS: Mapping[str, Any] = {name: choice.default for name, choice in CHOICES.items()}
DEFAULT = Format(**_DEFAULTS)


def from_json(stored: Mapping[str, object] | None) -> Format:
    """The choices of a JSON object; names and values of later versions are ignored."""
    if not stored:
        return NOTHING
    known: dict[str, Any] = {
        name: value
        for name, choice in CHOICES.items()
        for value in choice.phrases
        if stored.get(name) == value
    }
    return Format(**known)


class NotUnderstood(UsageError):
    """Words that choose nothing; `nearest` is the phrase that comes closest."""

    def __init__(self, word: str, nearest: str) -> None:
        super().__init__(NOT_UNDERSTOOD, word=word[:SHOWN_WORDS], nearest=nearest)
        self.word, self.nearest = word, nearest


@dataclass(frozen=True, slots=True)
class Changes:
    """What a person asks to change: `reset` takes earlier choices back before `chosen` are made.

    `dropped` is the name of one choice that is taken back.
    """

    chosen: Format = NOTHING
    reset: bool = False
    dropped: str = ""

    def applied(self, before: Format) -> Format:
        kept = {name: value for name, value in before.chosen.items() if name != self.dropped}
        return self.chosen if self.reset else self.chosen.over(Format(**kept))


def parse(words: Sequence[str], tr: Translator) -> Changes:
    """The choices of a sequence of words like `full no pictures`, in English or the language of `tr`.

    Raises NotUnderstood.
    """
    changes, understood = _read(words, _known(tr))
    if understood < len(words):
        rest = words[understood:]
        raise NotUnderstood(" ".join(rest), _nearest(rest, tr))
    return changes


def parse_named(text: str, tr: Translator) -> tuple[str, Changes]:
    """The choices of `text`, and the source that it names: `source NAME full`. Without one, an empty name.

    Raises NotUnderstood.
    """
    places = list(_WORD.finditer(text))
    words = [place[0] for place in places]
    known = _known(tr)
    named = bool(words) and words[0].casefold() in (SOURCE, tr.t(SOURCE).casefold())
    if named and _read(words, known)[1] < len(words):
        for first in range(max(2, len(words) - MOST_WORDS), len(words)):
            changes, understood = _read(words[first:], known)
            if first + understood == len(words):
                return text[places[1].start() : places[first - 1].end()], changes
        words = words[-1:]  # the name takes the words before it
    return "", parse(words, tr)


def _read(words: Sequence[str], known: Mapping[str, tuple[str, Value] | None]) -> tuple[Changes, int]:
    """The choices of the first words, and how many words those are."""
    chosen, reset, at = dict[str, Value](), False, 0
    while at < len(words):
        lengths = (n for n in range(min(LONGEST, len(words) - at), 0, -1))
        length = next((n for n in lengths if " ".join(words[at : at + n]).casefold() in known), 0)
        if not length:
            break
        choice = known[" ".join(words[at : at + length]).casefold()]
        if choice is None:
            chosen, reset = {}, True
        else:
            chosen[choice[0]] = choice[1]
        at += length
    return Changes(from_json(chosen), reset), at


def _known(tr: Translator) -> Mapping[str, tuple[str, Value] | None]:
    """The phrases in English and in the language of `tr`; None: the word that takes choices back."""
    phrases = {
        shown.casefold(): (name, value)
        for name, choice in CHOICES.items()
        for value, phrase in choice.phrases.items()
        for shown in (phrase, tr.t(phrase))
    }
    return {**phrases, RESET: None, tr.t(RESET).casefold(): None}


# The most words of a phrase, and of all that can be chosen at once.
LONGEST = max(len(phrase.split()) for choice in CHOICES.values() for phrase in choice.phrases.values())
MOST_WORDS = LONGEST * len(CHOICES)


def _nearest(words: Sequence[str], tr: Translator) -> str:
    """The phrase in the language of `tr` that is most like the beginning of `words`."""
    phrases = [tr.t(phrase) for choice in CHOICES.values() for phrase in choice.phrases.values()]

    def likeness(phrase: str) -> float:
        typed = " ".join(words[: len(phrase.split())]).casefold()
        return SequenceMatcher(None, phrase, typed[:SHOWN_WORDS]).ratio()

    return max((*phrases, tr.t(RESET)), key=likeness)
