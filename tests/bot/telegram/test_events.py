"""What updates mean, from the JSON that Telegram sends."""

from typing import Any

import pytest
from telegram import Update

from bot.platforms.telegram.events import (
    AnswerEvent,
    CommandEvent,
    Event,
    MembershipEvent,
    MovedEvent,
    PressEvent,
    RenamedEvent,
    TopicEvent,
    Where,
    event_of,
)
from scheduler.types import ChatKind, Place

ANN = {"id": 7, "is_bot": False, "first_name": "Ann", "language_code": "zh-hans"}
FORUM = {"id": -1005, "type": "supergroup", "title": "Club", "is_forum": True}
PRIVATE = {"id": 7, "type": "private", "first_name": "Ann", "last_name": "Lee"}

FROM_CHANNEL = {
    "type": "channel",
    "date": 1,
    "message_id": 3,
    "chat": {"id": -1009, "type": "channel", "title": "Linked"},
}


def read(kind: str, body: dict[str, Any]) -> Event | None:
    update = Update.de_json({"update_id": 1, kind: body}, None)
    return event_of(update, "Skywave_Bot")


def message(text: str = "", *, chat: dict[str, Any] = FORUM, **fields: Any) -> dict[str, Any]:
    """A message of Ann's; a text that begins with a slash is a command up to the first space."""
    body: dict[str, Any] = {"message_id": 9, "date": 1, "chat": chat, "from": ANN, "text": text} | fields
    if text.startswith("/") and "entities" not in fields:
        body["entities"] = [{"type": "bot_command", "offset": 0, "length": len(text.split()[0])}]
    return body


def command(text: str, **fields: Any) -> CommandEvent:
    event = read("message", message(text, **fields))
    assert isinstance(event, CommandEvent)
    return event


@pytest.mark.parametrize(
    ("text", "name", "arguments"),
    [
        ("/latest", "latest", ""),
        ("/Page 3", "page", "3"),
        ("/search@skywave_bot 微调 LoRA", "search", "微调 LoRA"),
        ("/search   two\nlines ", "search", "two\nlines"),
    ],
)
def test_a_command_is_split(text: str, name: str, arguments: str) -> None:
    event = command(text)
    assert (event.name, event.arguments) == (name, arguments)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("message", message("hello")),
        ("message", message("/latest@other_bot")),
        ("message", message("see /latest", entities=[{"type": "bot_command", "offset": 4, "length": 7}])),
        ("message", message("bold", entities=[{"type": "bold", "offset": 0, "length": 4}])),
        ("edited_message", message("/latest")),
        ("edited_channel_post", message("/latest")),
        ("message", message("", photo=[], caption="/latest")),
        ("message", message("/subscribe", forward_origin={"type": "user", "date": 1, "sender_user": ANN})),
        ("message", message("/subscribe", forward_origin=FROM_CHANNEL, is_automatic_forward=True)),
        ("channel_post", message("/subscribe", forward_origin=FROM_CHANNEL)),
        ("message", message("/subscribe", via_bot={"id": 5, "is_bot": True, "first_name": "Inline"})),
        ("something_new", {"id": 1}),
    ],
)
def test_anything_else_is_nothing(kind: str, body: dict[str, Any]) -> None:
    assert read(kind, body) is None


def test_who_speaks() -> None:
    who = command("/latest").who
    assert (who.actor, who.user_id, who.locale, who.speaks_for_chat) == ("telegram:7", 7, "zh-hans", False)


def test_an_anonymous_admin_speaks_for_the_chat() -> None:
    who = command("/latest", sender_chat=FORUM).who
    assert (who.actor, who.user_id, who.speaks_for_chat) == ("telegram:-1005", None, True)


def test_another_chat_does_not_speak_for_this_one() -> None:
    channel = {"id": -1009, "type": "channel", "title": "Linked"}
    who = command("/subscribe", sender_chat=channel).who
    assert (who.user_id, who.speaks_for_chat) == (7, False)


def test_a_channel_post_speaks_for_its_channel() -> None:
    channel = {"id": -1009, "type": "channel", "title": "News"}
    event = read("channel_post", message("/latest", chat=channel, sender_chat=channel) | {"from": None})
    assert isinstance(event, CommandEvent)
    assert event.where == Where(Place("telegram", "-1009"), ChatKind.CHANNEL, "News")
    assert event.who.speaks_for_chat


def test_a_private_chat_has_the_name_of_its_person() -> None:
    assert command("/start", chat=PRIVATE).where == Where(Place("telegram", "7"), ChatKind.PRIVATE, "Ann Lee")


OPENED = {"message_id": 3, "date": 1, "chat": FORUM, "forum_topic_created": {"name": "News", "icon_color": 1}}


@pytest.mark.parametrize(
    ("fields", "topic", "title"),
    [
        ({}, "", "Club"),
        ({"message_thread_id": 3, "is_topic_message": True, "reply_to_message": OPENED}, "3", "Club / News"),
        ({"message_thread_id": 3, "is_topic_message": True}, "3", ""),  # a reply to somebody: it is not told
        ({"message_thread_id": 1, "is_topic_message": True}, "", "Club"),
        ({"message_thread_id": 55}, "", "Club"),  # a reply in General
    ],
)
def test_the_topic_and_its_title(fields: dict[str, Any], topic: str, title: str) -> None:
    assert command("/latest", **fields).where == Where(
        Place("telegram", "-1005", topic), ChatKind.GROUP, title
    )


IN_TOPIC: dict[str, Any] = {"message_thread_id": 3, "is_topic_message": True}


