"""A chat is managed from another one: by whom, for how long, and what the answers name."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.commands.types import Reply
from scheduler import membership
from scheduler.actions.audit import Change
from scheduler.types import ChatAccess, ChatKind, Place
from tests.bot.conftest import Desk, shown

PRIVATE: dict[str, Any] = {"place": "7", "kind": ChatKind.PRIVATE}
GONE = "You are not an admin of that chat any more."
UNKNOWN = "There is no chat of that name that you administer and the bot is in."


@dataclass
class Admins:
    """The chats that a person administers, as the platform says; `asked` are the questions to it."""

    places: set[str] = field(default_factory=lambda: {"1"})
    asked: list[str] = field(default_factory=list)

    async def administers(self, place: Place) -> bool:
        self.asked.append(place.address)
        return place.address in self.places

    async def find(self, name: str) -> Place | None:
        return Place("fake", name.removeprefix("@"))


def labels(reply: Reply | None) -> list[str]:
    assert reply is not None
    return [button.label for button in reply.buttons]


def data(reply: Reply | None, label: str) -> str:
    assert reply is not None
    return next(button.sent for button in reply.buttons if button.label == label)


async def set_up(desk: Desk, admins: Admins) -> None:
    """A group with two sources to choose from, which its admin manages from the private chat."""
    await desk.source("one", title="Radio notes")
    await desk.say("/latest", place="1")
    assert "about chat 1" in shown(await desk.say("/manage @1", reach=admins, **PRIVATE))


async def followed(desk: Desk) -> Sequence[Sequence[int | None]]:
    return [await desk.follows(place) for place in ("1", "7")]


async def test_commands_and_presses_apply_to_the_chosen_chat_until_done(desk: Desk) -> None:
    admins = Admins()
    await set_up(desk, admins)
    greeting = await desk.say("/start", reach=admins, **PRIVATE)
    assert shown(greeting).startswith("▸ chat 1\n")
    rhythm = await desk.press(data(greeting, "Radio notes"), reach=admins, **PRIVATE)
    assert shown(rhythm).startswith("▸ chat 1\n")
    await desk.press(data(rhythm, "At once"), reach=admins, **PRIVATE)
    assert await followed(desk) == [[1], []]
    assert "about this chat again" in shown(await desk.say("/manage done", reach=admins, **PRIVATE))
    assert "about this chat again" in shown(await desk.say("/manage готово", reach=admins, **PRIVATE))
    latest = await desk.say("/subscribe all", reach=admins, **PRIVATE)
    assert "▸" not in shown(latest) and await followed(desk) == [[1], [None]]
    # The audit names the chat that was changed, and who did it.
    async with desk.store.read() as work:
        changes = await work.audit.newest(9, action=Change.SUBSCRIBE)
    assert [(one.actor, one.target) for one in changes] == [
        ("fake:7", "fake:7 all"),
        ("fake:7", "fake:1 Radio notes"),
    ]


async def test_an_old_button_means_the_chat_that_its_message_names(desk: Desk) -> None:
    admins = Admins({"1", "2"})
    await set_up(desk, admins)
    await desk.say("/latest", place="2")
    old = await desk.say("/start", reach=admins, **PRIVATE)
    await desk.say("/manage @2", reach=admins, **PRIVATE)
    rhythm = await desk.press(data(old, "Radio notes"), reach=admins, **PRIVATE)
    await desk.press(data(rhythm, "At once"), reach=admins, **PRIVATE)
    assert [await desk.follows(place) for place in ("1", "2")] == [[1], []]


async def test_the_right_is_asked_at_each_command_and_press(desk: Desk) -> None:
    admins = Admins()
    await set_up(desk, admins)
    greeting = await desk.say("/start", reach=admins, **PRIVATE)
    admins.places.clear()
    for told in (
        await desk.say("/latest", reach=admins, **PRIVATE),
        await desk.say("/subscribe all", reach=admins, **PRIVATE),
        await desk.press(data(greeting, "Radio notes"), reach=admins, **PRIVATE),
    ):
        assert GONE in shown(told) and "Radio" not in shown(told)
    assert await followed(desk) == [[], []]
    assert "commands" in shown(await desk.say("/help", reach=admins, **PRIVATE)).lower()


async def test_nobody_learns_of_chats_that_are_not_theirs(desk: Desk) -> None:
    admins = Admins()
    await desk.say("/latest", place="2")
    for name in ("@2", "@nowhere"):
        assert UNKNOWN in shown(await desk.say(f"/manage {name}", reach=admins, **PRIVATE))
    assert GONE in shown(await desk.press("x:1", reach=Admins(set()), **PRIVATE))
    assert GONE in shown(await desk.press("x:4711", reach=admins, **PRIVATE))
    forged = await desk.press("@1:c:0:now", offered=["c:0:now"], reach=admins, place="2")
    assert GONE in shown(forged) or "no longer has that button" in shown(forged)
    assert "from your own account" in shown(await desk.say("/manage @1", place="1"))


async def test_the_chats_that_somebody_changed_are_offered(desk: Desk) -> None:
    admins = Admins()
    await desk.source("one")
    for place in ("1", "2"):
        await desk.say("/subscribe all", place=place)
    await desk.say("/subscribe all", place="3", actor="fake:8")
    offered = await desk.say("/manage", reach=admins, **PRIVATE)
    # Only chats that the person changed are asked about, and only those that the platform confirms are named.
    assert labels(offered) == ["chat 1"] and "3" not in admins.asked
    assert "about chat 1" in shown(await desk.press(data(offered, "chat 1"), reach=admins, **PRIVATE))


async def test_a_ban_of_either_chat_counts(desk: Desk) -> None:
    admins = Admins()
    await set_up(desk, admins)
    async with desk.store.write() as work:
        await membership.grant(work, Place("fake", "7"), ChatAccess.BANNED, desk.services.clock.now())
        await work.commit()
    assert await desk.say("/latest", reach=admins, **PRIVATE) is None
    assert await desk.say("/subscribe all", reach=admins, **PRIVATE) is None
    async with desk.store.write() as work:
        await membership.grant(work, Place("fake", "7"), ChatAccess.DEFAULT, desk.services.clock.now())
        await membership.grant(work, Place("fake", "1"), ChatAccess.BANNED, desk.services.clock.now())
        await work.commit()
    assert await desk.say("/latest", reach=admins, **PRIVATE) is None


async def test_a_question_asked_from_afar_is_answered_for_that_chat(desk: Desk) -> None:
    admins = Admins()
    await set_up(desk, admins)
    await desk.publish("one", url="https://other.example.org/f.json")
    another = data(await desk.say("/start", reach=admins, **PRIVATE), "Another feed…")
    await desk.ask(another, reach=admins, **PRIVATE)
    done = await desk.press(another, typed="https://other.example.org/f.json", reach=admins, **PRIVATE)
    assert shown(done).startswith("▸ chat 1\n")
    assert [len(one) for one in await followed(desk)] == [1, 0]
