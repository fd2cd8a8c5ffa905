"""Checks whether the bot can reach a chat, and finds the topic of a message."""

from tests.emulators.telegram.faults import migrated, refusal
from tests.emulators.telegram.params import Params
from tests.emulators.telegram.state import World
from tests.emulators.telegram.types import GENERAL, Chat


def find_chat(world: World, params: Params) -> Chat:
    """The chat with this number or @username. Raises ApiError 400 `chat not found`."""
    name = params.text("chat_id")
    if name.startswith("@"):
        chat = world.names.get(name[1:].lower())
    else:
        chat = world.chats.get(params.integer("chat_id"))
    if chat is None:
        raise refusal("chat-not-found")
    return chat


def reach(world: World, params: Params, *, writing: bool = True) -> Chat:
    """The chat, if the bot has access to it; with `writing`, if it may also send there."""
    chat = find_chat(world, params)
    _check_gone(chat)
    if chat.type == "private":
        _check_private(chat)
    elif chat.bot in ("left", "kicked"):
        raise refusal(f"{'kicked' if chat.bot == 'kicked' else 'not-member'}-{chat.type}")
    if writing and chat.type == "channel" and chat.bot != "administrator":
        raise refusal("need-admin")
    if writing and chat.muted:
        raise refusal("need-admin" if chat.type == "channel" else "no-rights")
    return chat


def _check_gone(chat: Chat) -> None:
    if chat.migrated_to is not None:
        raise migrated(chat.migrated_to)
    if chat.gone == "deactivated":
        raise refusal("deactivated")
    if chat.gone is not None:
        raise refusal("group-deleted" if chat.type == "group" else "chat-not-found")


def _check_private(chat: Chat) -> None:
    if not chat.started:
        raise refusal("cannot-initiate")
    if chat.bot == "kicked":
        raise refusal("blocked")


def thread_for(world: World, chat: Chat, params: Params) -> int | None:
    """The topic of a new message. Supergroups without topics ignore the id; General's id, 1, is refused."""
    asked = params.integer("message_thread_id")
    if not chat.is_forum:
        if asked and chat.type != "supergroup":
            raise refusal("thread-not-found")
        return None
    topic = chat.topics.get(asked or GENERAL)
    if topic is None or asked == GENERAL:
        raise refusal("thread-not-found")
    if topic.closed and chat.bot != "administrator":
        raise refusal("topic-closed")
    return asked or None
