"""The emulator's server. A request passes latency, faults and rate limits before its route handles it."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from aiohttp import web

from tests.emulators.base import Answer, Emulator, Fault, Sleep, Transcript, pause, reset, respond
from tests.emulators.discord.call import Call, read_call
from tests.emulators.discord.clicks import Clicks
from tests.emulators.discord.faults import BLOCKED, error_answer, refusal
from tests.emulators.discord.gateway import Gateway
from tests.emulators.discord.interactions import expire
from tests.emulators.discord.limits import Clock, Governor, Headers, Limits
from tests.emulators.discord.nonces import Nonces
from tests.emulators.discord.records import Happening, Outcome, Request
from tests.emulators.discord.routes import CREATED, GATEWAY, OPEN, ROUTES, find_route
from tests.emulators.discord.state import World
from tests.emulators.discord.types import (
    ApiError,
    Attached,
    Channel,
    Json,
    Message,
    User,
)
from tests.emulators.telegram.limits import Latency, Line

Found = TypeVar("Found")
_NORMAL = Fault()
_API, _CDN = "/api/v10", "/attachments/"
_VIA = (("Via", "1.1 google"),)
BOT_ID = 1_000_000_000_000_000_001
TOKEN = "TEST.discord.token"


class DiscordEmulator(Clicks, Emulator):
    """Discord's REST API and gateway on loopback, for one bot.

        async with DiscordEmulator() as dc:
            news = dc.text(dc.guild("Club"), "news")
            dc.say(news, "hello")

    `dc.url` is what the bot takes for https://discord.com/api/v10, `dc.gateway_url` for
    wss://gateway.discord.gg. `limits` None means no rate limits; `privileged` are the intents of that kind
    that the bot may ask for. `clock` and `sleep` serve limits, deadlines, nonces, latency and faults; ids and
    times of messages are those of `today`, which discord.py compares with its own.
    """

    def __init__(
        self,
        token: str = TOKEN,
        *,
        limits: Limits | None = None,
        latency: Latency | None = None,
        privileged: int = 0,
        nonce_window: float = 180.0,
        clock: Clock = time.monotonic,
        sleep: Sleep = asyncio.sleep,
        today: Clock = time.time,
    ) -> None:
        Emulator.__init__(self)
        self.bot = User(BOT_ID, "Skywave", is_bot=True)
        Clicks.__init__(self, World(self.bot, clock, today, Nonces(nonce_window)))
        self.token = token
        self.clock = clock
        self.sleep = sleep
        self.governor = Governor(limits, clock, today) if limits else None
        self.gateway = Gateway(self.world, token, privileged)
        self._line = Line(latency, sleep) if latency else None

    @property
    def url(self) -> str:
        """The URL of the REST API, without a slash at the end."""
        return super().url + _API

    @property
    def gateway_url(self) -> str:
        """The URL of the gateway."""
        return f"ws://127.0.0.1:{self.port}/gateway/"

    @property
    def transcript(self) -> Transcript[Happening]:
        """Requests, gateway connections, and what people saw, in order."""
        return self.world.transcript

    @property
    def sent(self) -> list[Message]:
        """All messages of the bot in order, as people first saw them."""
        return self.world.sent

    def messages(self, channel: Channel | int) -> list[Message]:
        """The bot's current messages that everybody in the channel sees, oldest first."""
        return [message for message in self.channel(channel).messages.values() if message.author == self.bot]

    def requests(self, method: str, route: str) -> list[Request]:
        """All requests of a route so far, oldest first: requests("POST", "/channels/{channel}/messages")."""
        places = self.world.requests.get(f"{method.upper()} {route}", ())
        entries = (self.transcript.entries[place] for place in places)
        return [entry for entry in entries if isinstance(entry, Request)]

    async def wait_for(self, predicate: Callable[[], Found | None], timeout: float = 30.0) -> Found:
        """See Transcript.wait_for."""
        return await self.transcript.wait_for(predicate, timeout)

    async def start(self, port: int = 0) -> None:
        """See Emulator.start."""
        await super().start(port)
        self.gateway.url = self.gateway_url

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request to the REST API, or serve a gateway connection."""
        if request.path.startswith("/gateway"):
            return await self.gateway.serve(request)
        if request.path.startswith(_CDN):
            return self._download(request.path)
        expire(self.world)
        if self._line:
            await self._line.cross()
        try:
            route, call = await self._read(request)
        except ApiError as error:
            answer = self._noted(BLOCKED if self._is_blocked() else error_answer(error))
            outcome = Outcome(answer.status, error.code, answer.body.decode())
            self.world.arrived(Request(request.method, request.path, {}, {}, self.clock(), outcome))
            return respond(answer)
        return await self._answer(request, route, call)

    def attach(self, name: str, content: bytes, *, size: int | None = None) -> Attached:
        """A file as the value of a command's option. `size` is what Discord says, if it is not the true one.

        Its URL is on this server; Discord's are on cdn.discordapp.com.
        """
        number = self.world.new_id()
        url = f"{super().url}{_CDN}{number}/{name}"
        file = Attached(number, name, content, len(content) if size is None else size, url)
        self.world.attachments[number] = file
        return file

    def _download(self, path: str) -> web.Response:
        number, _, name = path.removeprefix(_CDN).partition("/")
        file = self.world.attachments.get(int(number) if number.isdecimal() else 0)
        if file is None or file.name != name:
            return web.Response(status=404)
        return web.Response(body=file.content, content_type="application/octet-stream")

    async def _read(self, request: web.BaseRequest) -> tuple[str, Call]:
        if not request.path.startswith(f"{_API}/"):
            raise refusal(50041 if request.path.startswith("/api/") else 404)
        path = request.path.removeprefix(_API)
        route, params = find_route(request.method, path)
        if request.headers.get("Authorization") != f"Bot {self.token}" and not path.startswith(OPEN):
            raise refusal(401)
        return route, await read_call(request, params)

    async def _answer(self, request: web.BaseRequest, route: str, call: Call) -> web.StreamResponse:
        method, channel = request.method, call.params.get("channel", "")
        fault = self.faults.take(f"{method} {route}", channel) or _NORMAL
        place = self.world.arrived(Request(method, route, call.params, call.body, self.clock()))
        answer, outcome = await self._carry_out(f"{method} {route}", call, fault)
        gone = request.transport is None  # the client did not wait for the answer
        self._settle(place, replace(outcome, status=None) if gone else outcome)
        await pause(fault.delay, self.sleep)
        if self._line:
            await self._line.cross()
        return reset(request) if fault.dropped else respond(answer)

    async def _carry_out(self, name: str, call: Call, fault: Fault) -> tuple[Answer, Outcome]:
        await pause(fault.hold, self.sleep)
        answer, outcome = Answer(500, b""), Outcome(None)
        if fault.processed:
            answer, outcome = self._process(name, call)
        if fault.answer:
            answer = fault.answer
            outcome = replace(outcome, status=answer.status, body=answer.body.decode())
        return self._noted(answer), replace(outcome, status=None) if fault.dropped else outcome

    def _process(self, name: str, call: Call) -> tuple[Answer, Outcome]:
        if self._is_blocked():
            return BLOCKED, Outcome(BLOCKED.status, 0, BLOCKED.body.decode())
        headers: Headers = ()
        try:
            if self.governor is not None:
                headers = self.governor.admit(name, call.params.get("channel", ""))
            result = self._call(name, call)
        except ApiError as error:
            answer = error_answer(ApiError(error.status, error.body, (*headers, *error.headers)))
            return answer, Outcome(error.status, error.code, json.dumps(error.body))
        headers = (*_VIA, *headers)
        if result is None:  # an empty answer of Discord has this type
            return Answer(204, b"", "text/html; charset=utf-8", headers), Outcome(204)
        status = 201 if name in CREATED else 200
        body = json.dumps(result, separators=(",", ":")).encode()
        return Answer(status, body, headers=headers), Outcome(status)

    def _call(self, name: str, call: Call) -> object:
        if name.removeprefix("GET ") in GATEWAY:
            return self._gateway()
        return ROUTES[name](self.world, call)

    def _gateway(self) -> Json:
        limit: Json = {"total": 1000, "remaining": 1000, "reset_after": 0, "max_concurrency": 1}
        return {"url": self.gateway_url, "shards": 1, "session_start_limit": limit}

    def _is_blocked(self) -> bool:
        return self.governor is not None and self.governor.is_blocked()

    def _noted(self, answer: Answer) -> Answer:
        """Return the answer, and count it if its request was invalid."""
        if self.governor is not None and answer is not BLOCKED:
            self.governor.note(answer.status, answer.headers)
        return answer

    def _settle(self, place: int, outcome: Outcome) -> None:
        entry = self.transcript.entries[place]
        assert isinstance(entry, Request)
        self.transcript.replace(place, replace(entry, outcome=outcome))
