"""Where the bot may write."""

import discord

from tests.emulators.discord import Channel, DiscordEmulator, Guild, Permission
from tests.emulators.test_discord.clients import Bot, at, refuses


async def test_permissions(dc: DiscordEmulator, news: Channel, bot: Bot) -> None:
    channel = at(bot, news)
    dc.deny(news, Permission.EMBED_LINKS)
    await bot.until("guild_channel_update")
    assert not channel.permissions_for(channel.guild.me).embed_links
    with refuses(50013):
        await channel.send(embed=discord.Embed(title="T"))
    await channel.send("plain")
    dc.deny(news, Permission.SEND_MESSAGES)
    with refuses(50013):
        await channel.send("x")
    dc.deny(news, Permission.VIEW_CHANNEL)
    with refuses(50001):
        await channel.send("x")
    dc.deny(news, 0)
    await channel.send("back")
    assert [message.content for message in dc.messages(news)] == ["plain", "back"]
    dc.deny(news, Permission.READ_MESSAGE_HISTORY)
    with refuses(50013):
        await channel.fetch_message(dc.messages(news)[0].id)


async def test_overwrites_of_roles_and_members(
    dc: DiscordEmulator, club: Guild, news: Channel, bot: Bot
) -> None:
    dc.deny(news, Permission.SEND_MESSAGES, club.everyone)
    with refuses(50013):
        await at(bot, news).send("x")
    dc.allow(news, Permission.SEND_MESSAGES, club.bot_role)
    await at(bot, news).send("role")
    dc.deny(news, Permission.SEND_MESSAGES)
    with refuses(50013):
        await at(bot, news).send("x")


async def test_roles_decide_where_channels_do_not(dc: DiscordEmulator, bot: Bot) -> None:
    guild = dc.guild("Quiet", everyone=Permission.VIEW_CHANNEL)
    place = dc.text(guild, "talk")
    await bot.until("guild_join")
    await at(bot, place).send("x")
    dc.set_permissions(guild, guild.bot_role, Permission.VIEW_CHANNEL)
    await bot.until("guild_role_update")
    with refuses(50013):
        await at(bot, place).send("x")


async def test_gone(dc: DiscordEmulator, news: Channel, club: Guild, bot: Bot) -> None:
    channel, other = at(bot, news), dc.text(club, "other")
    thread = dc.thread(news, "talk")
    dc.delete(news)
    await bot.until("guild_channel_delete")
    for place in (channel, at(bot, thread)):
        with refuses(10003):
            await place.send("x")
    handle = bot.get_partial_messageable(other.id)
    dc.kick_bot(club)
    await bot.until("guild_remove")
    with refuses(50001):
        await handle.send("x")
    with refuses(10004):
        await bot.fetch_guild(club.id)
    dc.add_bot(club)
    await bot.until("guild_join")
    await at(bot, other).send("x")
    dc.delete_guild(club)
    with refuses(10003):
        await handle.send("x")


async def test_it_can_leave(dc: DiscordEmulator, club: Guild, bot: Bot) -> None:
    guild = bot.get_guild(club.id)
    assert guild is not None
    await guild.leave()
    await bot.until("guild_remove")
    assert not club.has_bot


async def test_dms(dc: DiscordEmulator, club: Guild, bot: Bot) -> None:
    ann = dc.user("Ann")
    dc.join(club, ann)
    user = await bot.fetch_user(ann.id)
    await user.send("hi")
    assert [message.content for message in dc.messages(dc.dm(ann))] == ["hi"]
    dc.close_dms(ann)
    with refuses(50007):
        await user.send("x")
    dc.close_dms(ann, None)
    dc.leave(club, ann)
    with refuses(50278):
        await user.send("x")


async def test_archived_and_locked_threads(dc: DiscordEmulator, news: Channel, club: Guild, bot: Bot) -> None:
    thread = dc.thread(news, "talk")
    await bot.until("thread_create")
    dc.archive(thread)
    await at(bot, thread).send("wakes it")
    assert not thread.archived
    dc.lock(thread)
    with refuses(160005):
        await at(bot, thread).send("x")
    dc.archive(thread)
    with refuses(50083):
        await at(bot, thread).send("x")
    handle = await bot.fetch_channel(thread.id)
    assert isinstance(handle, discord.Thread) and handle.archived and handle.locked
    with refuses(50013):
        await handle.edit(archived=False)
    dc.set_permissions(club, club.bot_role, club.bot_role.permissions | Permission.MANAGE_THREADS)
    await handle.edit(archived=False, locked=False)
    dc.set_permissions(club, club.bot_role, 0)
    dc.archive(thread)
    await handle.edit(archived=False)
    await handle.send("free")
    dc.deny(news, Permission.SEND_MESSAGES_IN_THREADS)
    with refuses(50013):
        await handle.send("x")


async def test_threads_of_the_bot(dc: DiscordEmulator, news: Channel, bot: Bot) -> None:
    own = await at(bot, news).create_thread(name="mine", type=discord.ChannelType.public_thread)
    await own.send("in it")
    message = await at(bot, news).send("start")
    started = await message.create_thread(name="from")
    assert (started.id, dc.channel(started.id).parent) == (message.id, news)
    with refuses(160004):
        await message.create_thread(name="again")
    with refuses(50035):
        await at(bot, news).create_thread(name="x" * 101, type=discord.ChannelType.public_thread)


async def test_forum(dc: DiscordEmulator, club: Guild, bot: Bot) -> None:
    forum = dc.forum(club, "posts", ["a"], requires_tag=True)
    await bot.until("guild_channel_create")
    channel = at(bot, forum)
    with refuses(40067):
        await channel.create_thread(name="No tag", content="x")
    made = await channel.create_thread(name="Tagged", content="x", applied_tags=channel.available_tags)
    assert made.thread.id == made.message.id
    await made.thread.send("more")
    assert [message.content for message in dc.messages(made.thread.id)] == ["x", "more"]
    with refuses(50008):
        await bot.get_partial_messageable(forum.id).send("x")
