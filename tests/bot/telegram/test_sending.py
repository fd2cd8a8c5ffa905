"""A broadcast meets everything that Telegram can answer: what becomes of chat, delivery, part and ledger.

Each time others must get their posts, and nobody more than they must.
"""

import asyncio
import json
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from scheduler.types import OnUnknown
from tests.bot.live import SkippingClock
from tests.bot.telegram.live import Live, live
from tests.e2e.program import item
from tests.emulators.base import Answer, Fault
from tests.emulators.telegram import Chat, Limits, TelegramEmulator
from tests.emulators.telegram.faults import (
    REFUSALS,
    answers,
    delayed,
    delivered_then_dropped,
    dropped,
    held,
    html,
    refused,
    too_many,
)

HOUR = 3600.0
PICTURE = '<p><img src="https://example.org/picture.jpg" alt="A mast"></p><p>Text of it.</p>'

# A kind of each class of refusal; test_errors says of every kind which class it is.
GONE, NO_RIGHTS, CONTENT, MEDIA = "blocked", "no-rights", "cannot-parse", "webpage-media"


@pytest.fixture
def bob(tg: TelegramEmulator) -> Chat:
    return tg.private(tg.user("Bob"))


async def broadcast(sky: Live, fault: Fault | None, ann: Chat, bob: Chat, times: int = 1) -> None:
    """Send a post to both, which goes wrong for Ann; Bob has it when this returns."""
    if fault is not None:
        sky.tg.faults.add(fault, "sendMessage", ann.id, times=times)
    await sky.follow(ann)
    await sky.follow(bob)
    await sky.publish("new")
    assert await sky.ended(bob) == ["sent"]
    assert sky.posts(bob) == ["Post new"]
    assert sky.ledger(bob) == {"Post new": "sent"}


async def test_a_post_goes_out_once(sky: Live, ann: Chat, bob: Chat) -> None:
    known = await sky.follow(ann)
    await sky.write("UPDATE chats SET choices = ? WHERE id = ?", '{"silent": true}', known.id)
    await broadcast(sky, None, ann, bob)
    assert await sky.ended(ann) == ["sent"]
    assert sky.posts(ann) == ["Post new"]
    assert await sky.parts(ann) == ["sent"]
    assert sky.ledger(ann) == {"Post new": "sent"}
    ((delivery,), (message,)) = await sky.deliveries(ann), sky.tg.messages(ann)
    assert message.silent and not sky.tg.messages(bob)[0].silent
    assert delivery.parts[0].sent is not None
    assert delivery.parts[0].sent.message_ids == (str(message.message_id),)


async def test_an_accepted_message_was_sent_whatever_else_the_answer_says(
    tg: TelegramEmulator, sky: Live, ann: Chat, bob: Chat
) -> None:
    answers_to = {ann: {"message_id": 7, "date": "soon", "chat": []}, bob: {"message_id": "7"}}
    for chat, answer in answers_to.items():
        body = json.dumps({"ok": True, "result": answer}).encode()
        tg.faults.add(Fault(answer=Answer(200, body)), "sendMessage", chat.id)
        await sky.follow(chat)
    await sky.publish("new")
    for chat in answers_to:
        assert await sky.ended(chat) == ["sent"]
        ((delivery,),) = [await sky.deliveries(chat)]
        (part,) = delivery.parts
        assert part.sent is not None
        assert (part.sent.address, part.sent.message_ids) == (str(chat.id), ("7",))


async def test_a_message_follows_its_post(sky: Live, ann: Chat, bob: Chat) -> None:
    await broadcast(sky, None, ann, bob)
    (first,) = sky.tg.messages(ann)
    await sky.publish(item("new", content_html="<p>Corrected.</p>"))
    sky.skip(61)
    await sky.tg.wait_for(lambda: "Corrected." in sky.texts(ann)[0] and "Corrected." in sky.texts(bob)[0])
    async with sky.app.store.write() as work:
        await work.posts.set_withdrawn([await work.posts.newest_id()], True, sky.clock.now())
        await work.commit()
    sky.skip(61)
    await sky.tg.wait_for(lambda: "withdrawn" in sky.texts(ann)[0])
    (last,) = sky.tg.messages(ann)
    assert last.message_id == first.message_id and len(last.history) == 2
    assert "strikethrough" in {entity.type for entity in last.entities}


