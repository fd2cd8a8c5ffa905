"""Channels that come, go, are renamed, lose and regain permissions, as the gateway tells it."""

import asyncio
from functools import partial
from pathlib import Path

from structlog.testing import capture_logs

from scheduler.types import Chat, Place
from tests.bot.discord.live import SEND, Live, live
from tests.emulators.base import Fault
from tests.emulators.discord import Channel, DiscordEmulator, Guild, Permission
from tests.emulators.discord.faults import answers, too_many
from tests.emulators.discord.permissions import EVERYONE
from tests.emulators.discord.wire_guilds import guild_json

REMOVED = "the bot was removed from the server"


async def with_waiting(sky: Live, channel: Channel) -> Chat:
    """A channel that follows everything, with two posts that wait for it."""
    known = await sky.follow(channel)
    sky.dc.faults.add(answers(too_many(600)), SEND, channel.id)
    await sky.publish("one", "two")
    await sky.waits(channel)
    return known


async def test_a_server_that_throws_the_bot_out_is_gone_and_comes_back_without_a_flood(
    dc: DiscordEmulator, sky: Live, club: Guild, news: Channel
) -> None:
    thread, elsewhere = dc.thread(news, "a thread"), dc.text(dc.guild("Other"), "news")
    for place in (thread, elsewhere):
        await sky.follow(place)
    known = await with_waiting(sky, news)
    dc.kick_bot(club)
    for place in (news, thread):
        assert (await sky.is_in(place, "gone")).reason == REMOVED
    assert await sky.states(news) == ["cancelled", "cancelled"]
    assert sky.ledger(news) == {}
    async with sky.app.store.read() as work:
        assert await work.subscriptions.of(known.id)  # it keeps its settings
    await sky.publish("missed")
    assert await sky.ended_at_last(elsewhere) == ["sent"] * 3
    dc.add_bot(club)
    for place in (news, thread):
        await sky.is_in(place, "active")
    await sky.publish("next")
    for place in (news, thread):
        assert (await sky.ended_at_last(place))[-1] == "sent"
        assert (sky.posts(place)[-1], "missed" in sky.posts(place)) == ("next", False)


async def test_what_changed_while_it_was_down_is_seen_at_the_start(
    dc: DiscordEmulator, sky: Live, news: Channel, talk: Channel
) -> None:
    other = dc.guild("Other")
    elsewhere = dc.text(other, "news")
    for place in (news, talk, elsewhere):
        await sky.follow(place)
    dc.kick_bot(other)
    await sky.is_in(elsewhere, "gone")
    assert (await sky.known(news)).title == ""  # it was added by its id
    await sky.stop()
    dc.add_bot(other)
    dc.deny(talk, Permission.SEND_MESSAGES)
    sky.start()
    await sky.is_in(elsewhere, "active")
    await sky.is_in(talk, "paused")
    await sky.until(partial(_is_titled, sky, news, "#news (Club)"))
    assert (await sky.known(news)).kind == "channel"
    assert sky.sends(talk) == []
    await sky.publish("next")
    assert await sky.ended(elsewhere) == ["sent"]


async def _is_titled(sky: Live, place: Channel, title: str) -> bool:
    return (await sky.known(place)).title == title


async def test_an_outage_of_a_server_changes_nothing(
    dc: DiscordEmulator, sky: Live, club: Guild, news: Channel
) -> None:
    await sky.follow(news)
    dc.world.events.dispatch("GUILD_DELETE", {"id": str(club.id), "unavailable": True})
    await sky.barrier()
    assert (await sky.known(news)).state == "active"
    await sky.publish("new")
    assert await sky.ended(news) == ["sent"]


async def test_a_deleted_channel_is_gone_with_its_threads_and_a_thread_alone(
    dc: DiscordEmulator, sky: Live, news: Channel, talk: Channel
) -> None:
    thread, other = dc.thread(news, "a thread"), dc.thread(talk, "another")
    for place in (thread, talk, other):
        await sky.follow(place)
    await with_waiting(sky, news)
    dc.delete(news)
    assert (await sky.is_in(news, "gone")).reason == "the channel was deleted"
    assert (await sky.is_in(thread, "gone")).reason == "the thread was deleted"
    assert await sky.states(news) == ["cancelled", "cancelled"]
    dc.delete(other)
    assert (await sky.is_in(other, "gone")).reason == "the thread was deleted"
    assert (await sky.known(talk)).state == "active"


