"""Converts Telegram's updates into plain data: commands, presses and changes of chats."""

from collections.abc import Sequence
from dataclasses import dataclass

from telegram import (
    CallbackQuery,
    Chat,
    ChatMember,
    ChatMemberRestricted,
    ChatMemberUpdated,
    Document,
    InlineKeyboardButton,
    InlineQuery,
    MaybeInaccessibleMessage,
    Message,
    MessageEntity,
    Update,
)

from bot.platforms.telegram.alone import Alone, alone_with
from bot.platforms.telegram.limits import NAME
from bot.platforms.telegram.rights import hindrance
from content.i18n import Msgid
from scheduler.errors import ChatPaused
from scheduler.history import MessagePlace
from scheduler.types import ChatKind, Place

GENERAL_TOPIC = 1  # the thread id of a forum's General topic, which is addressed without a topic

# Telegram sends only these updates. Edited messages are not among them, so an edited command is ignored.
ALLOWED_UPDATES = ["message", "channel_post", "callback_query", "inline_query", "my_chat_member"]

# The command that takes a file, and how the names of such files end.
IMPORT, OPML = "import", (".opml", ".opml.xml")

# Why a chat is gone.
BLOCKED, REMOVED = Msgid("the bot was blocked"), Msgid("the bot was removed")
KINDS = {Chat.PRIVATE: ChatKind.PRIVATE, Chat.CHANNEL: ChatKind.CHANNEL}
PRESENT = (ChatMember.MEMBER, ChatMember.ADMINISTRATOR, ChatMember.OWNER)


@dataclass(frozen=True, slots=True)
class Where:
    """The chat of an event. `title` is empty if the event does not contain it."""

    place: Place
    kind: ChatKind
    title: str


@dataclass(frozen=True, slots=True)
class Who:
    """The sender of a command or press. `speaks_for_chat`: an anonymous admin, or the channel itself.

    `name` is what a message calls them; only a press has it.
    """

    actor: str
    user_id: int | None
    locale: str
    speaks_for_chat: bool
    name: str = ""


@dataclass(frozen=True, slots=True)
class CommandEvent:
    """A command. `alone`: it is seen by nobody else in its group. `about`: the message that it replies to.

    `file`: came with it, or with that message.
    """

    where: Where
    who: Who
    name: str
    arguments: str
    alone: Alone | None = None
    about: MessagePlace | None = None
    file: Document | None = None


@dataclass(frozen=True, slots=True)
class PressEvent:
    where: Where
    who: Who
    query_id: str
    data: str
    message_id: int
    offered: tuple[str, ...]  # the data of the message's buttons; empty if the message is inaccessible
    link: str = ""  # the URL of its first link button
    alone: Alone | None = None  # the message, if it is seen by nobody else in its group


@dataclass(frozen=True, slots=True)
class AnswerEvent:
    """An answer to a message of the bot, which may ask something. `command` is what it is otherwise."""

    where: Where
    who: Who
    text: str
    message_id: int
    command: CommandEvent | None = None


@dataclass(frozen=True, slots=True)
class InlineEvent:
    """What a person types after the bot's name in any chat; `where` is the private chat with the person."""

    where: Where
    who: Who
    query_id: str
    text: str
    offset: str


@dataclass(frozen=True, slots=True)
class MovedEvent:
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class PastedEvent:
    """A text that a person sent in a private chat, not as a command."""

    where: Where
    who: Who
    text: str


@dataclass(frozen=True, slots=True)
class MembershipEvent:
    """`who` changed the bot's membership. `arrived`: it was not a member before."""

    where: Where
    who: Who
    present: bool
    reason: str
    arrived: bool = False
    hindrance: ChatPaused | None = None


@dataclass(frozen=True, slots=True)
class TopicEvent:
    where: Where
    closed: bool


@dataclass(frozen=True, slots=True)
class RenamedEvent:
    """A chat or a topic was renamed; `where` has the new title."""

    where: Where


ChatEvent = MovedEvent | MembershipEvent | TopicEvent | RenamedEvent
PersonEvent = CommandEvent | PressEvent | AnswerEvent | PastedEvent | InlineEvent
Event = PersonEvent | ChatEvent


def event_of(update: Update, bot_name: str) -> Event | None:
    """The event of an update; None if it is of no interest."""
    if update.callback_query:
        return _press(update.callback_query)
    if update.inline_query:
        return _inline(update.inline_query)
    if update.my_chat_member:
        return _membership(update.my_chat_member)
    message = update.message or update.channel_post
    if message is None:
        return None
    if message.migrate_to_chat_id:
        return MovedEvent(str(message.chat.id), str(message.migrate_to_chat_id))
    if message.forum_topic_closed or message.forum_topic_reopened:
        return TopicEvent(_where(message), closed=message.forum_topic_closed is not None)
    if message.forum_topic_edited or message.new_chat_title:
        where = _where(message)
        return RenamedEvent(where) if where.title else None
    # Ignore forwarded messages and those sent via another bot: the sender did not write them.
    if message.forward_origin or message.is_automatic_forward or message.via_bot:
        return None
    command = _command(message, bot_name)
    return _answer(message, bot_name, command) or command or _pasted(message)


def _pasted(message: Message) -> PastedEvent | None:
    if message.chat.type != Chat.PRIVATE or not message.text or message.text.startswith("/"):
        return None
    return PastedEvent(_where(message), _speaker(message), message.text.strip())