async def test_a_chat_that_is_gone_gets_nothing_more(sky: Live, ann: Chat, bob: Chat) -> None:
    await broadcast(sky, refused(GONE), ann, bob)
    assert await sky.ended(ann) == ["cancelled"]
    known = await sky.is_in(ann, "gone")
    assert known.reason.endswith(REFUSALS[GONE][1].split(": ")[1].lower()[1:])
    assert await sky.until(partial(sky.parts_are, ann, "failed"))
    assert sky.ledger(ann) == {}
    await sky.publish("newer")
    assert await sky.ended(bob) == ["sent", "sent"]
    assert await sky.states(ann) == ["cancelled"]
    async with sky.app.store.read() as work:
        assert await work.subscriptions.of(known.id)  # it keeps its settings


async def test_a_chat_without_rights_is_paused_and_tried_again_later(sky: Live, ann: Chat, bob: Chat) -> None:
    await broadcast(sky, refused(NO_RIGHTS), ann, bob)
    waiting = await sky.waits(ann)
    assert waiting.due_at - sky.clock.now() > timedelta(minutes=59)
    known = await sky.is_in(ann, "paused")
    assert known.reason
    assert sky.ledger(ann) == {"Post new": "reserved"}
    assert await sky.parts(ann) == ["pending"]
    await sky.publish("newer")  # waits behind it: not asked for again and again
    await sky.ended(bob)
    await sky.looked()
    assert sky.tg.requests("sendMessage")[-1].chat_id != str(ann.id)
    sky.skip(HOUR)
    await sky.is_in(ann, "active")
    assert (await sky.ended_at_last(ann))[0] == "sent"
    assert sky.posts(ann)[0] == "Post new"


@pytest.mark.parametrize("reason", ["the topic is gone", "the topic was closed"])
async def test_a_topic_that_cannot_be_written_to_is_paused_alone(
    tg: TelegramEmulator, sky: Live, reason: str
) -> None:
    forum = tg.forum("Club", ["News", "Talk"])
    news, talk = tg.topic(forum, "News"), tg.topic(forum, "Talk")
    await sky.follow(forum, topic=news)
    await sky.follow(forum, topic=talk)
    if reason.endswith("closed"):
        forum.topics[news].closed = True  # no update tells of it
    else:
        tg.delete_topic(forum, news)
    await sky.publish("new")
    await sky.ended(forum, talk)
    assert sky.posts(forum, talk) == ["Post new"]
    assert (await sky.waits(forum, news)).state == "pending"
    assert (await sky.known(forum, news)).state == "paused"
    assert (await sky.known(forum, talk)).state == "active"
    assert await sky.ended(forum) == ["sent"]  # its admins are told in General
    assert sky.texts(forum, 1) == [f"“Club”: {reason}. Posts are queued until it can be written to again."]
    assert not sky.posts(forum, news)


async def test_rejected_content_arrives_plainer_or_is_listed_as_failed(
    tg: TelegramEmulator, sky: Live, ann: Chat, bob: Chat
) -> None:
    hopeless = tg.private(tg.user("Hal"))
    tg.faults.add(refused(CONTENT), "sendMessage", hopeless.id, times=2)
    await sky.follow(hopeless)
    await broadcast(sky, refused(CONTENT), ann, bob)
    assert await sky.ended(ann) == ["sent"]
    (message,) = sky.tg.messages(ann)
    assert not message.entities
    assert message.text.startswith("Post new (https://example.org/new)")
    ((delivery,),) = [await sky.deliveries(ann)]
    assert [(p.form, p.state) for p in delivery.parts] == [("full", "failed"), ("plain", "sent")]
    assert sky.ledger(ann) == {"Post new": "sent"}
    assert await sky.ended(hopeless) == ["failed"]
    ((delivery,),) = [await sky.deliveries(hopeless)]
    assert "parse entities" in delivery.reason
    assert sky.ledger(hopeless) == {"Post new": "failed"}
    await sky.publish("newer")
    assert await sky.ended_at_last(hopeless) == ["failed", "sent"]  # it holds up nothing


async def test_a_rejected_picture_is_left_out(sky: Live, ann: Chat) -> None:
    sky.tg.faults.add(refused(MEDIA), "sendMessage", ann.id)
    await sky.follow(ann)
    await sky.publish(item("new", content_html=PICTURE))
    assert await sky.ended(ann) == ["sent"]
    (message,) = sky.tg.messages(ann)
    assert message.entities  # only the picture was at fault
    first, second = sky.tg.requests("sendMessage")
    assert "picture.jpg" in first.params["link_preview_options"]
    assert "picture.jpg" not in second.params["link_preview_options"]


