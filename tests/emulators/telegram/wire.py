"""Writes users, chats, members and messages as JSON of the Bot API."""

from dataclasses import replace

from tests.emulators.telegram.types import ANONYMOUS_ADMIN, Chat, Entity, Json, Message, User

_GROUP_BOT = User(ANONYMOUS_ADMIN, "Group", username="GroupAnonymousBot", is_bot=True)
_ADMIN_RIGHTS = (
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
)
_MEMBER_RIGHTS = (
    "can_send_messages",
    "can_send_audios",
    "can_send_documents",
    "can_send_photos",
    "can_send_videos",
    "can_send_video_notes",
    "can_send_voice_notes",
    "can_send_polls",
    "can_send_other_messages",
    "can_add_web_page_previews",
    "can_change_info",
    "can_invite_users",
    "can_pin_messages",
    "can_manage_topics",
    "can_edit_tag",
    "can_react_to_messages",
)


def user_json(user: User) -> Json:
    """A User object."""
    body: Json = {"id": user.id, "is_bot": user.is_bot, "first_name": user.name}
    if user.username:
        body["username"] = user.username
    if not user.is_bot:
        body["language_code"] = user.language
    return body


def chat_json(chat: Chat) -> Json:
    """A Chat object."""
    body: Json = {"id": chat.id, "type": chat.type}
    body["first_name" if chat.type == "private" else "title"] = chat.title
    if chat.username:
        body["username"] = chat.username
    if chat.is_forum:
        body["is_forum"] = True
    return body


def full_chat_json(chat: Chat) -> Json:
    """A ChatFullInfo object with its required fields."""
    gifts = (
        "unlimited_gifts",
        "limited_gifts",
        "unique_gifts",
        "premium_subscription",
        "gifts_from_channels",
    )
    return chat_json(chat) | {
        "accent_color_id": 0,
        "max_reaction_count": 11,
        "accepted_gift_types": dict.fromkeys(gifts, False),
    }


def member_json(chat: Chat, user: User, status: str) -> Json:
    """A ChatMember object; its kind depends on the status. A muted bot lacks the right to write."""
    muted = chat.muted and user.is_bot
    if muted and status == "member" and chat.is_group:
        status = "restricted"
    body: Json = {"user": user_json(user), "status": status}
    if status == "creator":
        body["is_anonymous"] = False
    elif status == "administrator":
        body |= dict.fromkeys(_ADMIN_RIGHTS, True) | {"can_be_edited": False, "is_anonymous": False}
        body |= {"can_post_messages": not muted, "can_edit_messages": True} if chat.type == "channel" else {}
    elif status == "restricted":
        body |= dict.fromkeys(_MEMBER_RIGHTS, False) | {"is_member": True, "until_date": 0}
    elif status == "kicked":
        body["until_date"] = 0
    return body


def message_json(chat: Chat, message: Message) -> Json:
    """A Message object."""
    body: Json = {"message_id": message.message_id, "chat": chat_json(chat), "date": message.date}
    body |= _sender(chat, message)
    if message.thread_id is not None:
        body |= {"message_thread_id": message.thread_id, "is_topic_message": True}
    if message.alone is not None and message.receiver is not None:
        body |= {"ephemeral_message_id": message.alone, "receiver_user": user_json(message.receiver)}
    if message.reply_to is not None:
        body |= _reply(chat, message.reply_to)
    if message.forwarded_from is not None:
        body |= _origin(message.forwarded_from, message.date)
    if message.via is not None:
        body["via_bot"] = user_json(message.via)
    if message.edited is not None:
        body["edit_date"] = message.edited
    if message.reply_markup is not None and "inline_keyboard" in message.reply_markup:
        body["reply_markup"] = message.reply_markup
    return body | _content(message)


def _sender(chat: Chat, message: Message) -> Json:
    if chat.type == "channel":
        return {"sender_chat": chat_json(chat)}
    if message.as_chat:
        return {"sender_chat": chat_json(chat), "from": user_json(_GROUP_BOT)}
    return {"from": user_json(message.sender)} if message.sender else {}


def _origin(author: User | Chat, date: int) -> Json:
    if isinstance(author, User):
        return {"forward_origin": {"type": "user", "date": date, "sender_user": user_json(author)}}
    origin: Json = {"type": "channel", "date": date, "chat": chat_json(author), "message_id": 1}
    return {"forward_origin": origin, "is_automatic_forward": True}


def _reply(chat: Chat, message_id: int) -> Json:
    replied = chat.messages.get(message_id)
    if replied is None:
        return {}
    body: Json = {"reply_to_message": message_json(chat, replace(replied, reply_to=None))}
    if chat.type == "supergroup" and replied.thread_id is None:
        # Replies outside topics have a thread id too, but not is_topic_message.
        body["message_thread_id"] = message_id
    return body


def _content(message: Message) -> Json:
    if message.service is not None:
        return message.service
    if message.rich is not None:
        return {"rich_message": message.rich}
    if message.location is not None:
        latitude, longitude = message.location
        return {"location": {"latitude": latitude, "longitude": longitude}}
    entities = [entity_json(entity) for entity in message.entities]
    text, spans = ("text", "entities") if message.media is None else ("caption", "caption_entities")
    body: Json = dict(message.media or {})
    if message.text:
        body[text] = message.text
    if entities:
        body[spans] = entities
    return body


def entity_json(entity: Entity) -> Json:
    """A MessageEntity object."""
    body: Json = {"type": entity.type, "offset": entity.offset, "length": entity.length}
    if entity.url is not None:
        body["url"] = entity.url
    if entity.language is not None:
        body["language"] = entity.language
    return body
