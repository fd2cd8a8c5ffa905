"""Names that the commands have in other bots, so that people who come from there need not learn new ones.

They are understood where a person can type, but listed nowhere: /help and menus show one name for each thing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bot.commands.types import Call
from scheduler.actions.following import ALL


@dataclass(frozen=True, slots=True)
class Alias:
    """A command, and the arguments that the other name stands for."""

    command: str
    arguments: str = ""


ALIASES: Mapping[str, Alias] = {
    "sub": Alias("subscribe"),
    "unsub": Alias("unsubscribe"),
    "unsub_all": Alias("unsubscribe", ALL),
    "unsuball": Alias("unsubscribe", ALL),
    "allunsub": Alias("unsubscribe", ALL),
    "list": Alias("subscriptions"),
    "rss": Alias("subscriptions"),
    "set": Alias("subscriptions"),
    "set_default": Alias("settings"),
    "lang": Alias("language"),
}


def meant(call: Call) -> Call:
    """The call of the command that is meant; arguments of the alias replace those that were typed."""
    alias = ALIASES.get(call.name)
    if alias is None:
        return call
    return replace(call, name=alias.command, arguments=alias.arguments or call.arguments)