async def test_a_group_that_moved_is_followed(tg: TelegramEmulator, sky: Live, ann: Chat, bob: Chat) -> None:
    group = tg.group("Group")
    supergroup = tg.supergroup("Group")
    await broadcast(sky, None, ann, bob)
    group.migrated_to = supergroup.id  # the update that tells of it comes late
    known = await sky.follow(group)
    await sky.publish("newer")
    await sky.is_in(supergroup, "active")
    assert await sky.ended(supergroup) == ["sent"]
    assert sky.posts(supergroup) == ["Post newer"]
    assert (await sky.known(supergroup)).id == known.id
    assert sky.ledger(supergroup) == {"Post newer": "sent"}
    asked = [request.chat_id for request in tg.requests("sendMessage")]
    assert (asked.count(str(group.id)), asked.count(str(supergroup.id))) == (1, 1)


async def test_what_may_have_arrived_is_sent_again_unless_nothing_may_be_doubled(
    tg: TelegramEmulator, sky: Live
) -> None:
    faults = {
        ("dropped", False): dropped(),
        ("html", False): html(),
        ("dropped", True): delivered_then_dropped(),
        ("html", True): html(processed=True),
    }
    for on_unknown in (OnUnknown.RESEND, OnUnknown.HOLD):
        chats = {case: tg.private(tg.user("".join(map(str, case)))) for case in faults}
        for case, chat in chats.items():
            await sky.follow(chat, on_unknown=on_unknown)
            tg.faults.add(faults[case], "sendMessage", chat.id)
        await sky.publish(f"for {on_unknown}")
        for (_, arrived), chat in chats.items():
            held_back = on_unknown is OnUnknown.HOLD
            assert await sky.ended_at_last(chat) == ["held" if held_back else "sent"]
            # A dropped connection does not tell whether a message arrived, so that one is doubled.
            assert len(sky.posts(chat)) == arrived + (not held_back)
            ((delivery,),) = [await sky.deliveries(chat)]
            (part,) = delivery.parts
            assert part.state == ("unknown" if held_back else "sent")
            assert set(sky.ledger(chat).values()) == {"failed" if held_back else "sent"}
            if held_back:
                assert delivery.reason.startswith("it may have arrived: ")
            else:
                assert (delivery.attempts, part.unknowns) == (1, 1)
        await sky.write("DELETE FROM subscriptions")
    chat = next(iter(chats.values()))
    await sky.follow(chat)
    await sky.publish("newer")
    assert await sky.ended_at_last(chat) == ["held", "sent"]  # it holds up nothing


async def test_an_answer_that_comes_too_late_is_an_unknown_outcome(
    tg: TelegramEmulator, folder: Path, ann: Chat
) -> None:
    late = asyncio.Event()
    async with live(tg, folder, read_timeout=0.2) as sky:
        await sky.follow(ann, on_unknown=OnUnknown.HOLD)
        tg.faults.add(delayed(late), "sendMessage", ann.id)
        await sky.publish("new")
        assert await sky.ended(ann) == ["held"]
        late.set()
        assert sky.posts(ann) == ["Post new"]


async def test_a_silent_hold_is_sat_out(tg: TelegramEmulator, sky: Live, ann: Chat, bob: Chat) -> None:
    hold = asyncio.Event()
    tg.faults.add(held(hold), "sendMessage", ann.id)
    await sky.follow(ann)
    await sky.follow(bob)
    await sky.publish("new")
    assert await sky.ended(bob) == ["sent"]
    assert await sky.parts(ann) == ["sending"]
    hold.set()
    assert await sky.ended(ann) == ["sent"]
    assert sky.posts(ann) == ["Post new"]


