"""Channels, threads, guilds and DMs over REST."""

from tests.emulators.discord import wire
from tests.emulators.discord.access import check_draft, reach, reach_message
from tests.emulators.discord.api_messages import send
from tests.emulators.discord.call import Call
from tests.emulators.discord.content import read_draft
from tests.emulators.discord.faults import refusal
from tests.emulators.discord.form import Form, number_of
from tests.emulators.discord.mentions import EVERYTHING
from tests.emulators.discord.permissions import Permission, demand, permissions
from tests.emulators.discord.state import World
from tests.emulators.discord.types import (
    ANNOUNCEMENT,
    ANNOUNCEMENT_THREAD,
    FORUM,
    PRIVATE_THREAD,
    PUBLIC_THREAD,
    TEXT,
    Channel,
    Json,
)

_TAGS = 5


def get_channel(world: World, call: Call) -> Json:
    return wire.channel_json(reach(world, call.number("channel")))


def edit_channel(world: World, call: Call) -> Json:
    """Archive, unarchive, lock or rename a thread; rename a channel."""
    channel = reach(world, call.number("channel"))
    form = Form()
    name = form.text(call.body.get("name", channel.name), ("name",), 100, 1)
    form.check()
    _demand_editing(world, channel, call.body)
    channel.name = name
    if channel.is_thread:
        channel.archived = call.body.get("archived", channel.archived) is True
        channel.locked = call.body.get("locked", channel.locked) is True
    world.tell_channel("UPDATE", channel)
    return wire.channel_json(channel)


def _demand_editing(world: World, channel: Channel, body: Json) -> None:
    """Check the permission to edit. Anybody who may write there can unarchive a thread that is not locked."""
    if not channel.is_thread:
        demand(channel, world.bot.id, Permission.MANAGE_CHANNELS)
    elif body.keys() == {"archived"} and body["archived"] is False and not channel.locked:
        demand(channel, world.bot.id, Permission.SEND_MESSAGES_IN_THREADS)
    elif channel.locked or channel.owner_id != world.bot.id or "locked" in body:
        demand(channel, world.bot.id, Permission.MANAGE_THREADS)


def delete_channel(world: World, call: Call) -> Json:
    channel = reach(world, call.number("channel"))
    needed = Permission.MANAGE_THREADS if channel.is_thread else Permission.MANAGE_CHANNELS
    if channel.user is None:
        demand(channel, world.bot.id, needed)
        drop_channel(world, channel)
    return wire.channel_json(channel)


def drop_channel(world: World, channel: Channel) -> None:
    """Delete the channel with its threads, and dispatch the events."""
    assert channel.guild is not None
    for thread in [thread for thread in channel.guild.threads.values() if thread.parent is channel]:
        del channel.guild.threads[thread.id], world.channels[thread.id]
    del (channel.guild.threads if channel.is_thread else channel.guild.channels)[channel.id]
    del world.channels[channel.id]
    world.tell_channel("DELETE", channel)


def create_thread(world: World, call: Call) -> Json:
    """Create a post in a forum, or a thread without a message in a text channel."""
    parent = reach(world, call.number("channel"))
    if parent.type == FORUM:
        return _create_post(world, parent, call)
    if parent.type not in (TEXT, ANNOUNCEMENT):
        raise refusal(50024)
    kinds = (PUBLIC_THREAD, PRIVATE_THREAD) if parent.type == TEXT else (ANNOUNCEMENT_THREAD,)
    form = Form()
    kind = form.choice(call.body.get("type", PRIVATE_THREAD), ("type",), kinds)
    form.check()
    private = kind == PRIVATE_THREAD
    needed = Permission.CREATE_PRIVATE_THREADS if private else Permission.CREATE_PUBLIC_THREADS
    demand(parent, world.bot.id, needed)
    return wire.channel_json(_thread(world, parent, call, kind, world.new_id()))


def create_thread_from(world: World, call: Call) -> Json:
    parent = reach(world, call.number("channel"), Permission.CREATE_PUBLIC_THREADS)
    if parent.type not in (TEXT, ANNOUNCEMENT):
        raise refusal(50024)
    message = reach_message(world, parent, call.number("message"))
    if message.id in world.channels:
        raise refusal(160004)
    kind = ANNOUNCEMENT_THREAD if parent.type == ANNOUNCEMENT else PUBLIC_THREAD
    return wire.channel_json(_thread(world, parent, call, kind, message.id))


def _create_post(world: World, forum: Channel, call: Call) -> Json:
    """Create a post. Its id is that of its first message. Nonces have no effect here."""
    demand(forum, world.bot.id, Permission.SEND_MESSAGES)
    first = call.body.get("message")
    draft = read_draft(first if isinstance(first, dict) else {}, call.files, EVERYTHING, ("message",))
    tags = call.body.get("applied_tags") or []
    may_skip = permissions(forum, world.bot.id) & Permission.MANAGE_THREADS
    if forum.requires_tag and not tags and not may_skip:
        raise refusal(40067)
    check_draft(world, forum, draft)
    post = _thread(world, forum, call, PUBLIC_THREAD, world.new_id())
    message = send(world, post, draft, post.id)
    return wire.channel_json(post) | {"message": world.json(message)}


def _thread(world: World, parent: Channel, call: Call, kind: int, number: int) -> Channel:
    form = Form()
    name = form.text(call.body.get("name"), ("name",), 100, 1)
    listed = call.body.get("applied_tags") or []
    tags = tuple(map(number_of, listed)) if isinstance(listed, list) else ()
    if len(tags) > _TAGS:
        form.wrong(("applied_tags",), "BASE_TYPE_MAX_LENGTH", f"Must be {_TAGS} or fewer in length.")
    for place, tag in enumerate(tags):
        if tag not in parent.tags:
            form.wrong(("applied_tags", place), "FORUM_TAG_UNKNOWN", "Unknown tag")
    minutes = form.choice(
        call.body.get("auto_archive_duration") or 1440, ("auto_archive_duration",), (60, 1440, 4320, 10080)
    )
    form.check()
    thread = Channel(number, kind, name, parent.guild, parent, owner_id=world.bot.id, applied_tags=tags)
    thread.auto_archive = minutes
    parent.last_message_id = number if parent.type == FORUM else parent.last_message_id
    return world.add_channel(thread)


def join_thread(world: World, call: Call) -> None:
    thread = reach(world, call.number("channel"))
    if not thread.is_thread:
        raise refusal(50024)
    if thread.archived:
        raise refusal(50083)


def open_dm(world: World, call: Call) -> Json:
    user = world.users.get(number_of(call.body.get("recipient_id")))
    if user is None:
        raise refusal(10013)
    if user.is_bot:
        raise refusal(50007)
    return wire.channel_json(dm_with(world, user.id))


def dm_with(world: World, number: int) -> Channel:
    """The DM of the bot and the person, which is created if it does not exist."""
    if number not in world.dms:
        user = world.users[number]
        world.dms[number] = world.add_channel(Channel(world.new_id(), 1, user.name, user=user))
    return world.dms[number]
