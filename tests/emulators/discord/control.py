"""Controls the emulator from another process: POST /_emulator/<action>, with JSON in both directions."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict

from aiohttp import web

from tests.emulators.base import ANY
from tests.emulators.discord.faults import named
from tests.emulators.discord.permissions import Permission
from tests.emulators.discord.routes import SEND
from tests.emulators.discord.server import DiscordEmulator
from tests.emulators.discord.types import Channel, Guild, Interaction, Json, Message

Action = Callable[[DiscordEmulator, Json], object]


class ControlledEmulator(DiscordEmulator):
    """A DiscordEmulator with the actions of ACTIONS. It answers a wrong call with 400 and the reason."""

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a control request, or one to Discord."""
        if not request.path.startswith("/_emulator/"):
            return await super().handle(request)
        name = request.path.removeprefix("/_emulator/")
        try:
            result = ACTIONS[name](self, json.loads(await request.read() or b"{}"))
        except (LookupError, ValueError, TypeError) as exc:
            return web.json_response({"error": f"{name}: {exc!r}"}, status=400)
        return web.json_response(result)


def make_channel(dc: DiscordEmulator, guild: Guild, kind: str, name: str) -> Channel:
    """Create a channel of the guild (text, announcement, forum, thread) or the DM of a new person."""
    make: dict[str, Callable[[], Channel]] = {
        "text": lambda: dc.text(guild, name),
        "announcement": lambda: dc.announcement(guild, name),
        "forum": lambda: dc.forum(guild, name, ("News",)),
        "thread": lambda: dc.thread(dc.text(guild, f"{name}-parent"), name),
        "dm": lambda: dc.dm(dc.user(name)),
    }
    return make[kind]()


def _number(call: Json, name: str) -> int:
    value = call[name]
    if isinstance(value, str) and value.isdigit():
        return int(value)
    if not isinstance(value, int):
        raise TypeError(f"{name} is a number")
    return value


def _channel(dc: DiscordEmulator, call: Json) -> Channel:
    return dc.channel(_number(call, "channel"))


def _create(dc: DiscordEmulator, call: Json) -> object:
    """Create `count` channels in a guild, a new one unless `guild` is given. Ids are strings."""
    kind, name = str(call["kind"]), str(call.get("name", call["kind"]))
    many = _number(call, "count") if "count" in call else 1
    guild = dc.world.guilds[_number(call, "guild")] if "guild" in call else dc.guild(name)
    ids = [str(make_channel(dc, guild, kind, name).id) for _ in range(many)]
    return {"guild": str(guild.id), "ids": ids}


def _say(dc: DiscordEmulator, call: Json) -> object:
    return {"id": str(dc.say(_channel(dc, call), str(call["text"])).id)}


def _slash(dc: DiscordEmulator, call: Json) -> object:
    options = call.get("options")
    given = dict(options) if isinstance(options, dict) else {}
    return _opened(dc.slash(_channel(dc, call), str(call["name"]), **given))


def _press(dc: DiscordEmulator, call: Json) -> object:
    return _opened(dc.press(_channel(dc, call), str(call["label"])))


def _opened(made: Interaction) -> Json:
    return {"interaction": str(made.id), "token": made.token}


def _answer(dc: DiscordEmulator, call: Json) -> object:
    """The answer that the person sees to the interaction with this token."""
    made = dc.world.interactions[str(call["token"])]
    return {"failed": dc.has_failed(made), "messages": [_plain(message) for message in dc.answers_to(made)]}


def _fault(dc: DiscordEmulator, call: Json) -> object:
    """Add a fault to a route like "POST /channels/{channel}/messages"; `times` null: until `clear`."""
    times = call.get("times", 1)
    route, channel = str(call.get("route", SEND)), str(call.get("channel", ANY))
    dc.faults.add(named(str(call["kind"])), route, channel, times if isinstance(times, int) else None)
    return {}


def _clear(dc: DiscordEmulator, call: Json) -> object:
    dc.faults.clear()
    return {}


def _drop(dc: DiscordEmulator, call: Json) -> object:
    dc.gateway.drop()
    return {}


def _guild(channel: Channel) -> Guild:
    if channel.guild is None:
        raise ValueError(f"{channel.name!r} is a DM")
    return channel.guild


def _in_guild(channel: Channel) -> Channel:
    _guild(channel)
    return channel


def _thread(channel: Channel) -> Channel:
    if not channel.is_thread:
        raise ValueError(f"{channel.name!r} is no thread")
    return channel


def _wake(dc: DiscordEmulator, channel: Channel) -> None:
    dc.lock(_thread(channel), False)
    dc.archive(channel, False)


_WRITING = Permission.SEND_MESSAGES | Permission.SEND_MESSAGES_IN_THREADS
STANDING: Mapping[str, Callable[[DiscordEmulator, Channel], object]] = {
    "kick": lambda dc, channel: dc.kick_bot(_guild(channel)),
    "add": lambda dc, channel: dc.add_bot(_guild(channel)),
    "mute": lambda dc, channel: dc.deny(_in_guild(channel), _WRITING),
    "unmute": lambda dc, channel: dc.deny(_in_guild(channel), 0),
    "archive": lambda dc, channel: dc.archive(_thread(channel)),
    "lock": lambda dc, channel: dc.lock(_thread(channel)),
    "wake": _wake,
    "delete": lambda dc, channel: dc.delete(_in_guild(channel)),
}
"""What people do to the bot in a channel. ValueError where the channel is not of the kind for it."""


def _standing(act: str) -> Action:
    def do(dc: DiscordEmulator, call: Json) -> object:
        STANDING[act](dc, _channel(dc, call))
        return {}

    return do


def _plain(message: Message) -> Json:
    """The message as JSON, without its history. Sets become lists."""
    body = asdict(message) | {"id": str(message.id), "channel_id": str(message.channel_id)}
    pings = message.pings
    named = {"users": sorted(pings.users), "roles": sorted(pings.roles), "everyone": pings.everyone}
    del body["history"]
    return body | {"pings": named, "versions": len(message.history) + 1}


def _messages(dc: DiscordEmulator, call: Json) -> object:
    return [_plain(message) for message in dc.messages(_channel(dc, call))]


def _stats(dc: DiscordEmulator, call: Json) -> object:
    """Counts of all events; the answer has the same size however many there are."""
    governor = dc.governor
    return {
        "sent": len(dc.sent),
        "requests": {route: len(places) for route, places in dc.world.requests.items()},
        "refused": governor.refusals if governor else 0,
        "blocked": governor.blocked if governor else 0,
        "identified": dc.gateway.identified,
        "ready": dc.gateway.ready,
    }


ACTIONS: Mapping[str, Action] = {
    "create": _create,
    "say": _say,
    "slash": _slash,
    "press": _press,
    "answer": _answer,
    "fault": _fault,
    "clear": _clear,
    "drop": _drop,
    "messages": _messages,
    "stats": _stats,
    **{act: _standing(act) for act in STANDING},
}
