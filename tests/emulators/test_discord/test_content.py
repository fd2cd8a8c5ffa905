"""What a message may contain, and whom it notifies."""

from typing import Any

import discord
import pytest

from tests.emulators.discord import Channel, DiscordEmulator, Guild, Permission, Pings
from tests.emulators.test_discord.clients import Body, Bot, at, post, refuses


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"content": "x" * 2001}, "content"),
        ({"embeds": [{"title": "x" * 257}]}, "embeds.0.title"),
        ({"embeds": [{"description": "x" * 4097}]}, "embeds.0.description"),
        ({"embeds": [{"description": "x" * 3001}, {"description": "x" * 3000}]}, "embeds"),
        ({"embeds": [{"title": "x"}] * 11}, "embeds"),
        ({"embeds": [{"fields": [{"name": "a", "value": "b"}] * 26}]}, "embeds.0.fields"),
        ({"embeds": [{"fields": [{"name": "x" * 257, "value": "b"}]}]}, "embeds.0.fields.0.name"),
        ({"embeds": [{"fields": [{"name": "a", "value": "x" * 1025}]}]}, "embeds.0.fields.0.value"),
        ({"embeds": [{"fields": [{"name": "a", "value": " "}]}]}, "embeds.0.fields.0.value"),
        ({"embeds": [{"title": "a", "footer": {"text": "x" * 2049}}]}, "embeds.0.footer.text"),
        ({"embeds": [{"title": "a", "author": {"name": "x" * 257}}]}, "embeds.0.author.name"),
        ({"embeds": [{"title": "a", "url": "javascript:x"}]}, "embeds.0.url"),
        ({"embeds": [{"title": "a", "timestamp": "soon"}]}, "embeds.0.timestamp"),
        ({"embeds": [{}]}, "embeds.0.description"),
        ({"content": "a", "nonce": "x" * 26}, "nonce"),
        ({"allowed_mentions": {"parse": ["users"], "users": ["1"]}}, "allowed_mentions.parse"),
        ({"content": "a", "flags": 1 << 15}, "content"),
        ({"flags": 1 << 15, "components": [{"type": 10, "content": "x" * 2001}] * 2}, "components"),
        ({"content": "a", "message_reference": {"message_id": "5"}}, "message_reference"),
    ],
)
async def test_what_is_too_much_is_refused(dc: DiscordEmulator, news: Channel, body: Body, path: str) -> None:
    status, answer = await post(dc, news, body)
    assert (status, answer["code"]) == (400, 50035)
    node: Any = answer["errors"]
    for step in path.split("."):
        node = node[step]
    assert node["_errors"][0]["message"]
    assert dc.messages(news) == []


def button(number: int, **more: object) -> Body:
    return {"type": 2, "style": 1, "label": str(number), "custom_id": str(number)} | more


def select(*values: str) -> Body:
    return {"type": 3, "custom_id": "s", "options": [{"label": value, "value": value} for value in values]}


def row(*items: Body) -> Body:
    return {"type": 1, "components": list(items)}


@pytest.mark.parametrize(
    "rows",
    [
        [row(button(number)) for number in range(6)],
        [row(*(button(number) for number in range(6)))],
        [row(button(1, label="x" * 81))],
        [row(button(1, custom_id="x" * 101))],
        [row(button(1, custom_id=""))],
        [row(button(1), button(1))],
        [row(button(1)), row(button(1))],
        [row({"type": 2, "style": 5, "label": "go", "url": "ftp://a.example"})],
        [row(select(*map(str, range(26))))],
        [row(select("x" * 101))],
        [row(select("a", "a"))],
        [row(select("a"), button(1))],
        [button(1)],
    ],
)
async def test_wrong_components_are_refused(dc: DiscordEmulator, news: Channel, rows: list[Body]) -> None:
    status, answer = await post(dc, news, {"content": "a", "components": rows})
    assert (status, answer["code"], list(answer["errors"])) == (400, 50035, ["components"])


async def test_full_messages_pass(dc: DiscordEmulator, news: Channel) -> None:
    rows = [row(*(button(5 * n + m, label="x" * 80) for m in range(5))) for n in range(5)]
    embeds = [{"description": "x" * 4096}, {"description": "x" * 1904}]
    status, _ = await post(dc, news, {"content": "文" * 2000, "embeds": embeds, "components": rows})
    assert status == 200
    assert (await post(dc, news, {"content": "a", "components": [row(select("x" * 100))]}))[0] == 200
    shown = {"flags": 1 << 15, "components": [{"type": 10, "content": "x" * 4000}]}
    assert (await post(dc, news, shown))[0] == 200


@pytest.mark.parametrize("body", [{}, {"content": " \n "}, {"embeds": []}, {"components": [row(button(1))]}])
async def test_empty_messages_are_refused(dc: DiscordEmulator, news: Channel, body: Body) -> None:
    status, answer = await post(dc, news, body)
    assert (status, answer["code"]) == (400, 50006)


async def test_automod(dc: DiscordEmulator, club: Guild, news: Channel, bot: Bot) -> None:
    dc.block_words(club, "Spam")
    with refuses(200000):
        await at(bot, news).send("some spam")


async def test_pings(dc: DiscordEmulator, club: Guild, news: Channel, bot: Bot) -> None:
    ann, role = dc.user("Ann"), dc.role(club, "readers", mentionable=True)
    text = f"@everyone <@{ann.id}> <@&{role.id}> <@5>"
    sent = await at(bot, news).send(text)
    assert dc.messages(news)[0].pings == Pings(frozenset({ann.id}), frozenset({role.id}), True)
    quiet = await at(bot, news).send(text, allowed_mentions=discord.AllowedMentions.none())
    assert not dc.messages(news)[1].pings
    await quiet.edit(content=text + "!")
    assert dc.messages(news)[1].pings.everyone
    one = discord.AllowedMentions(everyone=False, roles=False, users=[discord.Object(ann.id)])
    await sent.edit(content=f"`@everyone` <@{ann.id}>", allowed_mentions=one)
    assert dc.messages(news)[0].pings == Pings(frozenset({ann.id}))
    await at(bot, news).send("`@everyone` `<@&" + f"{role.id}>`")
    assert not dc.messages(news)[2].pings


async def test_the_right_to_ping(dc: DiscordEmulator, club: Guild, news: Channel, bot: Bot) -> None:
    role = dc.role(club, "quiet")
    await at(bot, news).send(f"@everyone <@&{role.id}>")
    dc.deny(news, Permission.MENTION_EVERYONE)
    await at(bot, news).send(f"@here <@&{role.id}>")
    assert [message.pings for message in dc.messages(news)] == [
        Pings(roles=frozenset({role.id}), everyone=True),
        Pings(),
    ]


async def test_replies_ping_their_author(dc: DiscordEmulator, club: Guild, news: Channel, bot: Bot) -> None:
    said = dc.say(news, "hello")
    reference = discord.MessageReference(message_id=said.id, channel_id=news.id)
    await at(bot, news).send("yes", reference=reference)
    await at(bot, news).send("no", reference=reference, mention_author=False)
    assert [message.pings.users for message in dc.messages(news)] == [{said.author.id}, set()]
    dc.deny(news, Permission.READ_MESSAGE_HISTORY)
    with refuses(160002):
        await at(bot, news).send("x", reference=reference)
