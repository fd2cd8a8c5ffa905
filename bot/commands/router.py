"""The router: turns a command or press from any platform into its reply."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import replace
from functools import cached_property
from typing import TypeVar

from bot.access import AccessMode, Act, Role, Verdict, decide, role_of
from bot.commands import afar, inline, questions
from bot.commands.address import pasted
from bot.commands.aliases import ALIASES, meant
from bot.commands.flood import AT_ONCE, SEARCHES, FairQueue, Flood, Pace, refusal
from bot.commands.inline import Offers
from bot.commands.refusals import Refusals
from bot.commands.speaking import look_of, whispered
from bot.commands.types import ASKS, Call, Command, Question, Reply, Request, Services, Work
from content import present
from content.errors import NotFound, SearchTooLong, SkywaveError, StoreError, StoreRejected, UsageError
from content.i18n import COMMAND, LANGUAGES, Translator
from content.sources.sites import is_address
from scheduler.actions import chats
from scheduler.errors import SendError
from scheduler.intake.together import GROUP, Together
from scheduler.log import Logger
from scheduler.types import Chat, ChatAccess, ChatKind, ChatState

log = Logger(__name__)

A = TypeVar("A")  # what a handler answers


class Router:
    """Runs commands and presses. An error becomes a reply that says what to do."""

    def __init__(self, services: Services, operators: Collection[str], flood: Flood) -> None:
        self._services, self._operators, self._flood = services, operators, flood
        self._commands = {command.name: command for command in services.commands}
        self._presses = {press.prefix: press for press in services.presses}
        self._refusals = Refusals(services)
        self._arrivals = Together(self._store_arrivals, GROUP, apart=0.0)
        self._queues = {Work.QUICK: FairQueue(AT_ONCE), Work.SEARCH: FairQueue(SEARCHES)}

    def knows(self, name: str) -> bool:
        """Whether there is a command of that name, here or in another bot."""
        return self._named(name) is not None or name in ALIASES

    def takes_file(self, name: str) -> bool:
        """Whether a file may come with the command of that name."""
        command = self._named(name)
        return command is not None and any(parameter.is_file for parameter in command.parameters)

    def answers_alone(self, name: str) -> bool:
        """Whether Discord shows the answers of a command to the person alone."""
        command = self._named(name)
        return command is not None and command.alone

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

        act = command.act if command else Act.READ
        return await self._answer(call, act, answer, may_be_afar=_may_be_afar(command))

    async def text(self, call: Call) -> Reply | None:
        """The reply to a text of a private chat that is no command; None if it is not an address."""
        if not is_address(call.arguments):
            return None

        async def answer(request: Request) -> Reply:
            return await pasted(request, self._services)

        return await self._answer(call, Act.MANAGE, answer, may_be_afar=True)

    async def press(
        self, data: str, call: Call, offered: Collection[str], *, answered: bool = False
    ) -> Reply | Question | None:
        """The reply that replaces the message of a button, or the question that it asks first.

        None to change nothing. `offered` is the data of the message's buttons. Other data is refused: a
        modified app can send any. `answered`: the arguments of the call answer the question.
        """
        target, wanted = afar.about(data)
        press, asks = self._presses.get(wanted.partition(":")[0]), data.endswith(ASKS)
        if press is None:
            return None

        async def answer(request: Request) -> Reply | Question | None:
            if data not in offered or (answered and not asks):
                log.info("press.forged", chat=str(call.place), actor=call.actor)
                return _gone(whispered(request, self._services))
            if asks and not answered:
                return await questions.of_button(wanted, request, self._services) or _gone(
                    whispered(request, self._services)
                )
            async with self._in_queue(call, press.work):
                return await press.handler(wanted.removesuffix(ASKS), request, self._services)

        return await self._answer(call, press.act, answer, target)

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
        request, verdict = await self._admit(call, command.act, may_be_afar=_may_be_afar(command))
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
            chat, own, _ = await self._known(call)
        role = role_of(call.actor, is_chat_admin=True, operators=self._operators)
        if decide(Act.READ, role, chat.access, self._mode) is not Verdict.YES:
            return inline.NOTHING
        request = Request(call, chat, role, look_of(call, chat, own, self._services), own=own)
        try:
            async with self._in_queue(call, Work.SEARCH):
                return await inline.offers(place, request, self._services)
        except (UsageError, SearchTooLong) as exc:
            return Offers(note=request.translator.error(exc))

    async def _answer(
        self,
        call: Call,
        act: Act,
        answer: Callable[[Request], Awaitable[A | None]],
        target: int | None = None,
        *,
        may_be_afar: bool = False,
    ) -> A | Reply | None:
        """The answer if the person has the right, else a refusal; None if the person floods the bot.

        Errors of ours become replies as well. `target`: the chat that the call is about, if it is another.
        `may_be_afar`: it is about the chat that the person manages from here, if there is one.
        """
        pace = Pace.ANSWERED if self._is_operator(call) else self._flood.asked(call.actor)
        if pace is Pace.IGNORED:
            return None
        request = None
        try:
            request, verdict = await self._admit(call, act, target, may_be_afar=may_be_afar)
            if verdict is not Verdict.YES:
                return await self._refusals.refused(whispered(request, self._services), verdict)
            if pace is Pace.REFUSED:
                return refusal(whispered(request, self._services))
            answered = await answer(request)
            if isinstance(answered, Reply):
                await questions.remember(answered, request, self._services)
                return afar.dressed(answered, request.chat) if request.afar else answered
            return answered
        except SkywaveError as exc:
            log.info("command.refused", command=call.name, chat=str(call.place), reason=str(exc))
            if isinstance(exc, StoreError | StoreRejected | SendError) and not self._is_operator(call):
                # Only operators are told where the database is, and what it or a platform says in English.
                t = self._translator(request, call).t
                return Reply(present.error(t("Something went wrong. Please try again later.")), private=True)
            if request is None:
                return Reply(present.error(self._translator(request, call).error(exc)), private=True)
            reply = await self._refusals.failed(request, exc)
            return afar.dressed(reply, request.chat) if reply and request.afar else reply

    async def translator(self, call: Call) -> Translator:
        """The translator of answers to a call."""
        try:
            chat, own, _ = await self._known(call)
        except SkywaveError:
            return self._translator(None, call)
        return look_of(call, chat, own, self._services).translator

    def _translator(self, request: Request | None, call: Call) -> Translator:
        """That of the request, or what is known of the language before the store has answered."""
        unknown = Chat(0, call.place, kind=call.kind)
        look = request.look if request else look_of(call, unknown, "", self._services)
        return look.translator

    def _in_queue(self, call: Call, work: Work = Work.QUICK) -> AbstractAsyncContextManager[None]:
        if work is Work.REMOTE:
            return nullcontext()
        asked_lately = 0.0 if self._is_operator(call) else self._flood.asked_lately(call.actor)
        return self._queues[work].turn(asked_lately)

    def _is_operator(self, call: Call) -> bool:
        return call.actor in self._operators

    async def _admit(
        self, call: Call, act: Act, target: int | None = None, *, may_be_afar: bool = False
    ) -> tuple[Request, Verdict]:
        """The request with its verdict. A chat is stored only if it may use the bot.

        Raises NotFound if it is about another chat that the person does not administer.
        """
        async with self._in_queue(call):
            chat, own, managed = await self._known(call)
        target = managed if may_be_afar else target
        role = role_of(call.actor, is_chat_admin=False, operators=self._operators)
        if target is not None and decide(Act.READ, role, chat.access, self._mode) is Verdict.YES:
            return await self._admit_afar(call, act, role, target)
        verdict = decide(act, role, chat.access, self._mode)
        if verdict is Verdict.NEEDS_ADMIN and await call.is_chat_admin():
            role = Role.ADMIN
            verdict = decide(act, role, chat.access, self._mode)
        if verdict not in (Verdict.CLOSED, Verdict.BANNED):
            chat = await self._present(chat, call)
        return Request(call, chat, role, look_of(call, chat, own, self._services), own=own), verdict

    async def _admit_afar(self, call: Call, act: Act, role: Role, target: int) -> tuple[Request, Verdict]:
        """The request about another chat. Also what members may do there needs an admin from afar."""
        async with self._services.store.read() as work:
            chat = await work.chats.get(target)
        if chat is None or not await afar.administers(call, chat):
            raise NotFound(afar.NO_ADMIN)
        look, role = self._services.look(chat, call.locale), max(role, Role.ADMIN)
        verdict = decide(act, role, chat.access, self._mode)
        return Request(afar.there(call, chat), chat, role, look, afar=True), verdict

    @property
    def _mode(self) -> AccessMode:
        return self._services.settings.access

    async def _known(self, call: Call) -> tuple[Chat, str, int | None]:
        """The stored chat, the language of the person, and the chat that the person manages from here.

        A new topic inherits the access of its group.
        """
        place = call.place
        async with self._services.store.read() as work:
            chat = await work.chats.find(place)
            around = chat or await work.chats.find(replace(place, topic=""))
            own = await work.people.language(call.actor) if call.alone or call.whispers else ""
            managed = (
                await work.people.managed(call.actor, chat.id) if chat and call.reach is not None else None
            )
        access = around.access if around else ChatAccess.DEFAULT
        return chat or Chat(0, place, kind=call.kind, access=access), own, managed

    async def _present(self, chat: Chat, call: Call) -> Chat:
        """Store the chat with the title and kind of the call. A chat that was gone is active again."""
        same = call.title in ("", chat.title) and call.kind is chat.kind  # some messages contain no title
        if chat.id and same and chat.state is not ChatState.GONE:
            return chat
        return await self._arrivals(call)

    async def _store_arrivals(self, calls: Sequence[Call]) -> Sequence[Chat]:
        """The chats of several calls, in one transaction: many groups may write for the first time."""
        now = self._services.clock.now()
        async with self._services.store.write() as work:
            stored = [await chats.arrived(work, call.place, call.title, call.kind, now) for call in calls]
            await work.commit()
        return stored

    async def settled(self) -> None:
        """Wait until everything that was begun is stored."""
        await self._arrivals.settled()


def _may_be_afar(command: Command | None) -> bool:
    """Whether a command can be about the chat that the person manages from here."""
    return command is None or not command.here


def _gone(request: Request) -> Reply:
    t = request.translator.t
    gone = t("This message no longer has that button. To go on, send the command again.")
    return Reply(present.error(gone), private=True)
