"""A broadcast meets everything that Discord can answer: what becomes of chat, delivery, part and ledger.

Each time others must get their posts, and nobody more than they must.
"""

import asyncio
from datetime import timedelta
from functools import partial
from pathlib import Path

from scheduler.types import ChatKind, OnUnknown, Place
from tests.bot.discord.live import SEND, Live, Naps, live, text_of
from tests.bot.live import SkippingClock
from tests.e2e.program import item
from tests.emulators.base import Fault
from tests.emulators.discord import Channel, DiscordEmulator, Guild, Permission, Request
from tests.emulators.discord.faults import (
    REFUSALS,
    answers,
    banned,
    broken,
    delayed,
    delivered_then_dropped,
    dropped,
    refused,
    too_many,
)
from tests.emulators.discord.permissions import EVERYONE
from tests.emulators.discord.types import SUPPRESS_NOTIFICATIONS

HOUR = 3600.0
OPEN_THREAD = "POST /channels/{channel}/threads"

# A code of each class of refusal; test_errors says of every code which class it is.
GONE, PAUSED, CONTENT, BLOCKED, WAIT = 10003, 50013, 50035, 200000, 20016


async def broadcast(sky: Live, fault: Fault | None, news: Channel, talk: Channel, times: int = 1) -> None:
    """Send a post to both, which goes wrong for news; talk has it when this returns."""
    if fault is not None:
        sky.dc.faults.add(fault, SEND, news.id, times=times)
    await sky.follow(news)
    await sky.follow(talk)
    await sky.publish("new")
    assert await sky.ended(talk) == ["sent"]
    assert sky.posts(talk) == ["new"]
    assert sky.ledger(talk) == {"Post new": "sent"}


async def test_a_post_goes_out_once_and_its_message_follows_it(
    sky: Live, news: Channel, talk: Channel
) -> None:
    known = await sky.follow(news)
    await sky.write("UPDATE chats SET choices = ? WHERE id = ?", '{"silent": true}', known.id)
    await broadcast(sky, None, news, talk)
    assert await sky.ended(news) == ["sent"]
    assert sky.posts(news) == ["new"]
    assert await sky.parts(news) == ["sent"]
    assert sky.ledger(news) == {"Post new": "sent"}
    ((delivery,), (message,)) = await sky.deliveries(news), sky.dc.messages(news)
    assert [message.flags, sky.dc.messages(talk)[0].flags] == [SUPPRESS_NOTIFICATIONS, 0]
    assert delivery.parts[0].sent is not None
    assert delivery.parts[0].sent.message_ids == (str(message.id),)
    await sky.publish(item("new", content_html="<p>Corrected.</p>"))
    sky.skip(61)
    await sky.dc.wait_for(lambda: len(sky.dc.messages(talk)[0].history) == 1)
    (edited,) = sky.dc.messages(talk)
    assert "Corrected." in text_of(edited)
    sky.dc.remove(edited)
    await sky.publish(item("new", content_html="<p>Corrected again.</p>"))
    sky.skip(61)
    await sky.until(lambda: reason_is(sky, talk, "not edited: the message was deleted"))
    assert sky.dc.messages(talk) == []


async def reason_is(sky: Live, channel: Channel, begin: str) -> bool:
    return (await sky.deliveries(channel))[-1].reason.startswith(begin)


async def test_a_chat_that_is_gone_gets_nothing_more(sky: Live, news: Channel, talk: Channel) -> None:
    await broadcast(sky, refused(GONE), news, talk)
    assert await sky.ended(news) == ["cancelled"]
    known = await sky.is_in(news, "gone")
    assert known.reason == REFUSALS[GONE][1]
    assert await sky.parts(news) == ["failed"]
    assert sky.ledger(news) == {}
    await sky.publish("newer")
    assert await sky.ended(talk) == ["sent", "sent"]
    assert await sky.states(news) == ["cancelled"]
    async with sky.app.store.read() as work:
        assert await work.subscriptions.of(known.id)  # it keeps its settings


async def test_a_chat_that_refuses_is_paused_and_tried_again_later(
    sky: Live, news: Channel, talk: Channel
) -> None:
    await broadcast(sky, refused(PAUSED), news, talk)
    waiting = await sky.waits(news)
    assert waiting.due_at - sky.clock.now() > timedelta(minutes=59)
    known = await sky.is_in(news, "paused")
    assert known.reason == REFUSALS[PAUSED][1]
    assert sky.ledger(news) == {"Post new": "reserved"}
    assert await sky.parts(news) == ["pending"]
    await sky.publish("newer")  # waits behind it: Discord blocks who asks again and again
    await sky.ended(talk)
    await sky.looked()
    assert len(sky.sends(news)) == 1
    sky.skip(HOUR)
    await sky.is_in(news, "active")
    assert (await sky.ended_at_last(news))[0] == "sent"
    assert sky.posts(news)[0] == "new"


