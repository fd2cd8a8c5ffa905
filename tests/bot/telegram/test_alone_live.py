"""Answers in a group that only the person who asked sees."""

import json

from tests.bot.telegram.live import Live
from tests.emulators.telegram import Chat, Message, TelegramEmulator, User
from tests.emulators.telegram.faults import refused


async def whispered(tg: TelegramEmulator, chat: Chat, text: str, by: User) -> Message:
    """Send a command from a new app, and return the answer that only this person sees."""
    before = len(tg.whispers(chat, by))
    tg.whisper(chat, text, by=by)
    return (await tg.wait_for(lambda: tg.whispers(chat, by)[before:] or None))[0]


async def test_a_group_sees_neither_what_one_asks_nor_the_answer(
    tg: TelegramEmulator, with_menus: Live
) -> None:
    group, bob, owner = tg.supergroup("Group"), tg.user("Bob"), tg.user("Olga")
    tg.promote(group, owner)
    await with_menus.publish(*(f"n{number:02}" for number in range(29)))
    page = await whispered(tg, group, "/latest", bob)
    assert page.text.startswith("INCOMING TRANSMISSION") and page.labels == ("· 1 ·", "2", "3", "»")
    press = tg.press(page, "2")
    await tg.wait_for(lambda: tg.answer_to(press))
    (turned,) = tg.whispers(group, bob)
    assert turned.labels == ("«", "1", "· 2 ·", "3", "»") and turned.text != page.text
    assert (await whispered(tg, group, "/page soon", bob)).text.startswith("⚠ ")
    assert (await whispered(tg, group, "/help", owner)).text.startswith("Commands")
    assert len(tg.whispers(group, bob)) == 2 and not tg.messages(group)

    # A command that changes something for all is seen by all, and so is its answer.
    tg.whisper(group, "/format public answers", by=owner)
    await tg.wait_for(lambda: tg.messages(group) or None)
    tg.whisper(group, "/latest", by=bob)
    await tg.wait_for(lambda: tg.messages(group)[1:] or None)
    assert (await whispered(tg, group, "/page soon", bob)).text.startswith("⚠ ")  # errors stay private
    assert len(tg.messages(group)) == 2


async def test_where_it_cannot_be_private_the_answer_is_as_before(
    tg: TelegramEmulator, with_menus: Live
) -> None:
    group, bob = tg.supergroup("Group"), tg.user("Bob")
    tg.faults.add(refused("not-admin"), "sendMessage", group.id)
    tg.whisper(group, "/latest", by=bob)
    await tg.wait_for(lambda: tg.messages(group) or None)
    assert not tg.whispers(group, bob)
    tg.whisper(group, "/subscribe", by=bob)  # not private: it is no command that only reads
    await tg.wait_for(lambda: tg.messages(group)[1:] or None)
    assert not tg.whispers(group, bob)


async def test_the_menu_of_groups_has_private_commands(tg: TelegramEmulator, with_menus: Live) -> None:
    menu = tg.world.commands[json.dumps({"type": "all_group_chats"}), "zh"]
    private = {command["command"] for command in menu if command.get("is_ephemeral")}
    assert {"latest", "page", "search", "help", "sources"} <= private
    assert not {"subscribe", "unsubscribe", "post", "digest"} & private
