"""Panels: what they show and set, and what becomes of buttons that are old, foreign or overtaken."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.commands.panels.data import LIFETIME, Pressed, Verb, brief, hour_of
from bot.commands.panels.lines import OF_CHAT, OF_SUBSCRIPTION
from bot.commands.panels.show import PAGE, SETTINGS, SUBSCRIPTIONS
from bot.numbers import LARGEST
from content.formats import CHOICES, Detail
from tests.bot.conftest import Desk, shown
from tests.bot.conversations import Conversation
from tests.bot.test_refusals import advance
from tests.bot.transcripts import Transcript

TRANSCRIPT = Path(__file__).parent / "panels.txt"
OTHER = "https://example.net/other.json"


@pytest.fixture
async def ann(desk: Desk) -> Conversation:
    """An admin of a chat that follows everything and one source."""
    await desk.source("post-1")
    await desk.source("post-2", url=OTHER, title="Field notes")
    await desk.say("/subscribe")
    await desk.say("/subscribe Field notes")
    return Conversation(desk, Transcript(TRANSCRIPT))


async def test_an_admin_sets_everything_with_buttons(ann: Conversation) -> None:
    await ann.say("/subscriptions")
    await ann.press("Field notes")
    await ann.press("How much of a post")
    await ann.press("full")
    await ann.press("Pictures")
    await ann.press("no pictures")
    await ann.press("Pictures")
    await ann.press("pictures, as in this chat")
    panel = ann.reply
    await ann.press("Filter")
    await ann.press("Type it")
    await ann.type("radio -post")
    await ann.press("Save")
    ann.reply = panel
    await ann.press("Filter")
    await ann.press("all posts pass")
    await ann.press("Pause")
    await ann.press("for a week")
    await ann.press("Pause")
    await ann.press("Type it")
    await ann.type("soon")
    await ann.type("2027-01-01")
    await ann.press("When posts come")
    await ann.press("Type it")
    await ann.type("weekdays 09:00")
    await ann.press("When posts come")
    await ann.press("at once")
    await ann.press("Unsubscribe")
    await ann.press("Undo")
    await ann.press("Field notes")
    await ann.press("Pause")
    await ann.press("not paused")
    await ann.press("‹ Subscriptions")
    await ann.press("Settings of this chat")
    await ann.press("Quiet hours")
    await ann.press("Type it")
    await ann.type("22:00-08:00")
    await ann.press("Quiet hours")
    await ann.press("none")
    await ann.press("Time zone")
    await ann.press("Type it")
    await ann.type("UTC+8")
    await ann.press("Time zone")
    await ann.press("Type it")
    await ann.type("Atlantis")
    await ann.type("Berlin")
    await ann.press("Language")
    await ann.press("简体中文")
    await ann.press("语言")
    await ann.press("English")
    ann.transcript.compare()


async def test_a_panel_of_yesterday_has_expired(ann: Conversation) -> None:
    for command, label in (("/subscriptions", "Field notes"), ("/settings", "Pictures")):
        await ann.say(command)
        old = ann.reply
        advance(ann.desk, hours=LIFETIME.total_seconds() / 3600)
        assert "expired" not in await ann.press(label)
        advance(ann.desk, hours=1)
        ann.reply = old
        assert await ann.press(label) == f"⚠ This panel has expired. For a new one, send {command}."


async def test_two_admins_who_change_one_thing_both_see_it(ann: Conversation) -> None:
    bob = Conversation(ann.desk, who={"actor": "fake:8"})
    for one in (ann, bob):
        await one.say("/settings")
        await one.press("How much of a post")
    assert "✓ How much of a post: full" in await ann.press("full")
    assert "changed meanwhile" in await bob.press("title")
    assert bob.button("✓ full")
    assert (await ann.desk.chat()).choices.detail is Detail.FULL
    assert "✓ How much of a post: title" in await bob.press("title")
    # Who wanted the same is not bothered.
    await ann.say("/settings")
    await ann.press("How much of a post")
    await bob.press("How much of a post")
    await bob.press("excerpt")
    assert "✓ How much of a post: excerpt" in await ann.press("excerpt")


async def test_a_typed_answer_changes_nothing_that_was_changed_meanwhile(ann: Conversation) -> None:
    await ann.say("/settings")
    await ann.press("Time zone")
    await ann.press("Type it")
    bob = Conversation(ann.desk, asking=ann.asking)
    await ann.type("Berlin")
    assert "changed meanwhile" in await bob.type("Tokyo")
    assert (await ann.desk.chat()).timezone == "Europe/Berlin"


async def test_who_lost_the_right_is_refused_at_the_press(ann: Conversation) -> None:
    await ann.say("/subscriptions")
    await ann.press("Field notes")
    ann.who = {"admin": False}
    assert await ann.press("Unsubscribe") == "⚠ Only admins of this chat can do that."
    assert len(await ann.desk.follows()) == 2


async def test_a_button_reaches_no_other_chat(ann: Conversation) -> None:
    hour, source = hour_of(ann.desk.services.clock.now()), (await ann.desk.follows())[1]
    await ann.say("/subscriptions")
    await ann.press("Field notes")
    await ann.press("Unsubscribe")
    undo = ann.button("Undo").data
    for data in (f"u:x:{hour}:{source}", f"u:o:{hour}:{source}", f"u:s:{hour}:{source}:detail:-:full"):
        assert "no longer follows" in shown(await ann.desk.press(data, place="2"))
    assert "can no longer be undone" in shown(await ann.desk.press(undo, place="2"))
    assert len(await ann.desk.follows()) == 1


async def test_data_that_says_nothing_changes_nothing(ann: Conversation) -> None:
    hour, followed = hour_of(ann.desk.services.clock.now()), len(await ann.desk.follows())
    for data in (
        *("u:l", "u:q:1:1", "u:o:x:1", f"e:x:{hour}:0"),
        *(f"e:s:{hour}:0:pictures:yes:maybe", f"e:s:{hour}:0:nothing:-:no"),
    ):
        assert await ann.desk.press(data) is None, data
    assert len(await ann.desk.follows()) == followed and not (await ann.desk.chat()).choices.chosen


async def test_undo_brings_a_subscription_back_as_it_was(ann: Conversation) -> None:
    desk = ann.desk
    await desk.say("/format source Field notes full silent")
    async with desk.store.read() as work:
        before = await work.subscriptions.of((await desk.chat()).id)
    await desk.publish("post-2", "post-3", url=OTHER)
    await ann.say("/unsubscribe")
    assert await desk.follows() == []
    said = await ann.press("Undo")
    assert said.startswith("2 subscriptions are back.")
    async with desk.store.read() as work:
        after = await work.subscriptions.of((await desk.chat()).id)
    assert [replace(one, id=0) for one in after] == [replace(one, id=0) for one in before]


async def test_an_end_is_undone_once_within_a_day_and_never_over_a_new_subscription(
    ann: Conversation,
) -> None:
    await ann.say("/unsubscribe Field notes")
    panel = ann.reply
    await ann.desk.say("/subscribe Field notes")
    assert (await ann.press("Undo")).startswith("0 subscriptions are back.")
    ann.reply = panel
    assert (await ann.press("Undo")).startswith("This can no longer be undone.")
    ann.reply = panel
    advance(ann.desk, hours=25)
    assert "expired" in await ann.press("Undo")


async def test_a_panel_ends_its_own_subscription_alone(ann: Conversation) -> None:
    await ann.say("/subscriptions")
    await ann.press("all sources")
    assert (await ann.press("Unsubscribe")).startswith("Unsubscribed from all sources.")
    assert len(await ann.desk.follows()) == 1


async def test_many_subscriptions_have_pages(desk: Desk) -> None:
    for number in range(PAGE + 1):
        url = f"https://s{number}.example.net/feed.json"
        await desk.source(f"post-{number}", url=url, title=f"Source {number}")
        await desk.say(f"/subscribe Source {number}")
    ann = Conversation(desk)
    assert "Page 1 of 2" in await ann.say("/subscriptions")
    assert "Source 8" in await ann.press("Next ›")
    await ann.press("Source 8")
    await ann.press("Unsubscribe")
    assert "Source 7" in await ann.say("/subscriptions") and not ann.reply.rows[-2]  # type: ignore[union-attr]


def test_every_choice_is_a_line_and_every_button_fits() -> None:
    assert set(CHOICES) <= set(OF_CHAT)
    assert {name for name, choice in CHOICES.items() if not choice.of_chat} <= set(OF_SUBSCRIPTION)
    hour = 999_999  # of the year 2084
    for prefix, table in ((SETTINGS, OF_CHAT), (SUBSCRIPTIONS, OF_SUBSCRIPTION)):
        for name in table:
            full = Pressed(prefix, Verb.TYPE, hour, LARGEST, name, brief("x" * 99), brief("y" * 10))
            assert len(full.encode().encode()) <= 63
            assert Pressed.decode(full.encode()) == full
