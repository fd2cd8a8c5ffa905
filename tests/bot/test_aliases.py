"""The names that commands have in other bots."""

from bot.commands import COMMANDS
from bot.commands.aliases import ALIASES
from scheduler.types import ChatKind
from tests.bot.conftest import Desk, shown


def test_each_alias_is_another_name_of_a_command() -> None:
    names = {command.name for command in COMMANDS}
    assert {alias.command for alias in ALIASES.values()} <= names
    assert not names & set(ALIASES)


async def test_people_of_other_bots_are_understood(desk: Desk) -> None:
    source = await desk.source("one")
    assert "now follows Example" in shown(await desk.say("/sub Example"))
    assert "Example" in shown(await desk.say("/list"))
    assert shown(await desk.say("/set")) == shown(await desk.say("/subscriptions"))
    assert shown(await desk.say("/set_default")) == shown(await desk.say("/settings"))
    await desk.say("/lang 简体中文")
    assert (await desk.chat()).language == "zh"
    await desk.say("/lang English")
    assert await desk.follows() == [source.id]
    assert "Unsubscribed from all sources" in shown(await desk.say("/unsub_all please"))
    assert await desk.follows() == []


async def test_an_alias_gives_no_more_rights_and_is_listed_nowhere(desk: Desk) -> None:
    await desk.source("one")
    assert (
        shown(await desk.say("/sub Example", admin=False)) == "⚠ Only admins of this chat can use /subscribe."
    )
    assert await desk.say("/unknown", kind=ChatKind.GROUP) is None
    assert "/sub " not in shown(await desk.say("/help"))
