"""From an event of any platform to its reply."""

from collections.abc import Collection

import structlog

from bot.access import Role, role_of
from bot.commands.types import Call, Reply, Request, Services
from bot.commands.views import View, show
from content import present
from content.errors import SkywaveError
from scheduler import membership
from scheduler.types import Chat, ChatKind, ChatState

log = structlog.get_logger(__name__)


class Router:
    """Runs commands and turns pages. What goes wrong becomes a reply that says what to do."""

    def __init__(self, services: Services, operators: Collection[str]) -> None:
        self._services, self._operators = services, operators
        self._commands = {command.name: command for command in services.commands}

    async def command(self, call: Call) -> Reply | None:
        """The reply to a command; None where it is not ours: in a group somebody else's bot may know it."""
        command = self._commands.get(call.name)
        if command is None and call.kind in (ChatKind.GROUP, ChatKind.CHANNEL):
            return None
        try:
            request = await self._request(call, command.role if command else Role.MEMBER)
            t = request.translator.t
            if command is None:
                unknown = t("There is no command /{name}. /help lists them all.", name=call.name[:32])
                return Reply(present.error(unknown))
            if request.role < command.role:
                return Reply(present.error(t("Only admins of this chat can use /{name}.", name=command.name)))
            return await command.handler(request, self._services)
        except SkywaveError as exc:
            log.info("command.refused", command=call.name, chat=str(call.place), reason=str(exc))
            return Reply(present.error(str(exc)))

    async def press(self, data: str, call: Call) -> Reply | None:
        """The reply that a button's message becomes; None for a button that is not ours."""
        view = View.decode(data)
        if view is None or view.page < 1:
            return None
        try:
            return await show(view, await self._request(call, Role.MEMBER), self._services)
        except SkywaveError as exc:
            return Reply(present.error(str(exc)))

    async def _request(self, call: Call, needed: Role) -> Request:
        is_admin = needed > Role.MEMBER and await call.is_chat_admin()
        role = role_of(call.actor, is_chat_admin=is_admin, operators=self._operators)
        chat = await self._chat(call)
        return Request(call, chat, role, self._services.look(chat.language, call.locale))

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