LOST = {
    "Send Messages": Permission.SEND_MESSAGES,
    "Embed Links": Permission.EMBED_LINKS,
}


async def test_lost_permissions_pause_a_channel_until_they_are_back(
    dc: DiscordEmulator, sky: Live, club: Guild, talk: Channel
) -> None:
    losers = {missing: dc.text(club, missing) for missing in LOST}
    await sky.follow_all([*losers.values(), talk])
    for missing, channel in losers.items():
        dc.deny(channel, LOST[missing])
        paused = await sky.is_in(channel, "paused")
        assert paused.reason == f"the bot may not write here: give it {missing} (Edit Channel › Permissions)"
    await sky.publish("one")
    await sky.publish("two")
    assert await sky.ended(talk) == ["sent", "sent"]
    await sky.looked()
    for channel in losers.values():
        assert len(sky.sends(channel)) <= 1  # Discord blocks who keeps trying
        assert sky.ledger(channel) == {"Post one": "reserved", "Post two": "reserved"}
        dc.deny(channel, 0)
        await sky.is_in(channel, "active")
        assert await sky.ended_at_last(channel) == ["sent", "sent"]
        assert sky.posts(channel) == ["one", "two"]


async def test_permissions_in_threads_are_their_own(dc: DiscordEmulator, sky: Live, news: Channel) -> None:
    thread = dc.thread(news, "a thread")
    for place in (news, thread):
        await sky.follow(place)
    dc.deny(news, Permission.SEND_MESSAGES_IN_THREADS)
    assert "give it Send Messages in Threads" in (await sky.is_in(thread, "paused")).reason
    assert (await sky.known(news)).state == "active"
    dc.deny(news, 0)
    await sky.is_in(thread, "active")


async def test_a_role_that_loses_permissions_pauses_all_its_channels(
    dc: DiscordEmulator, sky: Live, club: Guild, news: Channel, talk: Channel
) -> None:
    for place in (news, talk):
        await sky.follow(place)
    for role in (club.everyone, club.bot_role):
        dc.set_permissions(club, role, EVERYONE & ~Permission.SEND_MESSAGES)
    for place in (news, talk):
        await sky.is_in(place, "paused")
    await sky.publish("new")
    dc.set_permissions(club, club.bot_role, EVERYONE)
    for place in (news, talk):
        await sky.is_in(place, "active")
        assert await sky.ended_at_last(place) == ["sent"]


async def test_a_role_that_is_given_to_the_bot_counts(
    dc: DiscordEmulator, sky: Live, club: Guild, news: Channel
) -> None:
    await sky.follow(news)
    helper = dc.role(club, "Helpers", EVERYONE)
    for role in (club.everyone, club.bot_role):
        dc.set_permissions(club, role, 0)
    await sky.is_in(news, "paused")
    club.members[dc.bot.id].add(helper.id)
    roles = [str(role) for role in club.members[dc.bot.id]]
    user = {"id": str(dc.bot.id), "username": "Skywave", "discriminator": "0", "avatar": None, "bot": True}
    dc.world.events.dispatch(
        "GUILD_MEMBER_UPDATE",
        {"guild_id": str(club.id), "user": user, "roles": roles, "nick": None, "joined_at": None, "flags": 0},
    )
    dc.world.tell_channel("UPDATE", news)  # which it can see again
    await sky.is_in(news, "active")


async def test_a_closed_dm_is_gone_until_its_person_speaks(
    dc: DiscordEmulator, sky: Live, club: Guild
) -> None:
    user, bob = dc.user("Ann"), dc.user("Bob")
    ann = dc.dm(user)
    dc.join(club, bob)
    for place in (ann, dc.dm(bob)):
        await sky.follow(place)
    dc.close_dms(user)
    dc.leave(club, bob)  # so that he shares no server with the bot
    await sky.publish("missed")
    for place in (ann, dc.dm(bob)):
        assert await sky.ended(place) == ["cancelled"]
        await sky.is_in(place, "gone")
    assert (await sky.known(ann)).reason == "Cannot send messages to this user"
    dc.close_dms(user, None)
    await sky.answer(ann, "latest")
    assert (await sky.known(ann)).state == "active"
    await sky.publish("next")
    assert await sky.ended(ann) == ["cancelled", "sent"]
    assert sky.posts(ann) == ["next"]