def test_a_topic_is_closed_opened_and_renamed() -> None:
    place = Place("telegram", "-1005", "3")
    closed = read("message", message(forum_topic_closed={}, **IN_TOPIC))
    assert closed == TopicEvent(Where(place, ChatKind.GROUP, ""), closed=True)
    opened = read("message", message(forum_topic_reopened={}, **IN_TOPIC))
    assert opened == TopicEvent(Where(place, ChatKind.GROUP, ""), closed=False)
    renamed = read("message", message(forum_topic_edited={"name": "Notices"}, **IN_TOPIC))
    assert renamed == RenamedEvent(Where(place, ChatKind.GROUP, "Club / Notices"))
    assert read("message", message(forum_topic_edited={"icon_custom_emoji_id": "5"}, **IN_TOPIC)) is None


def test_a_group_is_renamed_and_moves() -> None:
    renamed = read("message", message(new_chat_title="Club"))
    assert renamed == RenamedEvent(Where(Place("telegram", "-1005"), ChatKind.GROUP, "Club"))
    group = {"id": -5, "type": "group", "title": "Club"}
    assert read("message", message(chat=group, migrate_to_chat_id=-1005)) == MovedEvent("-5", "-1005")


def test_a_press_carries_its_message() -> None:
    body = {"id": "77", "from": ANN, "chat_instance": "1", "data": "l:0:2:9"}
    event = read("callback_query", body | {"message": message(**IN_TOPIC)})
    assert isinstance(event, PressEvent)
    assert (event.query_id, event.data, event.message_id, event.where.place.topic) == (
        "77",
        "l:0:2:9",
        9,
        "3",
    )
    old = {"chat": FORUM, "message_id": 9, "date": 0}  # a message that the bot cannot see any more
    event = read("callback_query", body | {"message": old})
    assert isinstance(event, PressEvent)
    assert event.where.place == Place("telegram", "-1005")
    assert read("callback_query", {**body, "data": None, "game_short_name": "x"}) is None


RIGHTS = dict.fromkeys(
    (
        *("can_send_messages", "can_send_audios", "can_send_documents", "can_send_photos", "can_send_videos"),
        *("can_send_video_notes", "can_send_voice_notes", "can_send_polls", "can_send_other_messages"),
        *("can_add_web_page_previews", "can_change_info", "can_invite_users", "can_pin_messages"),
        *("can_manage_topics", "can_edit_tag", "can_react_to_messages"),
    ),
    True,
)


@pytest.mark.parametrize(
    ("member", "present"),
    [
        ({"status": "member"}, True),
        ({"status": "left"}, False),
        ({"status": "kicked", "until_date": 0}, False),
        ({"status": "restricted", "is_member": True, "until_date": 0, **RIGHTS}, True),
        ({"status": "restricted", "is_member": False, "until_date": 0, **RIGHTS}, False),
    ],
)
@pytest.mark.parametrize("chat", [PRIVATE, FORUM])
def test_whether_the_bot_is_there(chat: dict[str, Any], member: dict[str, Any], present: bool) -> None:
    bot = {"id": 1, "is_bot": True, "first_name": "Skywave"}
    change = {
        "chat": chat,
        "from": ANN,
        "date": 1,
        "old_chat_member": {"user": bot, "status": "left"},
        "new_chat_member": {"user": bot, **member},
    }
    event = read("my_chat_member", change)
    assert isinstance(event, MembershipEvent)
    assert event.present is present
    assert event.who.locale == "zh-hans"
    assert event.reason == ("the bot was blocked" if chat is PRIVATE else "the bot was removed")


def test_a_press_tells_which_buttons_its_message_has() -> None:
    keys = [
        [{"text": "1", "callback_data": "l:0:1:9"}, {"text": "2", "callback_data": "l:0:2:9"}],
        [{"text": "a page", "url": "https://example.org"}],
    ]
    body = {"id": "77", "from": ANN, "chat_instance": "1", "data": "l:0:3:9"}
    with_buttons = message(reply_markup={"inline_keyboard": keys})
    lost = {"chat": FORUM, "message_id": 9, "date": 0}
    for carrier, offered in ((with_buttons, ("l:0:1:9", "l:0:2:9")), (message(), ()), (lost, ())):
        event = read("callback_query", body | {"message": carrier})
        assert isinstance(event, PressEvent) and event.offered == offered


def test_an_answer_to_the_bot_may_be_what_it_asked_for() -> None:
    bot = {"id": 1, "is_bot": True, "first_name": "Skywave", "username": "skywave_bot"}
    asked = message("Which city?") | {"message_id": 5, "from": bot}
    event = read("message", message(" Berlin ", reply_to_message=asked))
    assert isinstance(event, AnswerEvent)
    assert (event.text, event.message_id, event.command) == ("Berlin", 5, None)
    place = {"latitude": 52.5, "longitude": -13.25}
    event = read("message", message(location=place, reply_to_message=asked))
    assert isinstance(event, AnswerEvent) and event.text == "geo:52.5,-13.25"
    event = read("message", message("/help me", reply_to_message=asked))
    assert isinstance(event, AnswerEvent) and event.command and event.command.name == "help"
    for other in (asked | {"from": ANN}, None):
        assert read("message", message("Berlin", **({"reply_to_message": other} if other else {}))) is None
    assert read("message", message(reply_to_message=asked)) is None  # a picture, for instance
    assert read("message", message("Berlin", reply_to_message=asked, is_automatic_forward=True)) is None
    channel = FROM_CHANNEL["chat"]
    assert isinstance(channel, dict)
    told = {"message_id": 5, "date": 1, "chat": channel, "sender_chat": channel, "text": "Which city?"}
    event = read("channel_post", told | {"message_id": 6, "text": "Berlin", "reply_to_message": told})
    assert isinstance(event, AnswerEvent) and event.who.speaks_for_chat
