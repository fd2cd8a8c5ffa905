"""Messages over REST."""

from dataclasses import replace
from itertools import islice

from tests.emulators.discord.access import check_draft, check_writing, reach, reach_message
from tests.emulators.discord.call import Call
from tests.emulators.discord.content import Draft, read_draft, read_edit
from tests.emulators.discord.faults import refusal
from tests.emulators.discord.form import number_of
from tests.emulators.discord.mentions import EVERYTHING
from tests.emulators.discord.permissions import READ, Permission, demand
from tests.emulators.discord.state import World
from tests.emulators.discord.types import ANNOUNCEMENT, CROSSPOSTED, EPHEMERAL, Channel, Json, Message


def create_message(world: World, call: Call) -> Json:
    channel = reach(world, call.number("channel"))
    check_writing(world, channel)
    draft = read_draft(call.body, call.files, EVERYTHING)
    draft = replace(draft, flags=draft.flags & ~EPHEMERAL)
    check_draft(world, channel, draft)
    if draft.enforce_nonce and draft.nonce is not None:
        known = world.nonces.find(draft.nonce, world.clock())
        if known is not None:
            return world.json(reach_message(world, *known))
    if channel.archived:
        set_archived(world, channel, False)
    return world.json(send(world, channel, draft))


def send(world: World, channel: Channel, draft: Draft, number: int = 0) -> Message:
    """Show the bot's draft in the channel. `number` is the message's id if it is already known."""
    reply = draft.reply_to if draft.reply_to in channel.messages else None
    draft = replace(draft, reply_to=reply)
    who = world.pings_of(channel, world.bot, draft)
    message = world.post(channel, world.bot, draft, who, number=number)
    if draft.nonce is not None:
        world.nonces.keep(draft.nonce, channel, message, world.clock())
    return message


def set_archived(world: World, thread: Channel, archived: bool) -> None:
    """Archive or unarchive the thread, and dispatch the event."""
    thread.archived = archived
    world.tell_channel("UPDATE", thread)


def edit_message(world: World, call: Call) -> Json:
    channel = reach(world, call.number("channel"))
    message = reach_message(world, channel, call.number("message"))
    if message.author != world.bot:
        raise refusal(50005)
    if channel.archived:
        raise refusal(50083)
    draft = read_edit(call.body, message, EVERYTHING, call.files)
    if draft.embeds != message.embeds and draft.embeds:
        demand(channel, world.bot.id, Permission.EMBED_LINKS)
    return world.json(world.change(channel, message, **edited(world, channel, draft)))


def edited(world: World, channel: Channel, draft: Draft, *, trusted: bool = False) -> dict[str, object]:
    """The fields that an edit changes. Mentions are parsed again."""
    return {
        "content": draft.content,
        "embeds": draft.embeds,
        "components": draft.components,
        "files": draft.files,
        "flags": draft.flags,
        "pings": world.pings_of(channel, world.bot, draft, trusted=trusted),
    }


def get_message(world: World, call: Call) -> Json:
    channel = reach(world, call.number("channel"), READ)
    return world.json(reach_message(world, channel, call.number("message")))


def list_messages(world: World, call: Call) -> list[Json]:
    """List messages, newest first. `before` and `after` limit the ids."""
    channel = reach(world, call.number("channel"), READ)
    before = number_of(call.query.get("before")) or 1 << 63
    after = number_of(call.query.get("after"))
    limit = max(1, min(number_of(call.query.get("limit"), 50), 100))
    fitting = (m for m in reversed(channel.messages.values()) if after < m.id < before)
    return [world.json(message) for message in islice(fitting, limit)]


def delete_message(world: World, call: Call) -> None:
    channel = reach(world, call.number("channel"))
    message = reach_message(world, channel, call.number("message"))
    if message.author != world.bot:
        demand(channel, world.bot.id, Permission.MANAGE_MESSAGES)
    world.remove(channel, message)


def crosspost(world: World, call: Call) -> Json:
    channel = reach(world, call.number("channel"), Permission.SEND_MESSAGES)
    if channel.type != ANNOUNCEMENT:
        raise refusal(50024)
    message = reach_message(world, channel, call.number("message"))
    if message.author != world.bot:
        demand(channel, world.bot.id, Permission.MANAGE_MESSAGES)
    if message.flags & CROSSPOSTED:
        raise refusal(40033)
    return world.json(world.change(channel, message, flags=message.flags | CROSSPOSTED))


def typing(world: World, call: Call) -> None:
    check_writing(world, reach(world, call.number("channel")))