async def test_a_channel_that_the_bot_cannot_see_keeps_its_title(
    dc: DiscordEmulator, sky: Live, news: Channel, talk: Channel
) -> None:
    thread = dc.thread(news, "a thread")
    places = (news, thread)
    for place in places:
        await sky.follow(place)
    await sky.restart()  # at a start it looks at the titles of all
    titled = [await sky.until(partial(_titled, sky, place)) for place in places]
    dc.deny(news, Permission.VIEW_CHANNEL)
    for place in places:
        hidden = await sky.is_in(place, "paused")
        assert hidden.reason == (
            "the bot cannot see the channel: give it View Channel (Edit Channel › Permissions)"
        )
    await sky.restart()  # told of it anew
    await sky.answer(news, "latest")  # commands work there all the same
    assert [(await sky.known(place)).title for place in places] == titled
    dc.rename(news, "board")
    dc.deny(news, 0)
    for place in places:
        await sky.is_in(place, "active")
    assert (await sky.known(news)).title == "#board (Club)"


async def _titled(sky: Live, place: Channel) -> str:
    return (await sky.known(place)).title


# Titles


async def test_titles_follow_channels_threads_and_servers(
    dc: DiscordEmulator, sky: Live, club: Guild, news: Channel
) -> None:
    thread = dc.thread(dc.forum(club, "ideas"), "an idea")
    for place in (news, thread):
        await sky.follow(place)
    news.name = "announcements"
    dc.world.tell_channel("UPDATE", news)
    thread.name = "a better idea"
    dc.world.tell_channel("UPDATE", thread)

    async def titles(*wanted: str) -> bool:
        return [(await sky.known(place)).title for place in (news, thread)] == list(wanted)

    await sky.until(lambda: titles("#announcements (Club)", "#ideas › a better idea (Club)"))
    club.name = "Society"
    dc.world.events.dispatch("GUILD_UPDATE", guild_json(club))
    await sky.until(lambda: titles("#announcements (Society)", "#ideas › a better idea (Society)"))


# What breaks


async def test_what_breaks_is_logged_and_the_rest_goes_on(
    dc: DiscordEmulator, sky: Live, club: Guild, news: Channel
) -> None:
    await sky.follow(news)
    guild = sky.client.get_guild(club.id)
    assert guild is not None
    me, zoe = guild.me, dc.dm(dc.user("Zoe"))
    with capture_logs() as events:
        sky.client.dispatch("guild_channel_update", None, None)  # no event that Discord would send
        guild._remove_member(me)  # what a permission is computed from is not there
        dc.deny(news, Permission.SEND_MESSAGES)
        assert await sky.answer(zoe, "latest")  # what was told before has been taken up
        assert await sky.client.chat_events.recorded()
    failed = [event["event"] for event in events if "exc_info" in event]
    assert failed == ["discord.event_broken", "chat.broken"]
    guild._add_member(me)
    dc.rename(news, "newer")
    assert await sky.answer(zoe, "latest")
    assert await sky.client.chat_events.recorded()
    assert (await sky.known(news)).state == "paused"


async def test_what_is_being_handled_at_the_stop_is_finished(
    dc: DiscordEmulator, news: Channel, folder: Path
) -> None:
    go_on = asyncio.Event()
    async with live(dc, folder) as sky:
        dc.faults.add(Fault(hold=go_on), "POST /interactions/{interaction}/{token}/callback")
        made = dc.slash(news, "subscribe")
        await dc.wait_for(lambda: dc.requests("POST", "/interactions/{interaction}/{token}/callback"))
        stopping = asyncio.create_task(sky.stop())
        go_on.set()
        await stopping
        assert dc.answer_to(made) is not None
        async with sky.app.store.read() as work:
            assert await work.chats.find(Place("discord", str(news.id)))