async def test_rejected_content_arrives_plainer_or_is_listed_as_failed(
    dc: DiscordEmulator, sky: Live, club: Guild, news: Channel, talk: Channel
) -> None:
    hopeless, blocked = dc.text(club, "hopeless"), dc.text(club, "blocked")
    dc.faults.add(refused(CONTENT), SEND, hopeless.id, times=2)
    dc.faults.add(refused(BLOCKED), SEND, blocked.id)
    for channel in (hopeless, blocked):
        await sky.follow(channel)
    await broadcast(sky, refused(CONTENT), news, talk)
    assert await sky.ended(news) == ["sent"]
    (message,) = dc.messages(news)
    assert not message.embeds
    assert message.content.startswith("Post new (<https://example.org/new>)")
    ((delivery,),) = [await sky.deliveries(news)]
    assert [(p.form, p.state) for p in delivery.parts] == [("full", "failed"), ("plain", "sent")]
    assert sky.ledger(news) == {"Post new": "sent"}
    reasons = {hopeless: "Invalid Form Body", blocked: REFUSALS[BLOCKED][1]}
    for channel, reason in reasons.items():
        assert await sky.ended(channel) == ["failed"]
        ((delivery,),) = [await sky.deliveries(channel)]
        assert delivery.reason == reason
        assert sky.ledger(channel) == {"Post new": "failed"}
        assert (await sky.known(channel)).state == "active"
    assert len(sky.sends(blocked)) == 1  # no other form would help
    await sky.publish("newer")
    for channel in (hopeless, blocked):
        assert await sky.ended_at_last(channel) == ["failed", "sent"]  # it holds up nothing


async def test_automod_blocks_one_post_and_no_other(
    dc: DiscordEmulator, sky: Live, club: Guild, news: Channel
) -> None:
    dc.block_words(club, "casino")
    await sky.follow(news)
    dc.faults.add(refused(50035), SEND, news.id)  # only the plain form has its words where automod looks
    await sky.publish(item("bad", content_html="<p>A casino</p>"))
    await sky.ended(news)
    await sky.publish("good")
    assert await sky.ended_at_last(news) == ["failed", "sent"]


def slept(sky: Live) -> list[float]:
    assert isinstance(sky.clock, SkippingClock)
    return sky.clock.slept


async def test_a_limit_of_one_channel_is_waited_for(
    dc: DiscordEmulator, sky: Live, club: Guild, news: Channel, talk: Channel
) -> None:
    """A long one in the outbox: the library would sit it out, and an hour's limit with it."""
    slow, slept_before = dc.text(club, "slow"), len(slept(sky))
    dc.faults.add(refused(WAIT), SEND, slow.id)
    await sky.follow(slow)
    await broadcast(sky, answers(too_many(3600, scope="shared")), news, talk)
    assert await sky.ended_at_last(slow) == ["sent"]
    assert sky.posts(slow) == ["new"]
    assert not [seconds for seconds in slept(sky)[slept_before:] if seconds > 60]
    waiting = await sky.waits(news)
    assert (waiting.attempts, await sky.parts(news)) == (0, ["pending"])  # nothing was done: no attempt
    assert not [
        part.unknowns for part in (*waiting.parts, *(await sky.deliveries(slow))[0].parts) if part.unknowns
    ]
    left = (waiting.due_at - sky.clock.now()).total_seconds()
    assert 3500 < left <= 3600
    sky.skip(left - 5)
    await sky.looked()
    assert not sky.posts(news)
    sky.skip(10)
    assert await sky.ended(news) == ["sent"]
    assert sky.posts(news) == ["new"]


async def test_a_block_of_the_address_is_sat_out_by_everybody(
    dc: DiscordEmulator, sky: Live, news: Channel, talk: Channel
) -> None:
    await sky.follow(news)
    dc.faults.add(banned(), SEND, news.id)
    slept(sky).clear()
    await sky.publish("new")
    waiting = await sky.waits(news)
    assert waiting.attempts == 0
    await sky.looked()  # another chat has to wait as well
    assert sum(slept(sky)) > 50
    assert await sky.ended_at_last(news) == ["sent"]


