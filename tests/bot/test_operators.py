"""What operators see and decide, what a chat sees of itself, and how it is erased."""

import json

from bot.commands.types import Reply
from content.types import Visibility
from scheduler import membership
from scheduler.ports import Closed
from scheduler.types import ChatAccess, ChatKind, DeliveryState, Place
from tests.bot.conftest import OPERATOR, Desk, shown
from tests.builders import NOW

ALONE = {"actor": OPERATOR, "place": "1000", "kind": ChatKind.PRIVATE}


def labels(reply: Reply | None) -> list[str]:
    assert reply is not None
    return [button.label for button in reply.buttons]


def data(reply: Reply | None, label: str) -> str:
    assert reply is not None
    (found,) = [button.data for button in reply.buttons if button.label == label]
    return found


async def access(desk: Desk, place: str) -> ChatAccess:
    return (await desk.chat(place)).access


async def test_status_says_what_comes_waits_and_failed(desk: Desk) -> None:
    await desk.source("post-old")
    said = shown(await desk.say("/status"))
    assert said == "Status\nFollows: nothing\nNothing is queued, and nothing failed within a week."
    await desk.say("/subscribe Example")
    await desk.publish("post-1", "post-old")
    chat = await desk.chat()
    async with desk.store.write() as work:
        (claimed,) = await work.outbox.claim("fake", NOW, 10, 1)
        await work.outbox.record([], [Closed(claimed.id, DeliveryState.FAILED, "400 Bad Request")], NOW, 1)
        await work.commit()
    await desk.publish("post-2", "post-1", "post-old")
    async with desk.store.write() as work:
        await membership.pause(work, chat, "no rights to write")
        await work.outbox.postpone_chat(chat.id, NOW, "no rights to write")
        await work.commit()
    assert shown(await desk.say("/status", admin=False)).splitlines()[1:] == [
        "Follows: Example",
        "This chat cannot be written to: no rights to write",
        "1 delivery is queued.",
        "The next attempt is on Mar 1, 2026 12:00: no rights to write",
        "1 delivery failed within a week. The last time: 400 Bad Request",
    ]
    await desk.say("/digest daily 09:00")
    of_operator = shown(await desk.say("/status", actor=OPERATOR))
    assert "Next digest: Monday, March 2, 2026 09:00" in of_operator
    assert "The whole bot:\n1 chat (0 allowed, 0 banned)\nDeliveries: 1 queued, 1 failed" in of_operator


async def test_the_audit_of_a_chat_is_its_own_and_has_pages(desk: Desk) -> None:
    await desk.source("post-old")
    assert "No changes yet." in shown(await desk.say("/audit"))
    for _ in range(6):
        await desk.say("/subscribe Example")
        await desk.say("/unsubscribe Example")
    await desk.say("/subscribe Example", place="2")
    first = await desk.say("/audit")
    assert len(shown(first).splitlines()) == 11 and labels(first) == ["Older"]
    assert shown(first).splitlines()[1] == "Mar 1, 2026 12:00 · fake:7: unsubscribe Example"
    second = await desk.press(data(first, "Older"))
    assert len(shown(second).splitlines()) == 3 and labels(second) == ["Newer"]
    assert await desk.press("wa:x") is None


async def test_an_operator_decides_about_chats_in_the_panel(desk: Desk) -> None:
    for number in range(10):
        await desk.say("/help", place=str(number))
    assert "in a private chat" in shown(await desk.say("/operator", actor=OPERATOR))
    panel = await desk.say("/operator", **ALONE)
    assert "Access: open\n11 chats (0 allowed, 0 banned)" in shown(panel)
    assert "Private sources: 0 of 2000" in shown(panel)
    listed = await desk.press(data(panel, "Chats"), **ALONE)
    assert "page 1 of 2" in shown(listed) and labels(listed)[-2:] == ["»", "Back"]
    chat = await desk.press(data(listed, "chat 9 · default"), **ALONE)
    assert shown(chat).splitlines() == ["chat 9", "fake:9", "Access: default", "State: active"]
    banned = await desk.press(data(chat, "Ban"), **ALONE)
    assert "Access: banned" in shown(banned) and labels(banned)[:2] == ["Allow", "Default"]
    assert await access(desk, "9") is ChatAccess.BANNED
    # Somebody else decided meanwhile: the panel shows what is stored now.
    await desk.press(data(chat, "Allow"), **ALONE)
    assert "Access: allowed" in shown(await desk.press(data(chat, "Allow"), **ALONE))
    own = await desk.press(f"o:c:{(await desk.chat('1000')).id}:1", **ALONE)
    assert "Ban" not in labels(own)
    forged = await desk.press(f"o:s:{(await desk.chat('1000')).id}:1:banned", **ALONE)
    assert "You cannot ban the chat that you are in." in shown(forged)
    for wrong in ("o:x", "o:s:1:1:king", "o:c:1"):
        assert await desk.press(wrong, **ALONE) is None
    assert "no longer known" in shown(await desk.press("o:c:999:1", **ALONE))
    assert "in a private chat" in shown(await desk.press(data(chat, "Ban"), actor=OPERATOR))
    assert await access(desk, "9") is ChatAccess.ALLOWED


