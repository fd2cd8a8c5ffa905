"""The actions of users, admins and owners in their Telegram apps."""

import re
from collections.abc import Iterable

from tests.emulators.telegram import wire
from tests.emulators.telegram.files import StoredFile
from tests.emulators.telegram.inline import check_query
from tests.emulators.telegram.state import World
from tests.emulators.telegram.types import (
    GENERAL,
    Chat,
    Entity,
    Json,
    Message,
    Press,
    PressAnswer,
    Topic,
    User,
)

_COMMAND = re.compile(r"(?<![\w/@<>])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?(?![\w/])")
_SUPERGROUPS = -1_000_000_000_000


class People:
    """Creates users and chats and acts for them. A chat argument is a Chat or its id."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._god = self.user("Owner")

    def user(self, name: str, *, language: str = "en", username: str | None = None) -> User:
        """Create a person who has not written to the bot: sends get `can't initiate conversation`."""
        user = User(1_000_000 + self.world.new_id(), name, language, username)
        self.world.users[user.id] = user
        chat = Chat(user.id, "private", name, user=user, username=username, started=False)
        chat.members[user.id] = "member"
        self.world.add_chat(chat)
        return user

    def private(self, user: User) -> Chat:
        """The person's chat with the bot, as if started, but without sending /start."""
        chat = self.world.chats[user.id]
        chat.started = True
        return chat

    def group(self, title: str, *, owner: User | None = None, bot: str = "member") -> Chat:
        """Create a basic group. `bot` is the bot's status in it. The bot gets no update about that."""
        return self._chat(-self.world.new_id() - 5_000_000, "group", title, owner, bot)

    def supergroup(self, title: str, *, owner: User | None = None, bot: str = "member") -> Chat:
        """Create a supergroup without topics."""
        return self._chat(_SUPERGROUPS - self.world.new_id(), "supergroup", title, owner, bot)

    def forum(
        self, title: str, topics: Iterable[str] = (), *, owner: User | None = None, bot: str = "member"
    ) -> Chat:
        """Create a supergroup with topics: General and those named."""
        chat = self.supergroup(title, owner=owner, bot=bot)
        chat.is_forum = True
        chat.topics[GENERAL] = Topic(GENERAL, "General")
        chat.last_id = GENERAL
        for name in topics:
            self.topic(chat, name)
        return chat

    def channel(
        self,
        title: str,
        *,
        owner: User | None = None,
        bot: str = "administrator",
        username: str | None = None,
    ) -> Chat:
        """Create a channel."""
        return self._chat(_SUPERGROUPS - self.world.new_id(), "channel", title, owner, bot, username)

    def topic(self, chat: Chat | int, name: str) -> int:
        """The id of the forum's topic, which is created if it does not exist."""
        forum = self.chat(chat)
        for topic in forum.topics.values():
            if topic.name == name:
                return topic.id
        service: Json = {"forum_topic_created": {"name": name, "icon_color": 7322096}}
        number = forum.last_id + 1
        self.world.post(forum, self._owner(forum), "", service=service, thread_id=number)
        forum.topics[number] = Topic(number, name)
        return number

    def chat(self, chat: Chat | int) -> Chat:
        """The chat with that id."""
        return chat if isinstance(chat, Chat) else self.world.chats[chat]

    def promote(self, chat: Chat | int, user: User, status: str = "administrator") -> None:
        """Give the person the status of an administrator, or `status`."""
        self.chat(chat).members[user.id] = status

    def say(
        self,
        chat: Chat | int,
        text: str,
        *,
        by: User | None = None,
        thread: int | None = None,
        anonymous: bool = False,
        reply_to: int | None = None,
        forwarded_from: User | Chat | None = None,
        via: User | None = None,
        location: tuple[float, float] | None = None,
    ) -> Message:
        """Send a text, by default from the person of a private chat or the owner of another chat.

        `anonymous` posts in the group's name. A channel post always speaks for the channel. The first message
        in a private chat starts it. Plain text in a group does not reach a bot in privacy mode.
        `forwarded_from` wrote it first, a channel as a post that is forwarded by itself; `via` is an inline
        bot. A `location` is sent without a text.
        """
        place = self.chat(chat)
        place.started = True
        sender = by or self._owner(place)
        if place.type != "channel" and not anonymous:
            place.members.setdefault(sender.id, "member")
        message = self.world.post(
            place,
            sender,
            text,
            entities=commands_in(text),
            thread_id=None if thread == GENERAL else thread,
            as_chat=anonymous or place.type == "channel",
            reply_to=reply_to,
            forwarded_from=forwarded_from,
            via=via,
            location=location,
        )
        self.world.tell(place, message)
        return message

    def send_file(
        self,
        chat: Chat,
        name: str,
        content: bytes,
        caption: str = "",
        *,
        by: User | None = None,
        size: int | None = None,
    ) -> Message:
        """Send a file. `size` is what Telegram says of it, if that is not its true size."""
        chat.started = True
        file = StoredFile(f"F{self.world.new_id()}", name, content, len(content) if size is None else size)
        self.world.stored[file.file_id] = file
        sender, entities = by or self._owner(chat), commands_in(caption)
        message = self.world.post(chat, sender, caption, entities=entities, media=file.media)
        self.world.tell(chat, message)
        return message

    def type_inline(self, user: User, text: str, offset: str = "") -> str:
        """Type the bot's name and a text in any chat; returns the number of the query.

        `offset` is that of an earlier answer, when the person scrolls on.
        """
        check_query(text)
        number = str(self.world.new_id() + 7_000_000_000)
        self.world.inline[number] = None
        body: Json = {"id": number, "from": wire.user_json(user), "query": text, "offset": offset}
        self.world.updates.put("inline_query", body | {"chat_type": "supergroup"})
        return number

    def whisper(self, chat: Chat, text: str, *, by: User, thread: int | None = None) -> Message:
        """Send a command with a new app: nobody else sees one that is ephemeral in the menu of groups."""
        name = text[1:].split()[0]
        menus = (menu for (scope, _), menu in self.world.commands.items() if "all_group_chats" in scope)
        if not any(item["command"] == name and item.get("is_ephemeral") for menu in menus for item in menu):
            return self.say(chat, text, by=by, thread=thread)
        chat.members.setdefault(by.id, "member")
        entities = commands_in(text)
        said = self.world.whisper(chat, by, self.world.bot, text, entities=entities, thread_id=thread)
        self.world.updates.put("message", wire.message_json(chat, said))
        return said

    def edit(self, message: Message, text: str) -> Message:
        """The author edits a message."""
        chat = self.chat(message.chat_id)
        new = self.world.change(
            chat, chat.messages[message.message_id], text=text, entities=commands_in(text)
        )
        self.world.tell(chat, new, edited=True)
        return new

    def press(self, target: Message | Chat | int, label: str, *, by: User | None = None) -> Press:
        """Press a button of the message, or of the bot's latest message in the chat that has the button.

        Raises LookupError with the existing labels if there is no such button.
        """
        chat = self.chat(target.chat_id if isinstance(target, Message) else target)
        message, button = self._button(chat, target, label)
        return self._press(message, str(button["callback_data"]), by)

    def forge(self, message: Message, data: str, *, by: User | None = None, lost: bool = False) -> Press:
        """Press a button with a modified app. Telegram passes on any data that an app sends.

        `lost`: the message is too old or was deleted, so that the bot is not told its content.
        """
        return self._press(message, data, by, lost=lost)

    def _press(self, message: Message, data: str, by: User | None, *, lost: bool = False) -> Press:
        chat = self.chat(message.chat_id)
        user = by or message.receiver or self._owner(chat)
        press = Press(str(self.world.new_id() + 4_000_000_000), message, data, user)
        self.world.presses[press.query_id] = press
        inaccessible: Json = {"chat": wire.chat_json(chat), "message_id": message.message_id, "date": 0}
        body: Json = {
            "id": press.query_id,
            "from": wire.user_json(user),
            "message": inaccessible if lost else wire.message_json(chat, message),
            "chat_instance": str(chat.id),
            "data": press.data,
        }
        self.world.updates.put("callback_query", body)
        return press

    def answer_to(self, press: Press) -> PressAnswer | None:
        """The bot's answer to the press; None while the app still waits for it."""
        return self.world.answers.get(press.query_id)

    def expire(self, press: Press) -> None:
        """Make the press too old to be answered."""
        self.world.presses.pop(press.query_id, None)

    def add_bot(self, chat: Chat | int, *, admin: bool = False, by: User | None = None) -> None:
        """Add the bot, or change its status. Groups also get a service message about who joined."""
        place, user = self.chat(chat), by or self._owner(self.chat(chat))
        joined = place.bot in ("left", "kicked")
        self.world.set_bot(place, "administrator" if admin else "member", user)
        if joined and place.is_group:
            self._service(place, user, {"new_chat_members": [wire.user_json(self.world.bot)]})

    def follow_link(self, user: User, payload: str = "") -> Message:
        """Open t.me/BOT?start=PAYLOAD and press Start."""
        return self.say(self.private(user), f"/start {payload}".strip())

    def add_by_link(self, chat: Chat | int, payload: str = "", *, by: User | None = None) -> None:
        """Add the bot with t.me/BOT?startgroup=PAYLOAD; the app then sends /start (messages.startBot)."""
        self.add_bot(chat, by=by)
        self.say(chat, f"/start@{self.world.bot.username} {payload}".strip(), by=by)

    def kick_bot(self, chat: Chat | int, *, by: User | None = None) -> None:
        """Remove the bot from the chat."""
        self.world.set_bot(self.chat(chat), "kicked", by or self._owner(self.chat(chat)))

    def block(self, user: User) -> None:
        """The person blocks the bot."""
        self.world.set_bot(self.world.chats[user.id], "kicked", user)

    def unblock(self, user: User) -> None:
        """The person unblocks the bot."""
        self.world.set_bot(self.world.chats[user.id], "member", user)

    def mute_bot(self, chat: Chat | int, muted: bool = True) -> None:
        """Take the bot's right to write, or give it back. The bot gets no update."""
        self.chat(chat).muted = muted

    def migrate(self, chat: Chat | int) -> Chat:
        """Turn the group into a supergroup. Both get a service message; the old id answers with the new."""
        old = self.chat(chat)
        new = self.supergroup(old.title, bot=old.bot)
        new.members = dict(old.members)
        self._service(old, self._owner(old), {"migrate_to_chat_id": new.id})
        old.migrated_to = new.id
        self._service(new, self._owner(new), {"migrate_from_chat_id": old.id})
        return new

    def close_topic(self, chat: Chat | int, thread: int, *, closed: bool = True) -> None:
        """Close the topic, or reopen it."""
        forum = self.chat(chat)
        forum.topics[thread].closed = closed
        service: Json = {"forum_topic_closed" if closed else "forum_topic_reopened": {}}
        self._service(forum, self._owner(forum), service, None if thread == GENERAL else thread)

    def reopen_topic(self, chat: Chat | int, thread: int) -> None:
        """Reopen the topic."""
        self.close_topic(chat, thread, closed=False)

    def delete_topic(self, chat: Chat | int, thread: int) -> None:
        """Delete the topic with its messages. The bot gets no update."""
        forum = self.chat(chat)
        del forum.topics[thread]
        forum.messages = {n: m for n, m in forum.messages.items() if m.thread_id != thread}

    def delete_chat(self, chat: Chat | int) -> None:
        """The owner deletes the chat."""
        self.chat(chat).gone = "deleted"

    def delete_user(self, user: User) -> None:
        """The person deletes the account."""
        self.world.chats[user.id].gone = "deactivated"

    def _chat(
        self, number: int, kind: str, title: str, owner: User | None, bot: str, username: str | None = None
    ) -> Chat:
        chat = Chat(number, kind, title, bot=bot, username=username)
        chat.members[(owner or self._god).id] = "creator"
        return self.world.add_chat(chat)

    def _owner(self, chat: Chat) -> User:
        if chat.user is not None:
            return chat.user
        heads = (number for number, status in chat.members.items() if status == "creator")
        return self.world.users[next(heads)]

    def _service(self, chat: Chat, sender: User, service: Json, thread: int | None = None) -> None:
        message = self.world.post(chat, sender, "", service=service, thread_id=thread)
        self.world.tell(chat, message)

    def _button(self, chat: Chat, target: Message | Chat | int, label: str) -> tuple[Message, Json]:
        if isinstance(target, Message):
            shown = [chat.whispers[target.alone] if target.alone else chat.messages[target.message_id]]
        else:
            shown = [message for message in reversed(chat.messages.values()) if message.buttons]
        for message in shown:
            for row in message.buttons:
                for button in row:
                    if button["text"] == label and "callback_data" in button:
                        return message, button
        there = ", ".join(repr(text) for message in shown[:3] for text in message.labels) or "none"
        raise LookupError(f"no button {label!r} to press in {chat.title!r}; there: {there}")


def commands_in(text: str) -> tuple[Entity, ...]:
    """The bot_command entities that Telegram finds in a text."""
    return tuple(
        Entity("bot_command", _units(text[: found.start()]), _units(found.group()))
        for found in _COMMAND.finditer(text)
    )


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