async def test_an_unknown_outcome_is_settled_by_the_nonce(
    dc: DiscordEmulator, sky: Live, club: Guild
) -> None:
    """Whatever was chosen for such outcomes: it is known in the end whether the message arrived."""
    faults = {
        "dropped": dropped(),
        "dropped after it arrived": delivered_then_dropped(),
        "503 after it arrived": broken(503, processed=True),
        "502, which the library repeats": broken(502),
        "500 after it arrived, which the library repeats": broken(500, processed=True),
    }
    cases = [(name, policy) for name in faults for policy in OnUnknown]
    channels = {case: dc.text(club, f"c{number}") for number, case in enumerate(cases)}
    for (name, policy), channel in channels.items():
        known = await sky.follow(channel)
        await sky.write("UPDATE chats SET on_unknown = ? WHERE id = ?", policy, known.id)
        dc.faults.add(faults[name], SEND, channel.id)
    await sky.publish("new")
    for (name, policy), channel in channels.items():
        assert await sky.ended_at_last(channel) == ["sent"], (name, policy)
        assert (sky.posts(channel), sky.ledger(channel)) == (["new"], {"Post new": "sent"}), (name, policy)
        assert len({request.body["nonce"] for request in sky.sends(channel)}) == 1
        assert len(sky.sends(channel)) == 2
        ((delivery,),) = [await sky.deliveries(channel)]
        ours = 0 if "library" in name else 1
        assert (delivery.attempts, delivery.parts[0].unknowns) == (ours, ours), (name, policy)


async def test_an_answer_that_never_comes_is_not_waited_for(
    dc: DiscordEmulator, news: Channel, folder: Path
) -> None:
    """The message arrived; the library alone would wait until Discord has forgotten its nonce."""
    never = asyncio.Event()
    async with live(dc, folder, timeout=0.3) as sky:
        await sky.follow(news)
        dc.faults.add(delayed(never), SEND, news.id)
        await sky.publish("new")
        assert await sky.ended_at_last(news) == ["sent"]
        assert sky.posts(news) == ["new"]
        never.set()


async def test_a_nonce_that_is_forgotten_doubles_nothing(folder: Path) -> None:
    """It arrived, nobody knows, and Discord is not to be reached until it has forgotten the nonce."""
    clock = SkippingClock()
    emulator = DiscordEmulator(clock=clock.monotonic, today=lambda: clock.now().timestamp())
    async with emulator as dc:
        news = dc.text(dc.guild("Club"), "news")
        async with live(dc, folder, clock=clock) as sky:
            await sky.follow(news)
            dc.say(news, "good morning")
            dc.faults.add(delivered_then_dropped(), SEND, news.id)
            dc.faults.add(broken(503), SEND, news.id, times=2)
            await sky.publish("new")
            await dc.wait_for(lambda: len(sky.sends(news)) == 1)
            clock.skip(HOUR)
            dc.say(news, "is anybody here?")
            assert await sky.ended_at_last(news) == ["sent"]
            assert sky.posts(news) == ["new"]
            assert sky.ledger(news) == {"Post new": "sent"}


async def test_a_message_that_was_deleted_before_we_knew_of_it_stays_deleted(
    dc: DiscordEmulator, sky: Live, news: Channel
) -> None:
    seen = asyncio.Event()
    await sky.follow(news)
    dc.faults.add(Fault(delay=seen, dropped=True), SEND, news.id)
    await sky.publish("new")
    (message,) = await dc.wait_for(lambda: dc.messages(news))
    dc.remove(message)
    seen.set()
    assert await sky.ended_at_last(news) == ["sent"]
    assert dc.messages(news) == []


async def test_nothing_is_counted_while_discord_cannot_be_reached(
    dc: DiscordEmulator, news: Channel, folder: Path
) -> None:
    naps = Naps(1)
    async with live(dc, folder, sleep=naps.sleep) as sky:
        await sky.follow(news)
        await dc.stop()
        await naps.all_taken.wait()
        await sky.publish("new")
        waiting = await sky.waits(news)
        assert "cannot be reached" in waiting.reason
        await dc.start()
        naps.go_on.set()
        assert await sky.ended_at_last(news) == ["sent"]
        assert sky.posts(news) == ["new"]
        async with sky.app.store.read() as work:
            assert await work.outbox.unknowns() == 0


LONG = "<p>" + "word " * 400 + "</p>"


