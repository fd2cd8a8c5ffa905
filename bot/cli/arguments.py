"""Parsers for arguments of the command line, with error messages of our own."""

from collections.abc import Callable
from difflib import get_close_matches
from enum import StrEnum
from typing import Annotated, Any, TypeVar

import typer
from typer.core import TyperGroup

from bot.numbers import LARGEST, number
from content.formats import CHOICES, RESET

Choice = TypeVar("Choice", bound=StrEnum)

# Least similarity, from 0 to 1, at which a command is suggested for a mistyped word.
NEAR = 0.75


def whole(least: int = 1, most: int = LARGEST) -> Callable[[str | int], int]:
    """Make a parser for whole numbers from `least` to `most`; it raises typer.BadParameter."""

    def read(word: str | int) -> int:
        found = number(str(word))
        if found is None or not least <= found <= most:
            wanted = f"from {least} to {most}" if most < LARGEST else f"of {least} or more"
            raise typer.BadParameter(f"use a number {wanted}, not {word!r}")
        return found

    return read


def seconds(least: float) -> Callable[[str | float], float]:
    """Make a parser for numbers of seconds, at least `least`; it raises typer.BadParameter."""

    def read(word: str | float) -> float:
        try:
            found = float(word)
        except ValueError:
            found = 0.0
        if not least <= found <= LARGEST:
            raise typer.BadParameter(f"use a number of {least:g} or more, not {word!r}")
        return found

    return read


def one_of(kind: type[Choice]) -> Callable[[str], Choice]:
    """Make a parser for the values of an enumeration; it raises typer.BadParameter."""

    def read(word: str) -> Choice:
        if word not in list(kind):
            raise typer.BadParameter(f"use {' or '.join(kind)}, not {word!r}")
        return kind(word)

    return read


class Commands(TyperGroup):
    """A group of commands that suggests the most similar one for an unknown command."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        word, known = args[0], self.list_commands(ctx)
        if word.startswith("-") or word in known:
            return super().resolve_command(ctx, args)
        nearest = get_close_matches(word, known, 1, NEAR)
        meant = f": do you mean {nearest[0]}?" if nearest else f"; it has {', '.join(known)}."
        ctx.fail(f"{ctx.command_path} has no command {word!r}{meant}")


def commands_of(help: str = "") -> typer.Typer:
    """The Typer of a module of commands: a group with this help, or without help a single command."""
    return typer.Typer(
        cls=Commands,
        help=help or None,
        no_args_is_help=bool(help),
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


# How posts look, as phrases of one or two words.
PHRASES = ", ".join(phrase for choice in CHOICES.values() for phrase in choice.phrases.values())
Choices = Annotated[
    list[str] | None, typer.Argument(metavar="[CHOICE]...", help=f"{PHRASES}; {RESET} takes all back.")
]

# The id of a stored item, as lists show it.
Number = Annotated[int, typer.Argument(metavar="NUMBER", parser=whole(), help="Its number in the list.")]