async def test_an_operator_names_a_chat(desk: Desk) -> None:
    await desk.say("/help", place="5")
    assert "chat 5 is now: banned" in shown(await desk.say("/ban fake:5", **ALONE))
    assert await desk.say("/help", place="5") is None
    await desk.say("/unban fake:5", **ALONE)
    assert await access(desk, "5") is ChatAccess.DEFAULT
    assert "is now: allowed" in shown(await desk.say("/allow", place="5", actor=OPERATOR))
    assert await access(desk, "5") is ChatAccess.ALLOWED
    assert "No chat fake:6 is known." in shown(await desk.say("/ban fake:6", **ALONE))
    assert "/ban telegram:-100123" in shown(await desk.say("/ban nobody", **ALONE))
    assert "chat that you are in" in shown(await desk.say("/ban", **ALONE))
    # Nobody else is shown these commands, or learns which chats there are.
    assert "/ban" in shown(await desk.say("/help", **ALONE))
    assert "/ban" not in shown(await desk.say("/help"))
    assert "Only operators of this bot can name another chat." in shown(await desk.say("/forget fake:5"))


async def test_a_chat_is_erased_after_a_question(desk: Desk) -> None:
    await desk.source("post-old")
    await desk.say("/subscribe Example")
    asked = await desk.say("/forget")
    assert "Erase everything that is stored about chat 1? It has 1 subscription." in shown(asked)
    copy = await desk.say("/forget export")
    assert copy is not None and copy.file is not None and "/forget export" in shown(asked)
    (exported,) = json.loads(copy.file.content)
    assert exported["place"] == "fake:1" and len(exported["subscriptions"]) == 1
    assert shown(await desk.press(data(asked, "Keep it"))) == "Nothing was erased."
    other = await desk.press(data(asked, "Erase everything"), place="2")
    assert "Only operators of this bot can do that." in shown(other)
    assert len(await desk.follows()) == 1
    refused = await desk.press(data(asked, "Erase everything"), admin=False)
    assert "Only admins" in shown(refused) and len(await desk.follows()) == 1
    erased = await desk.press(data(asked, "Erase everything"))
    assert shown(erased) == "Everything about chat 1 was erased."
    async with desk.store.read() as work:
        assert await work.chats.find(Place("fake", "1")) is None
        assert [entry.target for entry in await work.audit.newest(10) if "fake:1" in entry.target] == []
    assert shown(await desk.press(data(asked, "Erase everything"))) == "Already handled."

    # A private chat is called like its person, so not even who erased it is left.
    await desk.say("/subscribe Example", place="8", actor="fake:8", kind=ChatKind.PRIVATE)
    person = {"place": "8", "actor": "fake:8", "kind": ChatKind.PRIVATE}
    await desk.press(data(await desk.say("/forget", **person), "Erase everything"), **person)
    async with desk.store.read() as work:
        entries = await work.audit.newest(10)
    assert not any("fake:8" in (entry.actor, entry.target) for entry in entries)
    assert entries[0].action == "chat removed"

    # An operator erases any chat from afar, but not the terminal.
    await desk.say("/help", place="9")
    from_afar = await desk.say("/forget fake:9", **ALONE)
    assert "Everything about chat 9 was erased." in shown(
        await desk.press(data(from_afar, "Erase everything"), **ALONE)
    )
    await desk.services.ingest.add("https://example.org/feed.json", Visibility.PUBLIC)
    here = {"actor": OPERATOR, "place": "me", "kind": ChatKind.TERMINAL}
    assert "The terminal cannot be removed" in shown(await desk.say("/forget", **here))
    terminal = await desk.chat("me")
    assert "The terminal cannot be removed" in shown(await desk.press(f"wf:{terminal.id}:erase", **here))
