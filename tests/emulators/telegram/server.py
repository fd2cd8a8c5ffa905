"""The emulator's server. A request passes latency, faults and flood control before its method runs."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from aiohttp import web

from tests.emulators.base import Answer, Emulator, Fault, Sleep, Transcript, pause, reset, respond
from tests.emulators.telegram.access import find_chat
from tests.emulators.telegram.api import COSTS, METHODS, SINCE, get_updates
from tests.emulators.telegram.faults import error_answer, refusal
from tests.emulators.telegram.limits import Clock, Flood, Latency, Limits, Line
from tests.emulators.telegram.params import Params, read_params
from tests.emulators.telegram.people import People
from tests.emulators.telegram.state import World
from tests.emulators.telegram.types import (
    ApiError,
    Chat,
    Happening,
    Message,
    Outcome,
    Request,
    User,
)

Found = TypeVar("Found")
_NORMAL = Fault()
TOKEN = "123456:TEST"


class TelegramEmulator(People, Emulator):
    """A Telegram Bot API server on loopback, for one bot.

        async with TelegramEmulator() as tg:
            ann = tg.user("Ann")
            tg.say(tg.private(ann), "/start")

    `tg.url` replaces https://api.telegram.org. `version` is the version of the Bot API. If `limits` is None,
    there is no flood control. `clock` and `sleep` are used for flood control, latency and faults. The timeout
    of a long poll is real time.
    """

    def __init__(
        self,
        token: str = TOKEN,
        *,
        username: str = "skywave_test_bot",
        reads_all: bool = False,
        version: tuple[int, int] = (10, 4),
        limits: Limits | None = None,
        latency: Latency | None = None,
        clock: Clock = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        number, _, secret = token.partition(":")
        if not number.isdigit() or not secret:
            raise ValueError(f"a token looks like 123456:TEST, not {token!r}")
        Emulator.__init__(self)
        bot = User(int(number), "Skywave", username=username, is_bot=True)
        People.__init__(self, World(bot, reads_all, version))
        self.token = token
        self.clock = clock
        self.sleep = sleep
        self.flood = Flood(limits, clock, sleep) if limits else None
        self._line = Line(latency, sleep) if latency else None

    @property
    def bot(self) -> User:
        """The bot itself."""
        return self.world.bot

    @property
    def transcript(self) -> Transcript[Happening]:
        """Requests, and what people saw, in order."""
        return self.world.transcript

    @property
    def sent(self) -> list[Message]:
        """All messages of the bot in order, as people first saw them."""
        return self.world.sent

    def messages(self, chat: Chat | int, thread: int | None = None) -> list[Message]:
        """The bot's current messages in the chat, or in one of its topics, oldest first."""
        place = self.chat(chat)
        mine = (m for m in place.messages.values() if m.sender == self.bot and m.service is None)
        return [m for m in mine if thread is None or (m.thread_id or 1) == thread]

    def whispers(self, chat: Chat, user: User) -> list[Message]:
        """The bot's messages in the chat that only this person sees, oldest first."""
        return [m for m in chat.whispers.values() if m.sender == self.bot and m.receiver == user]

    def requests(self, method: str) -> list[Request]:
        """All requests for the method so far, oldest first."""
        places = self.world.requests.get(method.lower(), ())
        entries = (self.transcript.entries[place] for place in places)
        return [entry for entry in entries if isinstance(entry, Request)]

    def has_untold(self, chat: Chat) -> bool:
        """Whether an update about the bot's membership in the chat is not confirmed yet."""
        return self.world.updates.is_about(chat.id)

    async def wait_for(self, predicate: Callable[[], Found | None], timeout: float = 30.0) -> Found:
        """See Transcript.wait_for."""
        return await self.transcript.wait_for(predicate, timeout)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request to /bot<token>/<method>."""
        if request.path.startswith("/file/"):
            return self._download(request.path)
        try:
            method = self._method(request.path)
            params = await read_params(request)
        except ApiError as error:
            outcome = Outcome(error.status, error.description)
            self.world.arrived(Request(request.path, {}, self.clock(), outcome))
            return respond(error_answer(error))
        if self._line:
            await self._line.cross()
        fault = self.faults.take(method, params.text("chat_id")) or _NORMAL
        place = self.world.arrived(Request(method, params.values, self.clock()))
        answer, outcome = await self._carry_out(method, params, fault)
        gone = request.transport is None  # the client did not wait for the answer
        self._settle(place, replace(outcome, status=None) if gone else outcome)
        await pause(fault.delay, self.sleep)
        if self._line:
            await self._line.cross()
        return reset(request) if fault.dropped else respond(answer)

    def _download(self, path: str) -> web.Response:
        """A file at /file/bot<token>/<file_path>."""
        found = {f"/file/bot{self.token}/{file.path}": file for file in self.world.stored.values()}.get(path)
        if found is None:
            return respond(error_answer(refusal("not-found")))
        return web.Response(body=found.content, content_type="application/octet-stream")

    def _method(self, path: str) -> str:
        token, _, method = path.removeprefix("/bot").partition("/")
        number, _, secret = token.partition(":")
        if not path.startswith("/bot") or not number.isdigit() or not secret or not method:
            raise refusal("not-found")
        if token != self.token:
            raise refusal("unauthorized")
        return method

    async def _carry_out(self, method: str, params: Params, fault: Fault) -> tuple[Answer, Outcome]:
        await pause(fault.hold, self.sleep)
        answer, outcome = Answer(500, b""), Outcome(None)
        if fault.processed:
            answer, outcome = await self._process(method, params)
        if fault.answer:
            answer = fault.answer
            outcome = replace(outcome, status=answer.status, description=answer.body.decode())
        return answer, replace(outcome, status=None) if fault.dropped else outcome

    async def _process(self, method: str, params: Params) -> tuple[Answer, Outcome]:
        try:
            result = await self._call(method.lower(), params)
        except ApiError as error:
            return error_answer(error), Outcome(error.status, error.description)
        body = json.dumps({"ok": True, "result": result}, separators=(",", ":")).encode()
        return Answer(200, body), Outcome(200, "", _message_ids(method, result))

    async def _call(self, name: str, params: Params) -> object:
        if name == "getupdates":
            return await get_updates(self.world, params)
        if name not in METHODS or self.world.version < SINCE.get(name, (0, 0)):
            raise refusal("method-not-found")
        if self.flood is not None and name in COSTS:
            items = params.parsed("media", "media")
            cost = len(items) if isinstance(items, list) else 1
            chat = find_chat(self.world, params)
            await self.flood.admit(chat.id, private=chat.type == "private", cost=cost)
        return METHODS[name](self.world, params)

    def _settle(self, place: int, outcome: Outcome) -> None:
        entry = self.transcript.entries[place]
        assert isinstance(entry, Request)
        self.transcript.replace(place, replace(entry, outcome=outcome))


def _message_ids(method: str, result: object) -> tuple[int, ...]:
    if not method.lower().startswith("send"):
        return ()
    items = result if isinstance(result, list) else [result]
    return tuple(item["message_id"] for item in items if isinstance(item, dict))
