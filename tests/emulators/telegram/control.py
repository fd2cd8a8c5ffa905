"""Controls the emulator from another process: POST /_emulator/<action>, with JSON in both directions."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict

from aiohttp import web

from tests.emulators.base import ANY
from tests.emulators.telegram.faults import named
from tests.emulators.telegram.server import TelegramEmulator
from tests.emulators.telegram.types import Chat, Json, User

Action = Callable[[TelegramEmulator, Json], object]


class ControlledEmulator(TelegramEmulator):
    """A TelegramEmulator with the actions of ACTIONS. It answers a wrong call with 400 and the reason."""

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a control request, or one to the Bot API."""
        if not request.path.startswith("/_emulator/"):
            return await super().handle(request)
        name = request.path.removeprefix("/_emulator/")
        try:
            result = ACTIONS[name](self, json.loads(await request.read() or b"{}"))
        except (LookupError, ValueError, TypeError) as exc:
            return web.json_response({"error": f"{name}: {exc!r}"}, status=400)
        return web.json_response(result)


def _number(call: Json, name: str) -> int:
    value = call[name]
    if not isinstance(value, int):
        raise TypeError(f"{name} is a number")
    return value


def _chat(tg: TelegramEmulator, call: Json) -> Chat:
    return tg.chat(_number(call, "chat"))


def _thread(call: Json) -> int | None:
    return _number(call, "thread") if "thread" in call else None


def make_chat(tg: TelegramEmulator, kind: str, title: str) -> Chat:
    """Create a chat with the bot: private, group, supergroup, forum or channel."""
    make: dict[str, Callable[[], Chat]] = {
        "private": lambda: tg.private(tg.user(title)),
        "group": lambda: tg.group(title),
        "supergroup": lambda: tg.supergroup(title),
        "forum": lambda: tg.forum(title),
        "channel": lambda: tg.channel(title),
    }
    return make[kind]()


def _create(tg: TelegramEmulator, call: Json) -> object:
    kind, title = str(call["kind"]), str(call.get("title", call["kind"]))
    many = _number(call, "count") if "count" in call else 1
    return {"ids": [make_chat(tg, kind, title).id for _ in range(many)]}


def _topic(tg: TelegramEmulator, call: Json) -> object:
    return {"thread": tg.topic(_chat(tg, call), str(call["title"]))}


def _say(tg: TelegramEmulator, call: Json) -> object:
    anonymous = call.get("anonymous") is True
    said = tg.say(_chat(tg, call), str(call["text"]), thread=_thread(call), anonymous=anonymous)
    return {"message_id": said.message_id}


def _press(tg: TelegramEmulator, call: Json) -> object:
    return {"query_id": tg.press(_chat(tg, call), str(call["label"])).query_id}


def _answer(tg: TelegramEmulator, call: Json) -> object:
    answer = tg.world.answers.get(str(call["query_id"]))
    return asdict(answer) if answer else None


def _fault(tg: TelegramEmulator, call: Json) -> object:
    """Add a fault. If `times` is null, it stays until `clear`."""
    times = call.get("times", 1)
    method, chat = str(call.get("method", "sendMessage")), str(call.get("chat", ANY))
    tg.faults.add(named(str(call["kind"])), method, chat, times if isinstance(times, int) else None)
    return {}


def _clear(tg: TelegramEmulator, call: Json) -> object:
    tg.faults.clear()
    return {}


def _person(chat: Chat) -> User:
    if chat.user is None:
        raise ValueError(f"{chat.title!r} is no private chat")
    return chat.user


def _group(chat: Chat) -> Chat:
    if chat.user is not None:
        raise ValueError(f"{chat.title!r} is a private chat")
    return chat


def _migrate(tg: TelegramEmulator, chat: Chat) -> object:
    if chat.type != "group":
        raise ValueError(f"{chat.title!r} is no basic group")
    return {"id": tg.migrate(chat).id}


STANDING: Mapping[str, Callable[[TelegramEmulator, Chat], object]] = {
    "block": lambda tg, chat: tg.block(_person(chat)),
    "unblock": lambda tg, chat: tg.unblock(_person(chat)),
    "kick": lambda tg, chat: tg.kick_bot(_group(chat)),
    "add": lambda tg, chat: tg.add_bot(_group(chat), admin=chat.type == "channel"),
    "migrate": _migrate,
    "delete": lambda tg, chat: tg.delete_chat(chat),
}
"""What people do to the bot in a chat. ValueError where the chat is not of the kind for it."""


def _standing(act: str) -> Action:
    return lambda tg, call: STANDING[act](tg, _chat(tg, call))


def _messages(tg: TelegramEmulator, call: Json) -> object:
    return [asdict(message) for message in tg.messages(_chat(tg, call), _thread(call))]


def _transcript(tg: TelegramEmulator, call: Json) -> object:
    """Entries from index `start` on, each with its kind."""
    start = _number(call, "start") if "start" in call else 0
    return [{"kind": type(entry).__name__} | asdict(entry) for entry in tg.transcript.entries[start:]]


def _stats(tg: TelegramEmulator, call: Json) -> object:
    """Counts of all events; the answer has the same size however many there are."""
    flood = tg.flood
    return {
        "sent": len(tg.sent),
        "requests": {method: len(places) for method, places in tg.world.requests.items()},
        "held": flood.holds if flood else 0,
        "refused": flood.refusals if flood else 0,
    }


ACTIONS: Mapping[str, Action] = {
    "create": _create,
    "topic": _topic,
    "say": _say,
    "press": _press,
    "answer": _answer,
    "fault": _fault,
    "clear": _clear,
    "messages": _messages,
    "transcript": _transcript,
    "stats": _stats,
    **{act: _standing(act) for act in STANDING},
}