async def test_an_edition_is_resumed_where_it_broke_off(
    dc: DiscordEmulator, sky: Live, news: Channel
) -> None:
    """Of several messages the first arrives; only the others are sent again."""
    await sky.follow(news)
    dc.faults.add(Fault(), SEND, news.id)  # the first goes through
    dc.faults.add(dropped(), SEND, news.id)
    await sky.publish(*(item(f"n{number}", content_html=LONG) for number in range(20)))
    assert await sky.ended_at_last(news) == ["sent"]
    texts = [text_of(message) for message in dc.messages(news)]
    assert len(texts) == len(set(texts)) > 1
    assert set(sky.ledger(news).values()) == {"sent"}
    assert len(sky.ledger(news)) == 20


# Threads and forums


async def test_an_archived_thread_is_brought_back(
    dc: DiscordEmulator, sky: Live, news: Channel, talk: Channel
) -> None:
    thread = dc.thread(news, "a thread")
    await sky.follow(thread)
    dc.archive(thread)
    dc.faults.add(refused(50083), SEND, thread.id)  # what it answers now and then instead of doing it itself
    await sky.publish("new")
    assert await sky.ended(thread) == ["sent"]
    assert sky.posts(thread) == ["new"]
    assert not thread.archived
    assert len(dc.requests("PATCH", "/channels/{channel}")) == 1


async def test_a_locked_thread_is_paused_alone_until_it_is_unlocked(
    dc: DiscordEmulator, sky: Live, news: Channel, club: Guild
) -> None:
    dc.set_permissions(club, club.bot_role, EVERYONE)  # not Manage Threads
    locked, archived, other = (dc.thread(news, name) for name in ("locked", "archived", "another"))
    dc.archive(archived)
    for thread in (locked, archived):
        thread.locked = True
    await sky.follow_all([locked, archived, other])
    await sky.publish("new")
    assert await sky.ended(other) == ["sent"]
    for thread in (locked, archived):
        assert (await sky.is_in(thread, "paused")).reason
        assert sky.posts(thread) == []
        assert sky.ledger(thread) == {"Post new": "reserved"}
        dc.lock(thread, False)
        await sky.is_in(thread, "active")
        assert await sky.ended_at_last(thread) == ["sent"]
        assert sky.posts(thread) == ["new"]


async def test_a_forum_gets_a_post_for_each_edition(dc: DiscordEmulator, sky: Live, club: Guild) -> None:
    """With a tag where it has to have one, and if there is none, the forum is paused."""
    dc.set_permissions(club, club.bot_role, EVERYONE)  # whoever may manage threads needs no tag
    free = dc.forum(club, "free", ["News", "Talk"])
    strict = dc.forum(club, "strict", ["News", "Talk"], requires_tag=True)
    hopeless = dc.forum(club, "hopeless", requires_tag=True)
    await sky.follow_all([free, strict, hopeless])
    await sky.publish("new")
    for forum in (free, strict):
        assert await sky.ended(forum) == ["sent"]
        assert sky.ledger(forum) == {"Post new": "sent"}
    threads = {thread.parent: thread for thread in club.threads.values()}
    assert [threads[forum].name for forum in (free, strict)] == ["Post new"] * 2
    assert [[forum.tags[tag] for tag in threads[forum].applied_tags] for forum in (free, strict)] == [
        [],
        ["News"],
    ]
    assert [sky.posts(thread) for thread in threads.values()] == [["new"]] * 2
    assert (await sky.is_in(hopeless, "paused")).reason == REFUSALS[40067][1]
    assert sky.ledger(hopeless) == {"Post new": "reserved"}


async def test_later_parts_go_into_the_thread_that_the_first_one_opened(
    dc: DiscordEmulator, sky: Live, club: Guild
) -> None:
    forum = dc.forum(club, "updates")
    await sky.follow(forum)
    dc.faults.add(dropped(), SEND)  # the second part, which is then resumed in there
    await sky.publish(*(item(f"n{number}", content_html=LONG) for number in range(20)))
    assert await sky.ended_at_last(forum) == ["sent"]
    (thread,) = club.threads.values()
    texts = [text_of(message) for message in dc.messages(thread)]
    assert len(texts) == len(set(texts)) > 1
    assert set(sky.ledger(forum).values()) == {"sent"}


