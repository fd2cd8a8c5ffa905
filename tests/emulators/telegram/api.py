"""The methods of the Bot API."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.emulators.telegram import wire
from tests.emulators.telegram.access import find_chat, reach, thread_for
from tests.emulators.telegram.content import read_caption, read_markup, read_text
from tests.emulators.telegram.faults import refusal
from tests.emulators.telegram.files import file_json, uploaded
from tests.emulators.telegram.inline import read_answer
from tests.emulators.telegram.media import read_album, read_photo
from tests.emulators.telegram.menu import delete_commands, get_commands, set_commands
from tests.emulators.telegram.params import Params
from tests.emulators.telegram.rich import check
from tests.emulators.telegram.state import World
from tests.emulators.telegram.types import ApiError, Chat, Json, Message, PressAnswer

EPHEMERAL_SECONDS = 15
SINCE: Mapping[str, tuple[int, int]] = {"sendrichmessage": (10, 1), "editephemeralmessagetext": (10, 2)}
"""The first version of the Bot API that has a method, for those that an older server does not know."""

Method = Callable[[World, Params], object]


def send_message(world: World, params: Params) -> object:
    chat = reach(world, params)
    text, entities = read_text(params)
    message = _post(world, chat, params, text, entities=entities, reply_markup=read_markup(params))
    return wire.message_json(chat, message)


def send_rich(world: World, params: Params) -> object:
    chat = reach(world, params)
    content = _rich(world, params)
    message = _post(world, chat, params, **content, reply_markup=read_markup(params))
    return wire.message_json(chat, message)


def _rich(world: World, params: Params) -> dict[str, Any]:
    """The fields of a message for its parameter `rich_message`."""
    given = params.parsed("rich_message", "rich message")
    checked = check(given, world.dead)
    return {"text": checked.text, "entities": (), "rich": given, "lost": checked.lost}


def send_photo(world: World, params: Params) -> object:
    chat = reach(world, params)
    caption, entities = read_caption(params)
    photo = read_photo(world, params)
    markup = read_markup(params)
    message = _post(world, chat, params, caption, entities=entities, reply_markup=markup, media=photo)
    return wire.message_json(chat, message)


def send_media_group(world: World, params: Params) -> object:
    chat = reach(world, params)
    album = str(world.new_id())
    sent = []
    for caption, entities, media in read_album(world, params):
        media["media_group_id"] = album
        message = _post(world, chat, params, caption, entities=entities, media=media)
        sent.append(wire.message_json(chat, message))
    return sent


def _post(world: World, chat: Chat, params: Params, text: str, **fields: Any) -> Message:
    if world.version >= (10, 3) and params.text("ephemeral_message_parameters"):
        return _whisper(world, chat, params, text, **fields)
    thread, reply = thread_for(world, chat, params), _replied(chat, params)
    fields |= {"as_chat": chat.type == "channel", "silent": params.flag("disable_notification")}
    return world.post(chat, world.bot, text, thread_id=thread, reply_to=reply, **fields)


def _whisper(world: World, chat: Chat, params: Params, text: str, **fields: Any) -> Message:
    """An ephemeral message: the answer to one that is at most 15 s old, or of an admin at any time."""
    asked = params.parsed("ephemeral_message_parameters", "ephemeral message parameters")
    number = asked.get("receiver_user_id") if isinstance(asked, dict) else None
    if not isinstance(number, int) or number not in chat.members:
        raise ApiError(400, "Bad Request: USER_NOT_PARTICIPANT")
    reply = params.parsed("reply_parameters", "reply parameters")
    replied = chat.whispers.get(reply.get("ephemeral_message_id") or 0) if isinstance(reply, dict) else None
    is_fresh = replied is not None and world.today() - replied.date <= EPHEMERAL_SECONDS
    if chat.bot != "administrator" and not (is_fresh and replied and replied.sender == world.users[number]):
        raise refusal("not-admin")
    thread = thread_for(world, chat, params)
    return world.whisper(chat, world.bot, world.users[number], text, thread_id=thread, **fields)


def edit_whisper(world: World, params: Params) -> object:
    chat = reach(world, params, writing=False)
    message = chat.whispers.get(params.integer("ephemeral_message_id"))
    receiver = message.receiver if message else None
    if message is None or receiver is None or receiver.id != params.integer("receiver_user_id"):
        raise refusal("edit-not-found")
    if params.text("rich_message"):
        _edit(world, chat, message, **_rich(world, params), reply_markup=read_markup(params))
        return True
    text, entities = read_text(params)
    _edit(world, chat, message, text=text, entities=entities, rich=None, reply_markup=read_markup(params))
    return True


def _replied(chat: Chat, params: Params) -> int | None:
    asked = params.parsed("reply_parameters", "reply parameters")
    number = asked.get("message_id") if isinstance(asked, dict) else params.integer("reply_to_message_id")
    if not number:
        return None
    if isinstance(number, int) and number in chat.messages:
        return number
    lenient = asked.get("allow_sending_without_reply") if isinstance(asked, dict) else None
    if lenient or params.flag("allow_sending_without_reply"):
        return None
    raise refusal("reply-not-found")


def edit_text(world: World, params: Params) -> object:
    chat, message = _editable(world, params)
    if params.text("rich_message") and world.knows_rich:
        return _edit(world, chat, message, **_rich(world, params), reply_markup=read_markup(params))
    text, entities = read_text(params)
    if message.media is not None:
        raise ApiError(400, "Bad Request: there is no text in the message to edit")
    markup = read_markup(params)
    return _edit(world, chat, message, text=text, entities=entities, rich=None, reply_markup=markup)


def edit_caption(world: World, params: Params) -> object:
    chat, message = _editable(world, params)
    caption, entities = read_caption(params)
    if message.media is None:
        raise ApiError(400, "Bad Request: there is no caption in the message to edit")
    return _edit(world, chat, message, text=caption, entities=entities, reply_markup=read_markup(params))


def edit_markup(world: World, params: Params) -> object:
    chat, message = _editable(world, params)
    return _edit(world, chat, message, reply_markup=read_markup(params))


def _editable(world: World, params: Params) -> tuple[Chat, Message]:
    chat = reach(world, params, writing=False)
    message = chat.messages.get(_message_id(params))
    if message is None:
        raise refusal("edit-not-found")
    if message.sender != world.bot or message.service is not None:
        raise refusal("edit-forbidden")
    return chat, message


def _edit(world: World, chat: Chat, message: Message, **fields: object) -> object:
    if all(getattr(message, name) == value for name, value in fields.items()):
        raise refusal("not-modified")
    return wire.message_json(chat, world.change(chat, message, **fields))


def _message_id(params: Params) -> int:
    number = params.integer("message_id")
    if number <= 0:
        raise ApiError(400, "Bad Request: message identifier is not specified")
    return number


def delete_message(world: World, params: Params) -> object:
    chat = reach(world, params, writing=False)
    message = chat.messages.get(_message_id(params))
    if message is None:
        raise refusal("delete-not-found")
    if message.sender != world.bot and chat.type != "private" and chat.bot != "administrator":
        raise ApiError(400, "Bad Request: message can't be deleted")
    world.remove(chat, message)
    return True


def answer_press(world: World, params: Params) -> object:
    if len(params.text("text")) > 200:
        raise ApiError(400, "Bad Request: MESSAGE_TOO_LONG")
    query = params.text("callback_query_id")
    if world.presses.pop(query, None) is None:
        raise refusal("query-too-old")
    answer = PressAnswer(query, params.text("text"), params.flag("show_alert"))
    world.answers[query] = answer
    world.transcript.append(answer)
    return True


def answer_inline(world: World, params: Params) -> object:
    answer = read_answer(params)
    if world.inline.get(answer.query_id, answer) is not None:
        raise refusal("query-too-old")
    world.inline[answer.query_id] = answer
    world.transcript.append(answer)
    return True


def send_document(world: World, params: Params) -> object:
    chat = reach(world, params)
    caption, entities = read_caption(params)
    file = uploaded(params, world.new_id())
    world.stored[file.file_id] = file
    markup = read_markup(params)
    message = _post(world, chat, params, caption, entities=entities, reply_markup=markup, media=file.media)
    return wire.message_json(chat, message)


def get_file(world: World, params: Params) -> object:
    return file_json(world.stored.get(params.text("file_id")))


def get_me(world: World, params: Params) -> object:
    flags: Json = {
        "can_join_groups": True,
        "can_read_all_group_messages": world.reads_all,
        "supports_inline_queries": True,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }
    return wire.user_json(world.bot) | flags


def get_chat(world: World, params: Params) -> object:
    return wire.full_chat_json(reach(world, params, writing=False))


def get_member(world: World, params: Params) -> object:
    chat = reach(world, params, writing=False)
    number = params.integer("user_id")
    if number == world.bot.id:
        return wire.member_json(chat, world.bot, chat.bot)
    user = world.users.get(number)
    if user is None:
        raise ApiError(400, "Bad Request: user not found")
    return wire.member_json(chat, user, chat.members.get(number, "left"))


def get_administrators(world: World, params: Params) -> object:
    chat = reach(world, params, writing=False)
    if chat.type == "private":
        raise ApiError(400, "Bad Request: there are no administrators in the private chat")
    heads = [(world.users[number], status) for number, status in chat.members.items()]
    heads.append((world.bot, chat.bot))
    ranks = ("creator", "administrator")
    return [wire.member_json(chat, user, status) for user, status in heads if status in ranks]


def get_member_count(world: World, params: Params) -> object:
    chat = reach(world, params, writing=False)
    present = sum(status not in ("left", "kicked") for status in chat.members.values())
    return present + (chat.bot not in ("left", "kicked"))


def leave_chat(world: World, params: Params) -> object:
    chat = reach(world, params, writing=False)
    if chat.type == "private":
        raise ApiError(400, "Bad Request: chat member status can't be changed in private chats")
    world.set_bot(chat, "left", world.bot)
    return True


def delete_webhook(world: World, params: Params) -> object:
    if params.flag("drop_pending_updates"):
        world.updates.drop()
    return True


def webhook_info(world: World, params: Params) -> object:
    return {"url": "", "has_custom_certificate": False, "pending_update_count": world.updates.pending}


def chat_action(world: World, params: Params) -> object:
    reach(world, params)
    return True


def accept(world: World, params: Params) -> object:
    """Accept a method that has no visible effect in the emulator."""
    if params.text("chat_id"):
        find_chat(world, params)
    return True


async def get_updates(world: World, params: Params) -> object:
    """Answer getUpdates, which is separate from the other methods because it waits."""
    allowed = params.parsed("allowed_updates", "allowed updates")
    if isinstance(allowed, list):
        world.updates.allowed = frozenset(str(kind) for kind in allowed)
    limit = params.integer("limit") or 100
    return await world.updates.poll(
        params.integer("offset"), max(1, min(limit, 100)), max(0, min(params.integer("timeout"), 50))
    )


COSTS: frozenset[str] = frozenset(
    (
        "sendmessage",
        "sendrichmessage",
        "sendphoto",
        "sendmediagroup",
        "senddocument",
        "editmessagetext",
        "editephemeralmessagetext",
        "editmessagecaption",
        "editmessagereplymarkup",
    )
)
"""Methods that count for flood control. Edits do too, though Telegram does not say how much."""

METHODS: Mapping[str, Method] = {
    "sendmessage": send_message,
    "sendrichmessage": send_rich,
    "sendphoto": send_photo,
    "sendmediagroup": send_media_group,
    "senddocument": send_document,
    "getfile": get_file,
    "answerinlinequery": answer_inline,
    "editmessagetext": edit_text,
    "editephemeralmessagetext": edit_whisper,
    "editmessagecaption": edit_caption,
    "editmessagereplymarkup": edit_markup,
    "deletemessage": delete_message,
    "answercallbackquery": answer_press,
    "getme": get_me,
    "getchat": get_chat,
    "getchatmember": get_member,
    "getchatadministrators": get_administrators,
    "getchatmembercount": get_member_count,
    "leavechat": leave_chat,
    "deletewebhook": delete_webhook,
    "getwebhookinfo": webhook_info,
    "setmycommands": set_commands,
    "getmycommands": get_commands,
    "deletemycommands": delete_commands,
    "sendchataction": chat_action,
    **dict.fromkeys(
        (
            "setmydescription",
            "setmyshortdescription",
            "setmyname",
            "setchatmenubutton",
            "setmydefaultadministratorrights",
            "close",
            "logout",
        ),
        accept,
    ),
}
"""By lower-case name: the server does not look at case."""