async def test_strict_limits_double_nothing(folder: Path) -> None:
    """A server so strict that it holds and refuses although the limiter keeps what is published."""
    clock = SkippingClock()
    strict = Limits(overall=2, private=1, group=2)
    emulator = TelegramEmulator(limits=strict, clock=clock.monotonic, sleep=clock.sleep)
    async with emulator as tg, live(tg, folder, clock=clock) as sky:
        chats = [tg.private(tg.user(f"Reader {n}")) for n in range(7)]
        chats += [tg.supergroup(f"Group {n}") for n in range(3)]
        for chat in chats:
            await sky.follow(chat)
        await sky.publish("one", "two", "three")
        for chat in chats:
            assert await sky.ended_at_last(chat) == ["sent"] * 3
            assert sorted(sky.posts(chat)) == ["Post one", "Post three", "Post two"]
        assert tg.flood is not None
        assert tg.flood.holds
        async with sky.app.store.read() as work:
            assert await work.outbox.unknowns() == 0


async def test_a_flood_wait_lasts_as_long_as_telegram_says(
    tg: TelegramEmulator, sky: Live, ann: Chat, bob: Chat
) -> None:
    began = sky.clock.monotonic()
    await broadcast(sky, answers(too_many(300)), ann, bob)
    waiting = await sky.waits(ann)
    await sky.looked()
    assert sky.clock.monotonic() - began < 100  # it holds back nobody else
    assert (waiting.attempts, await sky.parts(ann)) == (0, ["pending"])  # Telegram did nothing: no attempt
    left = (waiting.due_at - sky.clock.now()).total_seconds()
    assert 290 < left <= 300
    sky.skip(left - 5)
    await sky.looked()
    assert not sky.posts(ann)
    sky.skip(10)
    assert await sky.ended(ann) == ["sent"]
    assert sky.posts(ann) == ["Post new"]


async def test_nothing_is_counted_while_telegram_cannot_be_reached(
    tg: TelegramEmulator, sky: Live, ann: Chat
) -> None:
    await sky.follow(ann)
    await tg.wait_for(lambda: tg.requests("getUpdates") or None)
    await tg.stop()
    await sky.publish("new")
    waiting = await sky.waits(ann)
    assert [part.state for part in waiting.parts] == ["pending"]
    assert "cannot be reached" in waiting.reason
    await tg.start()
    assert await sky.ended_at_last(ann) == ["sent"]
    assert sky.posts(ann) == ["Post new"]
    assert [part.unknowns for one in await sky.deliveries(ann) for part in one.parts] == [0]


async def test_an_edition_is_resumed_where_it_broke_off(tg: TelegramEmulator, sky: Live) -> None:
    """Of two messages the first arrives; only the second is sent again."""
    channel = tg.channel("Channel")  # where an edition is no rich message, which would be one
    await sky.follow(channel)
    tg.faults.add(Fault(), "sendMessage", channel.id)  # the first goes through
    tg.faults.add(dropped(), "sendMessage", channel.id)
    long = "<p>" + "word " * 200 + "</p>"
    await sky.publish(*(item(f"n{number}", content_html=long) for number in range(14)))
    assert await sky.ended_at_last(channel) == ["sent"]
    texts = sky.texts(channel)
    assert len(texts) == len(set(texts)) > 1
    assert set(sky.ledger(channel).values()) == {"sent"}
    assert len(sky.ledger(channel)) == 14


NASTY = """<p>&lt;b&gt;not bold&lt;/b&gt; *stars* _lines_ [text](https://example.org) `tick` @someone</p>
<p>👩‍👩‍👧 <b>bold 👍🏽</b> <a href="https://example.org/a?b=1&amp;c=2">link</a>
<a href="javascript:alert(1)">script</a> <script>alert(2)</script></p>
<pre><code>if (a &lt; b) &amp;&amp; c;</code></pre>"""


async def test_a_nasty_post_arrives_as_it_is(sky: Live, ann: Chat) -> None:
    await sky.follow(ann)
    await sky.publish(item("nasty", title="<i>𝔘𝔫𝔦</i> & *co*", content_html=NASTY))
    assert await sky.ended(ann) == ["sent"]
    (message,) = sky.tg.messages(ann)
    assert "<b>not bold</b> *stars* _lines_ [text](https://example.org) `tick` @\u2060someone" in message.text
    assert "alert(2)" not in message.text
    marked = {(entity.type, entity.of(message.text)) for entity in message.entities}
    assert ("bold", "bold 👍🏽") in marked
    assert ("text_link", "link") in marked
    assert ("pre", "if (a < b) && c;") in marked
    assert {entity.url for entity in message.entities if entity.url} == {
        "https://example.org/nasty",
        "https://example.org/a?b=1&c=2",
    }
    assert not [entity for entity in message.entities if entity.type == "mention"]
