"""The router: turns a command or press from any platform into its reply."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import replace
from functools import cached_property
from typing import TypeVar

import structlog

from bot.access import Act, Role, Verdict, decide, role_of
from bot.commands import inline, questions
from bot.commands.address import pasted
from bot.commands.aliases import ALIASES, meant
from bot.commands.flood import AT_ONCE, SEARCHES, FairQueue, Flood, Pace, refusal
from bot.commands.inline import Offers
from bot.commands.refusals import Refusals
from bot.commands.types import ASKS, Call, Command, Question, Reply, Request, Services, Work
from content import present
from content.document import is_web_url
from content.errors import SearchTooLong, SkywaveError, StoreError, StoreRejected, UsageError
from content.formats import Answers
from content.i18n import COMMAND, LANGUAGES, Translator
from content.present import Look
from scheduler.actions import chats
from scheduler.types import Chat, ChatAccess, ChatKind, ChatState

log = structlog.get_logger(__name__)

A = TypeVar("A")  # what a handler answers


class Router:
    """Runs commands and presses. An error becomes a reply that says what to do."""

    def __init__(self, services: Services, operators: Collection[str], flood: Flood) -> None:
        self._services, self._operators, self._flood = services, operators, flood
        self._commands = {command.name: command for command in services.commands}
        self._presses = {press.prefix: press for press in services.presses}
        self._refusals = Refusals(services)
        self._queues = {Work.QUICK: FairQueue(AT_ONCE), Work.SEARCH: FairQueue(SEARCHES)}

    def knows(self, name: str) -> bool:
        """Whether there is a command of that name, here or in another bot."""
        return self._named(name) is not None or name in ALIASES

    def takes_file(self, name: str) -> bool:
        """Whether a file may come with the command of that name."""
        command = self._named(name)
        return command is not None and any(parameter.is_file for parameter in command.parameters)

    def _named(self, name: str) -> Command | None:
        """The command of a name, which may be its name in any language."""
        return self._commands.get(name) or self._translated.get(name)

    @cached_property
    def _translated(self) -> Mapping[str, Command]:
        # Made when it is needed, because it loads all catalogs.
        commands = self._services.commands
        return {
            Translator(one).name(COMMAND, command.name): command for one in LANGUAGES for command in commands
        }

    async def command(self, call: Call) -> Reply | None:
        """The reply to a command; None to send nothing.

        Nothing is sent for an unknown command in a group, which may be meant for another bot, and for a
        refusal that was sent shortly before.
        """
        call = meant(call)
        command = self._named(call.name)
        if command is None and call.kind in (ChatKind.GROUP, ChatKind.CHANNEL):
            return None

        async def answer(request: Request) -> Reply | None:
            if command is None:
                t = request.translator.t
                unknown = t("There is no command /{name}. /help lists them all.", name=call.name[:32])
                return Reply(present.error(unknown), private=True)
            started = self._services.clock.monotonic()
            async with self._in_queue(call, command.work):
                reply = await command.handler(request, self._services)
            seconds = round(self._services.clock.monotonic() - started, 4)
            log.info("command.answered", command=call.name, chat=str(call.place), seconds=seconds)
            return reply

        return await self._answer(call, command.act if command else Act.READ, answer)

    async def text(self, call: Call) -> Reply | None:
        """The reply to a text of a private chat that is no command; None if it is not an address."""
        if not is_web_url(call.arguments):
            return None

        async def answer(request: Request) -> Reply:
            return await pasted(request, self._services)

        return await self._answer(call, Act.MANAGE, answer)

    async def press(
        self, data: str, call: Call, offered: Collection[str], *, answered: bool = False
    ) -> Reply | Question | None:
        """The reply that replaces the message of a button, or the question that it asks first.

        None to change nothing. `offered` is the data of the message's buttons. Other data is refused: a
        modified app can send any. `answered`: the arguments of the call answer the question.
        """
        press, asks = self._presses.get(data.partition(":")[0]), data.endswith(ASKS)
        if press is None:
            return None

        async def answer(request: Request) -> Reply | Question | None:
            if data not in offered or (answered and not asks):
                log.info("press.forged", chat=str(call.place), actor=call.actor)
                return _gone(request)
            if asks and not answered:
                return await questions.of_button(data, request, self._services) or _gone(request)
            async with self._in_queue(call, press.work):
                return await press.handler(data.removesuffix(ASKS), request, self._services)

        return await self._answer(call, press.act, answer)

    async def asked(self, message: str, data: str, question: Question, call: Call) -> None:
        """Store that a message asks the question of a button of the person who pressed it."""
        await questions.asked_in(message, data, question, call, self._services)

    async def typed(self, message: str, call: Call) -> Reply | None:
        """The reply to an answer to a message; None if that message asks nothing.

        Only the person who pressed the button may answer.
        """
        asked = await questions.of_message(message, call, self._services)
        if asked is None:
            return None

        async def refuse(request: Request) -> Reply:
            t = request.translator.t
            told = t("This question is for the person who pressed the button. Press it yourself to answer.")
            return Reply(present.error(told), private=True)

        if not questions.is_from(call, asked.actor):
            return await self._answer(call, Act.READ, refuse)
        reply = await self.press(asked.data, call, [asked.data], answered=True)
        return reply if isinstance(reply, Reply) else None

    async def complete(self, parameter: str, text: str, call: Call) -> Sequence[str]:
        """Completions of the text typed in a parameter of a command."""
        command = self._named(call.name)
        parameters = command.parameters if command else ()
        completer = next((p.completer for p in parameters if p.name == parameter), None)
        if command is None or completer is None:
            return ()
        if not (self._is_operator(call) or self._flood.typed(call.actor)):
            return ()
        request, verdict = await self._admit(call, command.act)
        if verdict is not Verdict.YES:
            return ()
        return await completer(text, request, self._services)

    async def inline(self, place: str, call: Call) -> Offers:
        """The posts that a person can send into any chat; nothing for whom may not read here.

        `call` is in the private chat with the person, which is not stored by this.
        """
        if not (self._is_operator(call) or self._flood.typed(call.actor)):
            return inline.NOTHING
        async with self._in_queue(call):
            chat, own = await self._known(call)
        role = role_of(call.actor, is_chat_admin=True, operators=self._operators)
        if decide(Act.READ, role, chat.access, self._services.settings.access) is not Verdict.YES:
            return inline.NOTHING
        request = Request(call, chat, role, self._look(chat, own, call))
        try:
            async with self._in_queue(call, Work.SEARCH):
                return await inline.offers(place, request, self._services)
        except (UsageError, SearchTooLong) as exc:
            return Offers(note=request.translator.error(exc))

    async def _answer(
        self, call: Call, act: Act, answer: Callable[[Request], Awaitable[A | None]]
    ) -> A | Reply | None:
        """The answer if the person has the right, else a refusal; None if the person floods the bot.

        Errors of ours become replies as well.
        """
        pace = Pace.ANSWERED if self._is_operator(call) else self._flood.asked(call.actor)
        if pace is Pace.IGNORED:
            return None
        request = None
        try:
            request, verdict = await self._admit(call, act)
            if verdict is not Verdict.YES:
                return await self._refusals.refused(request, verdict)
            if pace is Pace.REFUSED:
                return refusal(request)
            answered = await answer(request)
            if isinstance(answered, Reply):
                await questions.remember(answered, request, self._services)
            return answered
        except SkywaveError as exc:
            log.info("command.refused", command=call.name, chat=str(call.place), reason=str(exc))
            if isinstance(exc, StoreError | StoreRejected) and not self._is_operator(call):
                # Only operators are told where the database is and what it says.
                t = self._translator(request, call).t
                return Reply(present.error(t("Something went wrong. Please try again later.")), private=True)
            if request is None:
                return Reply(present.error(self._translator(request, call).error(exc)), private=True)
            return await self._refusals.failed(request, exc)

    async def translator(self, call: Call) -> Translator:
        """The translator of answers to a call."""
        try:
            chat, own = await self._known(call)
        except SkywaveError:
            return self._translator(None, call)
        return self._look(chat, own, call).translator

    def _translator(self, request: Request | None, call: Call) -> Translator:
        """That of the request, or what is known of the language before the store has answered."""
        look = request.look if request else self._look(Chat(0, call.place, kind=call.kind), "", call)
        return look.translator

    def _in_queue(self, call: Call, work: Work = Work.QUICK) -> AbstractAsyncContextManager[None]:
        if work is Work.REMOTE:
            return nullcontext()
        asked_lately = 0.0 if self._is_operator(call) else self._flood.asked_lately(call.actor)
        return self._queues[work].turn(asked_lately)

    def _is_operator(self, call: Call) -> bool:
        return call.actor in self._operators

    async def _admit(self, call: Call, act: Act) -> tuple[Request, Verdict]:
        """The request with its verdict. A chat is stored only if it may use the bot."""
        async with self._in_queue(call):
            chat, own = await self._known(call)
        role = role_of(call.actor, is_chat_admin=False, operators=self._operators)
        verdict = decide(act, role, chat.access, self._services.settings.access)
        if verdict is Verdict.NEEDS_ADMIN and await call.is_chat_admin():
            role = Role.ADMIN
            verdict = decide(act, role, chat.access, self._services.settings.access)
        if verdict not in (Verdict.CLOSED, Verdict.BANNED):
            chat = await self._present(chat, call)
        return Request(call, chat, role, self._look(chat, own, call)), verdict

    def _look(self, chat: Chat, own: str, call: Call) -> Look:
        """How the answer looks. Only where nobody else sees it, it may be in a language of the person's own.

        So what a group reads is all in one language.
        """
        if not _is_personal(call, chat):
            return self._services.look(chat, "")
        look = self._services.look(chat, call.locale)
        return replace(look, translator=Translator(own)) if own else look

    async def _known(self, call: Call) -> tuple[Chat, str]:
        """The stored chat, and the language of the person. A new topic inherits the access of its group."""
        place = call.place
        async with self._services.store.read() as work:
            chat = await work.chats.find(place)
            around = chat or await work.chats.find(replace(place, topic=""))
            own = await work.people.language(call.actor) if call.alone else ""
        access = around.access if around else ChatAccess.DEFAULT
        return chat or Chat(0, place, kind=call.kind, access=access), own

    async def _present(self, chat: Chat, call: Call) -> Chat:
        """Store the chat with the title and kind of the call. A chat that was gone is active again."""
        same = call.title in ("", chat.title) and call.kind is chat.kind  # some messages contain no title
        if chat.id and same and chat.state is not ChatState.GONE:
            return chat
        async with self._services.store.write() as work:
            chat = await chats.arrived(work, call.place, call.title, call.kind, self._services.clock.now())
            await work.commit()
        return chat


def _is_personal(call: Call, chat: Chat) -> bool:
    """Whether nobody but the person sees the answer."""
    if call.kind in (ChatKind.PRIVATE, ChatKind.TERMINAL):
        return True
    return call.alone and chat.format.answers is Answers.PRIVATE


def _gone(request: Request) -> Reply:
    t = request.translator.t
    gone = t("This message no longer has that button. To go on, send the command again.")
    return Reply(present.error(gone), private=True)