async def test_a_thread_that_vanishes_between_two_parts_ends_that_edition_alone(
    dc: DiscordEmulator, sky: Live, club: Guild
) -> None:
    forum = dc.forum(club, "updates")
    await sky.follow(forum)
    dc.faults.add(refused(10003), SEND)
    await sky.publish(*(item(f"n{number}", content_html=LONG) for number in range(20)))
    assert await sky.ended_at_last(forum) == ["failed"]
    assert set(sky.ledger(forum).values()) == {"sent", "failed"}
    assert (await sky.known(forum)).state == "active"
    await sky.publish("next")
    assert await sky.ended_at_last(forum) == ["failed", "sent"]


async def test_a_forum_has_no_nonce_and_gets_nothing_twice(
    dc: DiscordEmulator, sky: Live, club: Guild
) -> None:
    """One that the gateway has not told of as well."""
    faults = [Fault(), dropped(), delivered_then_dropped(), broken(503, processed=True), broken(500)]
    faults.append(broken(500, processed=True))  # which the library would repeat
    forums = [dc.forum(club, f"f{number}") for number in range(len(faults))]
    await sky.follow_all(forums)
    for fault, forum in zip(faults, forums, strict=True):
        dc.faults.add(fault, OPEN_THREAD, forum.id)
    untold = forums[0].id
    await sky.until(partial(is_told, sky, club, untold))
    guild = sky.client.get_guild(club.id)
    assert guild is not None
    guild._channels.pop(untold)
    await sky.publish("new")
    for forum in forums:
        assert await sky.ended_at_last(forum) == ["sent"]
    assert {thread.parent: sky.posts(thread) for thread in club.threads.values()} == {
        forum: ["new"] for forum in forums
    }
    assert len(club.threads) == len(forums)


async def is_told(sky: Live, guild: Guild, channel: int) -> bool:
    """Whether the gateway has told of a channel."""
    known = sky.client.get_guild(guild.id)
    return known is not None and known.get_channel(channel) is not None


async def test_a_person_is_written_to_by_their_id(dc: DiscordEmulator, sky: Live) -> None:
    """Operators are given as people, not as the channels of their DMs."""
    ann = dc.user("Ann")
    place = Place("discord", str(ann.id))
    await sky.notify(place, "Something stopped.")
    assert await sky.ended(place) == ["sent"]
    assert [text_of(message) for message in dc.messages(dc.dm(ann))] == ["Something stopped."]
    assert (await sky.known(place)).kind is ChatKind.PRIVATE


# Pings

PINGS = "@everyone @here <@{user}> <@!{user}> <@&{role}> https://example.org/@everyone"


async def test_posts_ping_nobody(
    dc: DiscordEmulator, sky: Live, club: Guild, news: Channel, talk: Channel
) -> None:
    dc.set_permissions(club, club.bot_role, EVERYONE | Permission.MENTION_EVERYONE)
    role = dc.role(club, "Readers", mentionable=True)
    evil = PINGS.format(user=club.owner.id, role=role.id)
    escaped = evil.replace("<", "&lt;").replace(">", "&gt;")
    forums = [dc.forum(club, name) for name in ("updates", "plain updates")]
    await sky.follow_all([news, talk, *forums])
    dc.faults.add(refused(50035), SEND, talk.id)  # so that the plain form is sent
    dc.faults.add(refused(50035), OPEN_THREAD, forums[1].id)
    await sky.publish(item("evil", title=evil, content_html=f"<p>{escaped}</p>"))
    for place in (news, talk, *forums):
        assert await sky.ended(place) == ["sent"]
    assert not dc.messages(talk)[0].embeds
    page = await sky.answer(news, "latest")  # a reply
    await sky.publish(
        *(item(f"n{number}", title=evil, content_html=f"<p>{escaped}</p>") for number in range(20))
    )
    await sky.ended_at_last(news)
    page = await sky.answer(news, "search", words="example")
    made = dc.press(page, "2")  # an edit
    await sky.acknowledged(made)
    assert dc.messages(news)
    for message in [*dc.sent, *(m for c in (news, talk, *club.threads.values()) for m in dc.messages(c))]:
        assert not message.pings
        assert not any(version.pings for version in message.history)
    bodies = [entry.body for entry in dc.transcript.entries if isinstance(entry, Request)]
    said = [found for body in bodies for found in said_in(body)]
    assert len(said) >= 5
    assert all(one.get("allowed_mentions") == {"parse": []} for one in said)


def said_in(body: object) -> list[dict[str, object]]:
    """The messages in the body of a request: it is one, or carries one."""
    if not isinstance(body, dict):
        return []
    inner = [body, body.get("data"), body.get("message")]
    return [one for one in inner if isinstance(one, dict) and ("embeds" in one or one.get("content"))]
