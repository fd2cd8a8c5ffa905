"""Characters with style classes, and line breaking like in a chat."""

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

NARROW, WIDE = frozenset("iljtfrI.,:;'|!()[]· \""), frozenset("mwMWGOQ@%&—…")
# Characters that must not begin a line, in Chinese or in English.
CLOSING = frozenset(",.:;!?)]}”’»…，。：；！？、）」』》")
# Characters that must not end a line.
OPENING = frozenset("([{“‘«（「『《")


@dataclass(frozen=True, slots=True)
class Styled:
    """A character with its style classes."""

    character: str
    classes: tuple[str, ...] = ()


Line = Sequence[Styled]


def plain(text: str, *classes: str) -> list[Styled]:
    return [Styled(character, classes) for character in text]


def is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"


def ems(one: Styled) -> float:
    """The approximate width of a character in the widest of the fonts, DejaVu Sans."""
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
    """Break text into lines of at most `room`, at spaces and beside wide characters."""
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
    """Split text into parts that stay together: a word and its space, a wide character and punctuation."""
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