def _answer(message: Message, bot_name: str, command: CommandEvent | None) -> AnswerEvent | None:
    """The answer that a message is to one of the bot's; None for other messages."""
    asked, typed = message.reply_to_message, _typed(message)
    if asked is None or not typed:
        return None
    author = (asked.from_user and asked.from_user.username) or ""
    # In a channel, all messages are the channel's.
    if author.lower() != bot_name.lower() and message.chat.type != Chat.CHANNEL:
        return None
    return AnswerEvent(_where(message), _speaker(message), typed, asked.message_id, command)


def _typed(message: Message) -> str:
    """The text of a message; of a location its address, as RFC 5870 writes it."""
    if place := message.location:
        return f"geo:{place.latitude},{place.longitude}"
    return (message.text or "").strip()


def _command(message: Message, bot_name: str) -> CommandEvent | None:
    text, entities = message.text or "", message.entities
    if message.document:
        text, entities = message.caption or "", message.caption_entities
    if not entities or entities[0].type != MessageEntity.BOT_COMMAND or entities[0].offset != 0:
        return None if text else _list(message)
    # Entity lengths are in UTF-16 units, which equal characters here, because a command is ASCII.
    name, _, addressee = text[1 : entities[0].length].partition("@")
    if addressee and addressee.lower() != bot_name.lower():
        return None
    if message.document and name.lower() != IMPORT:
        return None
    arguments = text[entities[0].length :].strip()
    who = _speaker(message)
    alone = alone_with(who.user_id, message)
    answered = message.reply_to_message
    file = message.document or (answered.document if answered else None)
    about = _replied_to(message)
    return CommandEvent(_where(message), who, name.lower(), arguments, alone, about, file)


def _list(message: Message) -> CommandEvent | None:
    """A list of feeds that a person sends to the bot without a word; others are left alone."""
    file = message.document
    if file is None or message.chat.type != Chat.PRIVATE or not (file.file_name or "").lower().endswith(OPML):
        return None
    return CommandEvent(_where(message), _speaker(message), IMPORT, "", file=file)


def _replied_to(message: Message) -> MessagePlace | None:
    replied = message.reply_to_message
    # A plain message in a topic replies to the message that created the topic.
    if replied is None or replied.forum_topic_created:
        return None
    return MessagePlace(NAME, (str(message.chat.id),), str(replied.message_id))


def _press(query: CallbackQuery) -> PressEvent | None:
    message = query.message
    if message is None or query.data is None:
        return None
    where = _where(message) if isinstance(message, Message) else _at(message.chat, "")
    user = query.from_user
    who = Who(f"{NAME}:{user.id}", user.id, user.language_code or "", False, user.first_name)
    alone = alone_with(user.id, message)
    buttons = _buttons(message)
    offered = tuple(one.callback_data for one in buttons if isinstance(one.callback_data, str))
    link = next((one.url for one in buttons if one.url), "")
    return PressEvent(where, who, query.id, query.data, message.message_id, offered, link, alone)


def _inline(query: InlineQuery) -> InlineEvent:
    user = query.from_user
    who = Who(f"{NAME}:{user.id}", user.id, user.language_code or "", False, user.first_name)
    where = Where(Place(NAME, str(user.id)), ChatKind.PRIVATE, "")
    return InlineEvent(where, who, query.id, query.query, query.offset)


def _buttons(message: MaybeInaccessibleMessage) -> Sequence[InlineKeyboardButton]:
    markup = message.reply_markup if isinstance(message, Message) else None
    return [button for row in markup.inline_keyboard for button in row] if markup else []


def _membership(change: ChatMemberUpdated) -> MembershipEvent:
    user = change.from_user
    who = Who(f"{NAME}:{user.id}", user.id, user.language_code or "", speaks_for_chat=False)
    private = change.chat.type == Chat.PRIVATE
    reason = BLOCKED if private else REMOVED
    where, present = _at(change.chat, ""), _is_present(change.new_chat_member)
    arrived = present and not _is_present(change.old_chat_member)
    missing = hindrance(change.new_chat_member, where.kind) if present else None
    return MembershipEvent(where, who, present, reason, arrived, missing)


def _is_present(member: ChatMember) -> bool:
    # A restricted member keeps the status "restricted" after leaving.
    return member.is_member if isinstance(member, ChatMemberRestricted) else member.status in PRESENT


def _where(message: Message) -> Where:
    # A reply outside a topic has a thread id too, which names no topic.
    thread = message.message_thread_id if message.is_topic_message else None
    topic = str(thread) if thread and thread != GENERAL_TOPIC else ""
    return _at(message.chat, topic, _topic_name(message))


def _topic_name(message: Message) -> str:
    """The name of the message's topic; empty for the many messages that do not contain it."""
    first = message.reply_to_message  # for a plain message in a topic: the message that created the topic
    told = message.forum_topic_edited or (first and first.forum_topic_created)
    return (told and told.name) or ""


def _at(chat: Chat, topic: str, topic_name: str = "") -> Where:
    title = chat.title or chat.full_name or ""
    if topic:
        title = f"{title} / {topic_name}" if topic_name else ""
    return Where(Place(NAME, str(chat.id), topic), KINDS.get(chat.type, ChatKind.GROUP), title)


def _speaker(message: Message) -> Who:
    sender = message.sender_chat
    if sender is not None and sender.id == message.chat.id:
        return Who(f"{NAME}:{sender.id}", None, "", speaks_for_chat=True)
    user = message.from_user
    if user is None:
        return Who(f"{NAME}:{message.chat.id}", None, "", speaks_for_chat=False)
    return Who(f"{NAME}:{user.id}", user.id, user.language_code or "", speaks_for_chat=False)
