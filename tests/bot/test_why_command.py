"""/why and `skywave why`, as people use them."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.commands import reasons
from bot.commands.types import Reply
from content.i18n import LANGUAGES, Translator
from content.present import Look
from scheduler.actions.why import Answer, Because
from scheduler.history import Item, MessagePlace
from scheduler.ports import Closed, PartEnded
from scheduler.types import DeliveryState, PartState, Sent
from tests.bot.conftest import FEED, Desk, shown
from tests.builders import NOW, part, source

WWW = FEED.replace("https://", "http://www.")
OTHER = "https://other.example.net/feed.json"


async def deliver(desk: Desk, *message_ids: str) -> None:
    """Let all that waits arrive, a message for each delivery."""
    async with desk.store.write() as work:
        claimed = await work.outbox.claim("fake", desk.services.clock.now(), 100, 1)
        for delivery, number in zip(claimed, message_ids, strict=True):
            begun = replace(part(delivery.id, posts=delivery.posts), begun_at=NOW)
            await work.outbox.record([begun], [], NOW, 1)
            sent = replace(begun, state=PartState.SENT, sent=Sent("1", (number,)))
            ended = PartEnded(sent, delivery.posts), Closed(delivery.id, DeliveryState.SENT)
            await work.outbox.record([], ended, NOW, 1)
        await work.commit()


def about(message_id: str) -> MessagePlace:
    return MessagePlace("fake", ("1",), message_id)


async def test_why_in_a_chat(desk: Desk) -> None:
    async def why(line: str = "", **who: object) -> str:
        reply = await desk.say(f"/why {line}", **who)
        assert isinstance(reply, Reply)
        return shown(reply)

    assert "Reply to a message with /why" in await why()
    await desk.source("post-old")
    await desk.say("/subscribe Example")
    await desk.publish("post-one", "post-old")
    await deliver(desk, "41")
    desk.services.clock.advance(60)  # type: ignore[attr-defined]

    sent = await why(about=about("41"))
    assert sent == "post-one\nSent here: Mar 1, 2026 12:00.\nThis chat follows Example."
    reply = await desk.say("/why", about=about("41"))
    assert reply is not None and reply.private
    for line in ("post-one", f"{FEED}/0-post-one", f"{WWW}/0-post-one/?utm_source=x"):
        assert await why(line) == sent, line
    await desk.say("/latest")
    assert await why("1") == sent
    assert "It is old news: Example had it before it was added" in await why("2")
    assert "carried no post, or it was sent more than 30 days ago" in await why(about=about("99"))
    assert "已发送" in await why("post-one", locale="zh")

    # Several posts at once are one message.
    await desk.publish(*(f"post-{n}" for n in range(2, 9)), "post-one", "post-old")
    await deliver(desk, "42")
    edition = (await why(about=about("42"))).splitlines()
    assert edition[:2] == ["Posts of this message", "Sent here: Mar 1, 2026 12:00, with 7 posts."]
    assert edition[2] == "• post-2: This chat follows Example." and len(edition) == 9

    # What a chat may not see does not exist for it, by whatever name.
    await desk.source("post-secret", url=OTHER, title="Hidden", public=False)
    for line in ("post-secret", f"{OTHER}/0-post-secret", "https://example.org/nothing"):
        said = await why(line)
        assert "No such post is known here." in said and "Hidden" not in said
    assert "Send the number of a post on the last page" in await why("99")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("because", Because)
def test_every_reason_is_a_sentence(because: Because, language: str) -> None:
    post = Item(1, "key", "", "", source(), None, False, True, True, True, NOW)
    twin = replace(post, source=source(title="Another"))
    answer = Answer(because, post, "rejected", NOW, ahead=2, by_twin=True, twin=twin)
    lines = list(reasons.sentences(answer, Look(translator=Translator(language))))
    assert all(lines) and not any("{" in line for line in lines)
    assert any("Another" in line for line in lines)


def test_the_page_explains_every_reason() -> None:
    page = (Path(__file__).parents[2] / "docs" / "why.md").read_text()
    assert [because for because in Because if f"`{because}`" not in page] == []
