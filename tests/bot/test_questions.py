"""Buttons that ask a question: asked again after a restart, answered only by the person who pressed."""

import pytest

from tests.bot.asking import ASKING, router_with_panel
from tests.bot.conftest import Desk, shown


def restarted(desk: Desk) -> None:
    """A new process on the same store."""
    desk.router = router_with_panel(desk.services)


@pytest.fixture
async def asking(desk: Desk) -> Desk:
    restarted(desk)
    await desk.say("/help")
    return desk


async def test_a_press_asks_first_and_its_answer_reaches_the_handler(asking: Desk) -> None:
    restarted(asking)
    assert ASKING.sent == "z:1?"
    assert await asking.ask("z:1?") == ASKING.question
    assert shown(await asking.press("z:1?", typed="New name")) == "z:1 got “New name”"
    assert shown(await asking.press("z:2")) == "z:2 got “”"


async def test_a_question_is_asked_of_who_may_alone(asking: Desk) -> None:
    for typed in (None, "x"):
        assert "Only admins" in shown(await asking.press("z:1?", typed=typed, admin=False))


async def test_what_nobody_was_shown_is_not_asked_or_answered(asking: Desk) -> None:
    gone = "no longer has that button"
    assert gone in shown(await asking.press("z:9?"))  # its question is not stored, or was deleted
    assert gone in shown(await asking.press("z:1?", place="2"))
    assert gone in shown(await asking.press("z:1?", typed="x", offered=["z:2"]))
    assert gone in shown(await asking.press("z:2", typed="x"))  # it asks nothing


async def test_only_who_pressed_may_answer_a_message(asking: Desk) -> None:
    pressed = asking.call("", actor="fake:7")
    await asking.router.asked("55", "z:1?", await asking.ask("z:1?"), pressed)
    assert await asking.router.typed("54", asking.call(" x")) is None  # a message that asks nothing
    assert await asking.router.typed("55", asking.call(" x", place="2")) is None  # a message of another chat
    other = await asking.router.typed("55", asking.call(" x", actor="fake:8"))
    assert "for the person who pressed" in shown(other) and other and other.private
    for actor in ("fake:7", "fake:1"):  # the latter is the chat itself: an anonymous admin
        mine = await asking.router.typed("55", asking.call(" mine", actor=actor))
        assert shown(mine) == "z:1 got “mine”"
    lost = await asking.router.typed("55", asking.call(" mine", actor="fake:7", admin=False))
    assert "Only admins" in shown(lost)
