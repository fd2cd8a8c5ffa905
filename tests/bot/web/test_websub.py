"""WebSub against a hub that behaves like the real ones, and one that lies."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network

import pytest

from content.http import HttpFetcher
from content.types import Hints, SourceState, Visibility
from scheduler.actions import sources
from scheduler.actions.audit import COMMAND_LINE
from scheduler.push.pushes import LEAST, MOST, NOT_TOLD, NOT_VERIFIED, PushState
from scheduler.rhythm import PUSHED_WAIT
from tests.bot.web.conftest import Live
from tests.bot.web.hub import PUBLIC
from tests.scheduler.conftest import json_feed

DAY = timedelta(days=1).total_seconds()


async def test_a_hub_is_asked_verifies_and_tells_of_posts(live: Live) -> None:
    source, chat = await live.subscribed(), await live.follower()
    (asked,) = live.hub.asked
    assert (asked["hub.mode"], asked["hub.topic"]) == ("subscribe", live.hub.topic)
    push = await live.push(source)
    assert asked["hub.callback"] == f"{PUBLIC}/websub/{push.token}" and len(push.token) >= 32
    assert asked["hub.secret"] == push.secret and len(push.secret) >= 32
    assert (push.state, push.word) == (PushState.ACTIVE, "push")
    assert push.lease_until == live.clock.now() + timedelta(days=10)
    assert not (await live.again(source)).is_pushed(live.clock.now()), "it has told of nothing yet"

    live.hub.feed = json_feed("old", "told by the hub")
    assert await live.hub.publish(live.hub.feed) == 202
    await live.receiver.idle()
    assert await live.titles(source) == ["told by the hub", "old"]
    async with live.store.write() as work:
        (delivery,) = await work.outbox.claim("fake", live.clock.now(), 9, 1)
    assert delivery.chat.id == chat.id
    # From now on polls only make sure that nothing was missed.
    polled = (await live.ingest.poll(await live.again(source))).source
    assert polled.next_poll_at is not None
    assert polled.next_poll_at - live.clock.now() >= PUSHED_WAIT
    live.clock.advance(10.1 * DAY)
    polled = (await live.ingest.poll(await live.again(source))).source
    assert polled.next_poll_at is not None
    assert polled.next_poll_at - live.clock.now() < PUSHED_WAIT, "the lease has ended"


async def test_every_signature_of_the_recommendation_is_taken(live: Live) -> None:
    source = await live.subscribed()
    for method in ("sha1", "sha256", "sha384", "sha512"):
        assert await live.hub.publish(json_feed("old", f"by {method}"), method=method) == 202
        await live.receiver.idle()
        assert (await live.titles(source))[0] == f"by {method}"


async def test_what_is_not_signed_with_the_secret_changes_nothing(live: Live) -> None:
    source = await live.subscribed()
    (callback,) = live.hub.subscribed
    body = json_feed("old", "forged")
    assert await live.hub.publish(body, secret="guessed") == 404
    assert await live.hub.publish(body, callback=f"{PUBLIC}/websub/{'0' * 32}", secret="x") == 404
    for signature in ("", "sha256=", "md5=" + "0" * 32, "sha256=" + "0" * 64, "sha256=" + "é" * 64):
        answer = await live.hub.call("POST", callback, data=body, headers={"X-Hub-Signature": signature})
        assert answer[0] == 404
    assert await live.titles(source) == ["old"]


async def test_a_repeated_or_older_body_changes_nothing(live: Live) -> None:
    source = await live.subscribed()
    first, second = json_feed("old", "one"), json_feed("old", "one", "two")
    for body in (first, second, first, second):
        assert await live.hub.publish(body) == 202
        await live.receiver.idle()
    async with live.store.read() as work:
        assert await work.sources.get(source.id)
    writes = live.store.writes
    assert await live.hub.publish(first) == 202
    await live.receiver.idle()
    assert live.store.writes == writes
    assert await live.titles(source) == ["two", "one", "old"]


async def test_a_lease_is_renewed_before_it_ends(live: Live) -> None:
    source = await live.subscribed()
    await live.ticked()
    assert len(live.hub.asked) == 1
    live.clock.advance(7.5 * DAY)
    await live.ticked()
    first, again = live.hub.asked
    assert (first["hub.callback"], first["hub.secret"]) == (again["hub.callback"], again["hub.secret"])
    push = await live.push(source)
    assert push.state is PushState.ACTIVE and push.lease_until == live.clock.now() + timedelta(days=10)


async def test_a_renewal_that_fails_keeps_the_lease_until_its_end(live: Live) -> None:
    source = await live.subscribed()
    live.hub.status = 500
    live.hub.verifies = 0
    live.clock.advance(7.5 * DAY)
    await live.ticked()
    push = await live.push(source)
    assert push.state is PushState.RENEWING and "answered 500" in push.reason
    assert await live.hub.publish(json_feed("old", "new")) == 202
    live.clock.advance(2.6 * DAY)
    await live.ticked()
    assert (await live.push(source)).state is PushState.ASKED
    assert await live.hub.publish(json_feed("old", "late")) == 404
    live.hub.status, live.hub.verifies = 202, 1
    live.clock.advance(DAY)
    await live.ticked()
    push = await live.push(source)
    assert (push.state, push.reason, push.failures) == (PushState.ACTIVE, "", 0)


async def test_a_lease_stays_within_bounds(live: Live) -> None:
    source = await live.subscribed()
    for says, lease in (
        ("1", LEAST),
        ("999999999999", MOST),
        ("-5", LEAST),
        ("soon", LEAST),
        ("", LEAST),
        ("7200", 2 * LEAST),
    ):
        live.hub.lease = says
        live.clock.advance(MOST.total_seconds())  # whatever there was has ended
        await live.ticked()
        push, now = await live.push(source), live.clock.now()
        assert push.lease_until == now + lease, says
        assert push.next_at is not None and now + lease / 2 < push.next_at < push.lease_until, says


async def test_a_hub_that_never_verifies_is_asked_less_and_less(live: Live) -> None:
    live.hub.verifies = 0
    source = await live.subscribed()
    for _ in range(4 * 24):
        live.clock.advance(DAY / 24)
        await live.ticked()
    assert len(live.hub.asked) == 8  # after 1, 2, 4, 8 and 16 hours, then each day
    push = await live.push(source)
    assert push.word == f"push failing: {NOT_VERIFIED}"
    assert not (await live.again(source)).is_pushed(live.clock.now())


async def test_only_what_was_asked_for_is_verified(live: Live) -> None:
    source = await live.source()
    for lie in (
        {"hub.topic": "https://example.org/other"},
        {"hub.mode": "unsubscribe"},
        {"hub.mode": "publish"},
        {"hub.challenge": ""},
        {"hub.challenge": "x" * 2000},
    ):
        live.hub.says = lie
        live.clock.advance(DAY)
        await live.ticked()
        assert [status for status, _ in live.hub.answers] == [404], lie
        assert (await live.push(source)).state is PushState.ASKED
        live.hub.answers.clear()


async def test_a_second_verification_changes_nothing(live: Live) -> None:
    live.hub.verifies = 2
    source = await live.subscribed()
    push = await live.push(source)
    live.clock.advance(60)
    question = {"hub.mode": "subscribe", "hub.topic": live.hub.topic, "hub.challenge": "again"}
    (callback,) = live.hub.subscribed
    assert await live.hub.ask(callback, **question, **{"hub.lease_seconds": "99999999"}) == (200, "again")
    assert await live.push(source) == push
    assert (await live.hub.ask(callback, **(question | {"hub.mode": "unsubscribe"})))[0] == 404


async def test_a_denial_is_kept_and_the_hub_is_asked_again_after_a_week(live: Live) -> None:
    source = await live.subscribed()
    (callback,) = live.hub.subscribed
    denied = {"hub.mode": "denied", "hub.topic": live.hub.topic, "hub.reason": "over\x00 quota"}
    assert (await live.hub.ask(callback, **(denied | {"hub.topic": "https://example.org/"})))[0] == 404
    assert (await live.hub.ask(callback, **denied))[0] == 200
    assert (await live.push(source)).word == "push failing: the hub denied the subscription: over quota"
    assert await live.hub.publish(json_feed("old", "new")) == 404
    live.clock.advance(8 * DAY)
    await live.ticked()
    assert (await live.push(source)).word == "push"


async def test_a_read_that_finds_what_the_hub_did_not_tell_ends_the_trust(live: Live) -> None:
    source = await live.subscribed()
    assert await live.hub.publish(json_feed("old", "told")) == 202
    await live.receiver.idle()
    assert (await live.again(source)).is_pushed(live.clock.now())
    live.hub.feed = json_feed("old", "told", "untold")
    await live.ingest.poll(await live.again(source))
    assert not (await live.again(source)).is_pushed(live.clock.now())
    assert (await live.push(source)).word == f"push failing: {NOT_TOLD}"
    assert await live.hub.publish(live.hub.feed) == 202
    await live.receiver.idle()
    assert not (await live.again(source)).is_pushed(live.clock.now()), "it has told of nothing new"
    assert await live.hub.publish(json_feed("old", "told", "untold", "told again")) == 202
    await live.receiver.idle()
    assert (await live.again(source)).is_pushed(live.clock.now())
    assert (await live.push(source)).word == "push"


async def test_a_source_that_is_paused_or_removed_is_unsubscribed(live: Live) -> None:
    source = await live.subscribed()
    async with live.store.write() as work:
        await work.sources.set_state(source.id, SourceState.PAUSED)
        await work.commit()
    await live.ticked()
    assert live.hub.asked[-1]["hub.mode"] == "unsubscribe" and live.hub.subscribed == {}
    assert (await live.push(source)).state is PushState.ENDED
    async with live.store.write() as work:
        await work.sources.set_state(source.id, SourceState.ACTIVE)
        await work.commit()
    await live.ticked()
    assert len(live.hub.subscribed) == 1
    await sources.remove(live.store, COMMAND_LINE, source.id, live.clock.now())
    assert await live.hub.publish(json_feed("old", "late")) == 404
    await live.ticked()
    assert live.hub.subscribed == {}
    async with live.store.read() as work:
        assert await work.pushes.all() == []


async def test_a_hub_that_does_not_verify_the_end_is_forgotten_after_a_day(live: Live) -> None:
    source = await live.subscribed()
    live.hub.verifies = 0
    await sources.remove(live.store, COMMAND_LINE, source.id, live.clock.now())
    for _ in range(3):
        await live.ticked()
        live.clock.advance(DAY)
    async with live.store.read() as work:
        assert await work.pushes.all() == []
    assert [asked["hub.mode"] for asked in live.hub.asked] == ["subscribe", "unsubscribe"]


async def test_a_source_that_names_another_hub_leaves_the_first(live: Live) -> None:
    source = await live.subscribed()
    before = await live.push(source)
    live.hub.names_hub = False
    live.hub.feed = json_feed("old", "new")
    await live.ingest.poll(await live.again(source))
    await live.ticked()
    async with live.store.read() as work:
        assert await work.pushes.all() == []
    live.hub.names_hub = True
    await live.ingest.poll(await live.again(source))
    await live.ticked()
    now = await live.push(source)
    assert now.state is PushState.ACTIVE and now.token != before.token and now.secret != before.secret


@pytest.mark.parametrize("redirected", [False, True])
async def test_a_hub_inside_gets_no_request(live: Live, redirected: bool) -> None:
    source = await live.source()
    inside = f"{live.hub.inside}/hub"
    if redirected:
        live.hub.redirect = inside
    async with live.store.write() as work:
        push = await live.push(source)
        await work.pushes.save(push if redirected else replace(push, hub=inside))
        await work.commit()
    outside = HttpFetcher([ip_network("127.0.0.1/32")])
    live.hubs = live.subscriber(outside)
    await live.ticked()
    await outside.close()
    assert live.hub.asked == []
    assert "127.0.0.2 is not a public address" in (await live.push(source)).reason


async def test_without_a_public_url_no_hub_is_asked(live: Live) -> None:
    source = await live.subscribed()
    assert await live.hub.publish(json_feed("old", "told")) == 202
    await live.receiver.idle()
    live.public_url = ""
    hubs = live.subscriber(live.fetcher)
    await hubs.run_due()
    await hubs.noticed(source, Hints(None, f"{live.hub.url}/hub", live.hub.topic), whole=True)
    async with live.store.read() as work:
        assert await work.pushes.all() == []
    assert len(live.hub.asked) == 1 and not (await live.again(source)).is_pushed(live.clock.now())


async def test_the_content_of_another_topic_is_left_out(live: Live) -> None:
    source = await live.subscribed()
    other = json.loads(json_feed("old", "of another site")) | {"feed_url": "https://other.example.org/feed"}
    assert await live.hub.publish(json.dumps(other).encode()) == 202
    await live.receiver.idle()
    assert await live.titles(source) == ["old"]
    same = json.loads(json_feed("old", "its own")) | {"feed_url": f"{live.hub.topic}/"}
    assert await live.hub.publish(json.dumps(same).encode()) == 202
    await live.receiver.idle()
    assert await live.titles(source) == ["its own", "old"]


async def test_a_hub_that_the_feed_itself_names_is_asked_after_the_first_read(live: Live) -> None:
    named = {"feed_url": live.hub.topic, "hubs": [{"type": "WebSub", "url": f"{live.hub.url}/hub"}]}
    live.hub.feed = json.dumps(json.loads(json_feed("old")) | named).encode()
    await live.ingest.add(live.hub.topic, Visibility.PUBLIC)
    await live.ticked()
    assert len(live.hub.asked) == 1


async def test_a_push_during_a_read_brings_no_post_twice(live: Live) -> None:
    source = await live.subscribed()
    live.hub.feed = json_feed("old", *(f"post {n}" for n in range(9)))
    read, sent = await asyncio.gather(
        live.ingest.poll(source), live.ingest.take(source, live.hub.feed, "application/feed+json")
    )
    assert (read.error, {read.new, sent.new}) == ("", {9, 0})


async def test_an_address_with_a_secret_is_told_to_no_hub(live: Live) -> None:
    source = await live.source()
    hub = Hints(None, f"{live.hub.url}/hub", "")
    secret = replace(source, id=source.id, url=f"{live.hub.topic}?key=hunter2")
    await live.hubs.noticed(secret, hub, whole=True)
    await live.ticked()
    assert "hunter2" not in repr(live.hub.asked)
