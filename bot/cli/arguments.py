"""What people type after `skywave`, read and refused in words of ours."""

from collections.abc import Callable
from difflib import get_close_matches
from enum import StrEnum
from typing import Annotated, Any, TypeVar

import typer
from typer.core import TyperGroup

from bot.numbers import LARGEST, number

Choice = TypeVar("Choice", bound=StrEnum)

# How alike a word and a command have to be for the one to be meant by the other, from 0 to 1.
NEAR = 0.75


def whole(least: int = 1, most: int = LARGEST) -> Callable[[str | int], int]:
    """A parser of whole numbers; it raises typer.BadParameter."""

    def read(word: str | int) -> int:
        found = number(str(word))
        if found is None or not least <= found <= most:
            wanted = f"from {least} to {most}" if most < LARGEST else f"of {least} or more"
            raise typer.BadParameter(f"use a number {wanted}, not {word!r}")
        return found

    return read


def seconds(least: float) -> Callable[[str | float], float]:
    """A parser of times in seconds; it raises typer.BadParameter."""

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
    """A parser of the words of an enumeration; it raises typer.BadParameter."""

    def read(word: str) -> Choice:
        if word not in list(kind):
            raise typer.BadParameter(f"use {' or '.join(kind)}, not {word!r}")
        return kind(word)

    return read


class Commands(TyperGroup):
    """A group of commands that says which one was meant, if one is like it."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        word = args[0]
        if word.startswith("-") or self.get_command(ctx, word):
            return super().resolve_command(ctx, args)
        nearest = get_close_matches(word, self.list_commands(ctx), 1, NEAR)
        meant = (
            f": do you mean {nearest[0]}?" if nearest else f"; it has {', '.join(self.list_commands(ctx))}."
        )
        ctx.fail(f"{ctx.command_path} has no command {word!r}{meant}")


# A number of something that is stored.
Number = Annotated[int, typer.Argument(metavar="NUMBER", parser=whole(), help="Its number in the list.")]
