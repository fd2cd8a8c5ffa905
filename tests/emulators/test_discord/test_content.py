"""What a message may contain, and whom it notifies."""

from typing import Any

import discord
import pytest

from tests.emulators.discord import Channel, DiscordEmulator, Guild, Permission, Pings
from tests.emulators.discord.content import read_draft
from tests.emulators.discord.mentions import EVERYTHING
from tests.emulators.discord.types import COMPONENTS_V2, ApiError
from tests.emulators.test_discord.clients import Body, Bot, ask_rest, at, post, refuses


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


def shown(kind: int, **more: object) -> Body:
    return {"type": kind} | more


TEXT, PICTURE = shown(10, content="a"), {"media": {"url": "https://a.example/i.png"}}
THUMBNAIL = shown(11, **PICTURE)


@pytest.mark.parametrize(
    ("items", "path"),
    [
        ([shown(99)], "components.0.type"),
        ([THUMBNAIL], "components.0.type"),
        ([button(1)], "components.0.type"),
        ([shown(17, components=[shown(17, components=[TEXT])])], "components.0.components.0.type"),
        ([shown(17, components=[])], "components.0.components"),
        ([shown(17, components=[TEXT], accent_color=1 << 24)], "components.0.accent_color"),
        ([shown(9, components=[TEXT])], "components.0.accessory"),
        ([shown(9, components=[TEXT] * 4, accessory=THUMBNAIL)], "components.0.components"),
        ([shown(9, components=[shown(14)], accessory=THUMBNAIL)], "components.0.components.0.type"),
        ([shown(9, components=[TEXT], accessory=shown(12, items=[PICTURE]))], "components.0.accessory.type"),
        ([shown(12, items=[])], "components.0.items"),
        ([shown(12, items=[PICTURE] * 11)], "components.0.items"),
        ([shown(12, items=[{"description": "no url"}])], "components.0.items.0.media.url"),
        ([shown(12, items=[PICTURE | {"description": "x" * 1025}])], "components.0.items.0.description"),
        ([shown(12, items=[{"media": {"url": "attachment://i.png"}}])], "components.0.items.0.media.url"),
        ([shown(12, items=[PICTURE] * 10)] * 7, "components"),
        ([shown(13, file={"url": "https://a.example/i.png"})], "components.0.file.url"),
        ([shown(14, spacing=3)], "components.0.spacing"),
        ([shown(10, content=" ")], "components.0.content"),
        ([TEXT] * 41, "components"),
        ([shown(17, components=[TEXT] * 40)], "components"),
    ],
)
def test_components_v2_have_their_places_and_limits(items: list[Body], path: str) -> None:
    with pytest.raises(ApiError) as refused:
        read_draft({"flags": COMPONENTS_V2, "components": items}, (), EVERYTHING)
    node: Any = refused.value.body["errors"]
    for step in path.split("."):
        node = node[step]
    assert node["_errors"][0]["message"]


def test_components_v2_that_fit_pass() -> None:
    section = shown(9, components=[TEXT] * 3, accessory=THUMBNAIL)
    box = shown(17, accent_color=0xFFFFFF, components=[section, shown(14), *[TEXT] * 33])
    for items in ([box], [shown(12, items=[PICTURE] * 10)] * 6, [TEXT] * 40, [shown(10, content="x" * 4000)]):
        assert read_draft({"flags": COMPONENTS_V2, "components": items}, (), EVERYTHING).components
    with pytest.raises(ApiError) as refused:
        read_draft({"flags": COMPONENTS_V2, "components": [shown(10, content="文" * 3400)]}, (), EVERYTHING)
    assert refused.value.status == 500


async def test_a_message_with_components_v2_stays_one(dc: DiscordEmulator, news: Channel) -> None:
    body: Body = {"flags": COMPONENTS_V2, "components": [shown(10, content="<@1> @everyone")]}
    status, made = await post(dc, news, body)
    assert status == 200 and dc.messages(news)[0].pings.everyone
    path = f"/channels/{news.id}/messages/{made['id']}"
    status, answer = await ask_rest(dc, "PATCH", path, {"flags": 0, "components": [], "content": "a"})
    assert (status, list(answer["errors"])) == (400, ["content"])
    thread = await ask_rest(dc, "POST", f"{path}/threads", {"name": "more"})
    assert (thread[0], thread[1]["id"]) == (201, made["id"])
    again = await ask_rest(dc, "POST", f"/channels/{made['id']}/messages/{made['id']}/threads", {"name": "x"})
    assert again[1]["code"] == 50024


async def test_full_messages_pass(dc: DiscordEmulator, news: Channel) -> None:
    rows = [row(*(button(5 * n + m, label="x" * 80) for m in range(5))) for n in range(5)]
    embeds = [{"description": "x" * 4096}, {"description": "x" * 1904}]
    status, _ = await post(dc, news, {"content": "文" * 2000, "embeds": embeds, "components": rows})
    assert status == 200
    assert (await post(dc, news, {"content": "a", "components": [row(select("x" * 100))]}))[0] == 200


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
