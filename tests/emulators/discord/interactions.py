"""Interactions and their deadlines: 3 s to acknowledge, 15 minutes for follow-ups."""

import asyncio

from tests.emulators.discord import wire
from tests.emulators.discord.call import MAX_FILE
from tests.emulators.discord.faults import refusal
from tests.emulators.discord.permissions import permissions
from tests.emulators.discord.records import Acknowledged, Failed
from tests.emulators.discord.state import World
from tests.emulators.discord.types import (
    AUTOCOMPLETE,
    COMMAND,
    Channel,
    Interaction,
    Json,
    Message,
    User,
)

DEADLINE, LIFETIME = 3.0, 15 * 60.0


def open_interaction(
    world: World,
    kind: int,
    name: str,
    data: Json,
    user: User,
    channel: Channel,
    source: Message | None = None,
) -> Interaction:
    """Create an interaction of a person, and dispatch it to the bot."""
    number = world.new_id()
    made = Interaction(number, f"token-{number}", kind, name, user, channel, world.clock(), source)
    world.interactions[made.token] = made
    world.waiting.append(made)
    world.events.dispatch("INTERACTION_CREATE", _body(world, made, data))
    # Expiry is also checked after three seconds of real time, because the clock may be a fake.
    asyncio.get_running_loop().call_later(DEADLINE + 0.01, expire, world)
    return made


def expire(world: World) -> None:
    """Fail interactions without an answer in time."""
    now = world.clock()
    while world.waiting:
        first = world.waiting[0]
        if first.state == "waiting" and now - first.at < DEADLINE:
            return
        world.waiting.popleft()
        if first.state == "waiting":
            fail(world, first)


def fail(world: World, made: Interaction) -> None:
    """Show the person that the interaction failed."""
    made.state = "failed"
    text = "The application did not respond" if made.type == COMMAND else "This interaction failed"
    world.transcript.append(Failed(made.id, "" if made.type == AUTOCOMPLETE else text))


def acknowledge(world: World, made: Interaction, kind: int) -> None:
    """Record the bot's answer."""
    made.state = "acknowledged"
    world.transcript.append(Acknowledged(made.id, kind))


def to_answer(world: World, number: str, token: str) -> Interaction:
    """The interaction, if it can be answered now. Raises 10062, 40060."""
    expire(world)
    made = world.interactions.get(token)
    if made is None or str(made.id) != number or made.state == "failed":
        raise refusal(10062)
    if made.state == "acknowledged":
        raise refusal(40060)
    return made


def to_follow(world: World, application: str, token: str) -> Interaction:
    """The answered interaction with this webhook token. Raises 10015, 50027."""
    made = world.interactions.get(token)
    if made is None or application != str(world.bot.id) or made.state != "acknowledged":
        raise refusal(10015)
    if world.clock() - made.at >= LIFETIME:
        raise refusal(50027)
    return made


def find_message(made: Interaction, name: str) -> Message:
    """A message of the interaction, or `@original`. Raises 10008."""
    number = made.original if name == "@original" else int(name) if name.isdigit() else None
    channel = made.channel
    message = channel.messages.get(number or 0) or channel.hidden.get(number or 0)
    if message is None or number not in (*made.messages, made.original):
        raise refusal(10008)
    return message


def _body(world: World, made: Interaction, data: Json) -> Json:
    channel, user = made.channel, made.user
    bits = permissions(channel, user.id)
    body: Json = {
        "id": str(made.id),
        "application_id": str(world.bot.id),
        "type": made.type,
        "token": made.token,
        "version": 1,
        "data": data,
        "channel_id": str(channel.id),
        "channel": wire.partial_channel_json(channel, bits),
        "app_permissions": str(int(permissions(channel, world.bot.id))),
        "locale": user.locale,
        "entitlements": [],
        "attachment_size_limit": MAX_FILE,
    }
    if made.source is not None:
        body["message"] = world.json(made.source)
    guild = channel.guild
    if guild is None:
        owners = {"1": str(user.id)}
        return body | {"user": wire.user_json(user), "context": 1, "authorizing_integration_owners": owners}
    return body | {
        "guild_id": str(guild.id),
        "guild": {"id": str(guild.id), "locale": guild.locale, "features": []},
        "guild_locale": guild.locale,
        "member": wire.member_json(guild, user) | {"permissions": str(int(bits))},
        "context": 0,
        "authorizing_integration_owners": {"0": str(guild.id)},
    }
