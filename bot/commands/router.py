"""From an event of any platform to its reply."""

from collections.abc import Collection, Sequence

import structlog

from bot.access import Role, role_of
from bot.commands.flood import Flood, Verdict, refusal
from bot.commands.types import Call, Reply, Request, Services
from content import present
from content.errors import SkywaveError
from scheduler import membership
from scheduler.types import Chat, ChatKind, ChatState

log = structlog.get_logger(__name__)


class Router:
    """Runs commands and turns pages. What goes wrong becomes a reply that says what to do."""

    def __init__(self, services: Services, operators: Collection[str], flood: Flood) -> None:
        self._services, self._operators, self._flood = services, operators, flood
        self._commands = {command.name: command for command in services.commands}
        self._presses = {press.prefix: press for press in services.presses}

    async def command(self, call: Call) -> Reply | None:
        """The reply to a command; None for a flood, or where somebody else's bot in a group may know it."""
        command = self._commands.get(call.name)
        if command is None and call.kind in (ChatKind.GROUP, ChatKind.CHANNEL):
            return None
        if (verdict := self._verdict(call)) is Verdict.IGNORED:
            return None
        try:
            if verdict is Verdict.REFUSED:
                return refusal(await self._request(call, Role.MEMBER))
            request = await self._request(call, command.role if command else Role.MEMBER)
            t = request.translator.t
            if command is None:
                unknown = t("There is no command /{name}. /help lists them all.", name=call.name[:32])
                return Reply(present.error(unknown), private=True)
            if request.role < command.role:
                only = t("Only admins of this chat can use /{name}.", name=command.name)
                return Reply(present.error(only), private=True)
            started = self._services.clock.monotonic()
            reply = await command.handler(request, self._services)
            seconds = round(self._services.clock.monotonic() - started, 4)
            log.info("command.answered", command=call.name, chat=str(call.place), seconds=seconds)
            return reply
        except SkywaveError as exc:
            log.info("command.refused", command=call.name, chat=str(call.place), reason=str(exc))
            return Reply(present.error(str(exc)), private=True)

    async def press(self, data: str, call: Call) -> Reply | None:
        """The reply that a button's message becomes; None for a flood or a button that is not ours."""
        press = self._presses.get(data.partition(":")[0])
        if (verdict := self._verdict(call)) is Verdict.IGNORED or press is None:
            return None
        try:
            if verdict is Verdict.REFUSED:
                return refusal(await self._request(call, Role.MEMBER))
            request = await self._request(call, press.role)
            if request.role < press.role:
                t = request.translator.t
                return Reply(present.error(t("Only admins of this chat can do that.")), private=True)
            return await press.handler(data, request, self._services)
        except SkywaveError as exc:
            return Reply(present.error(str(exc)), private=True)

    async def complete(self, parameter: str, text: str, call: Call) -> Sequence[str]:
        """What a person may mean who has typed `text` in a parameter of a command."""
        command = self._commands.get(call.name)
        parameters = command.parameters if command else ()
        completer = next((p.completer for p in parameters if p.name == parameter), None)
        if completer is None or not (self._is_operator(call) or self._flood.typed(call.actor)):
            return ()
        return await completer(text, await self._request(call, Role.MEMBER), self._services)

    def _is_operator(self, call: Call) -> bool:
        return call.actor in self._operators

    def _verdict(self, call: Call) -> Verdict:
        return Verdict.ANSWERED if self._is_operator(call) else self._flood.asked(call.actor)

    async def _request(self, call: Call, needed: Role) -> Request:
        is_admin = needed > Role.MEMBER and await call.is_chat_admin()
        role = role_of(call.actor, is_chat_admin=is_admin, operators=self._operators)
        chat = await self._chat(call)
        return Request(call, chat, role, self._services.look(chat, call.locale))

    async def _chat(self, call: Call) -> Chat:
        """The chat that speaks. One that was taken for gone is back."""
        async with self._services.store.read() as work:
            chat = await work.chats.find(call.place)
        if chat and chat.state is not ChatState.GONE and (chat.title, chat.kind) == (call.title, call.kind):
            return chat
        async with self._services.store.write() as work:
            chat = await work.chats.ensure(call.place, title=call.title, kind=call.kind)
            await membership.reactivate(work, chat, self._services.clock.now())
            await work.commit()
        return chat
