"""Logging in, registering commands, and the first events of the gateway."""

from typing import Any

import aiohttp
import discord
import pytest

from tests.emulators.discord import Channel, DiscordEmulator, Guild, Link
from tests.emulators.discord.events import MEMBERS
from tests.emulators.test_discord.clients import Body, Bot, ask_rest, at, connected, emulated


async def test_starts_and_knows_its_guilds(dc: DiscordEmulator, club: Guild, news: Channel) -> None:
    dc.thread(news, "talk")
    dc.forum(club, "posts", ["a"])
    dc.announcement(club, "loud")
    async with connected(dc) as bot:
        guild = bot.get_guild(club.id)
        assert guild is not None and guild.me.guild_permissions.send_messages
        assert [channel.type.name for channel in guild.channels] == ["text", "forum", "news"]
        assert [thread.name for thread in guild.threads] == ["talk"]
    assert len(dc.requests("PUT", "/applications/{application}/commands")) == 1
    assert dc.offered(news) == ["latest", "slow", "ask", "guarded", "find", "digest"]


async def test_a_wrong_token(dc: DiscordEmulator) -> None:
    client = Bot()
    with pytest.raises(discord.LoginFailure):
        await client.login("other")
    await client.close()
    async with aiohttp.ClientSession() as session, session.get(f"{dc.url}/users/@me") as response:
        assert (response.status, await response.json()) == (401, {"message": "401: Unauthorized", "code": 0})
        assert response.headers["Content-Type"] == "application/json"


async def test_unknown_routes(dc: DiscordEmulator) -> None:
    assert await ask_rest(dc, "GET", "/nothing") == (404, {"message": "404: Not Found", "code": 0})
    assert (await ask_rest(dc, "PATCH", "/gateway"))[0] == 405
    assert (await ask_rest(dc, "GET", "/gateway"))[1]["url"] == dc.gateway_url


async def test_privileged_intents_are_refused(dc: DiscordEmulator) -> None:
    with pytest.raises(discord.PrivilegedIntentsRequired):
        async with connected(dc, Bot(discord.Intents.all())):
            pass
    assert [link.code for link in dc.transcript.entries if isinstance(link, Link)] == [4014]


async def test_members_with_the_intent() -> None:
    intents = discord.Intents.default()
    intents.members = True
    async with emulated(privileged=MEMBERS) as dc:
        guild = dc.guild("Club")
        dc.join(guild, dc.user("Ann"))
        async with connected(dc, Bot(intents)) as bot:
            known = bot.get_guild(guild.id)
            assert known and [member.name for member in known.members] == ["Skywave", "Owner", "Ann"]
            assert known.chunked


async def test_a_message_of_a_person_arrives(dc: DiscordEmulator, club: Guild, bot: Bot) -> None:
    ann, news = dc.user("Ann"), dc.channel(next(iter(club.channels)))
    dc.join(club, ann)
    said = dc.say(news, "secret", by=ann)
    (message,) = await bot.until("message")
    assert (message.id, message.author.name, message.content) == (said.id, "Ann", "")
    dc.say(dc.dm(ann), "open")
    (message,) = await bot.until("message", 2)
    assert message.content == "open"


def named(options: list[Body]) -> Body:
    return {"name": "a", "description": "x", "options": options}


def option(name: str, **more: object) -> Body:
    return {"type": 3, "name": name, "description": "x"} | more


@pytest.mark.parametrize(
    ("command", "path"),
    [
        ({"name": "UPPER", "description": "x"}, "0.name"),
        ({"name": "two words", "description": "x"}, "0.name"),
        ({"name": "a" * 33, "description": "x"}, "0.name"),
        ({"name": "a", "description": ""}, "0.description"),
        ({"name": "a", "description": "x" * 101}, "0.description"),
        (named([{"name": "b", "description": "x"}]), "0.options.0.type"),
        (named([option(str(number)) for number in range(26)]), "0.options"),
        (named([option("b"), option("b")]), "0.options.1.name"),
        (named([option("b"), option("c", required=True)]), "0.options.1"),
        (named([option("b", choices=[{"name": "x" * 101, "value": "y"}])]), "0.options.0.choices.0.name"),
    ],
)
async def test_wrong_commands_are_refused(dc: DiscordEmulator, command: Body, path: str) -> None:
    status, answer = await ask_rest(dc, "PUT", f"/applications/{dc.bot.id}/commands", [command])
    assert (status, answer["code"]) == (400, 50035)
    node: Any = answer["errors"]
    for step in path.split("."):
        node = node[step]
    assert node["_errors"]


async def test_commands_keep_their_ids(dc: DiscordEmulator) -> None:
    path, commands = f"/applications/{dc.bot.id}/commands", [named([]), {"name": "中文", "description": "x"}]
    first = (await ask_rest(dc, "PUT", path, commands))[1]
    again = (await ask_rest(dc, "PUT", path, commands[:1]))[1]
    assert [command["id"] for command in again] == [first[0]["id"]]
    assert (await ask_rest(dc, "GET", f"{path}?with_localizations=true"))[1] == again
    (plain,) = (await ask_rest(dc, "GET", path))[1]
    assert "description_localizations" not in plain


async def test_ten_thousand_channels() -> None:
    async with emulated() as dc:
        guild = dc.guild("Large")
        places = [dc.text(guild, str(number)) for number in range(10_000)]
        async with connected(dc) as bot:
            await at(bot, places[-1]).send("x")
        assert len(dc.messages(places[-1])) == 1
