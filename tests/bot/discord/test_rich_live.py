"""Components V2 and threads on a real connection."""

from datetime import timedelta
from pathlib import Path

import pytest

from content.document import Divider, Document, Heading, Image, Paragraph, text
from scheduler.errors import ContentRejected
from scheduler.ports import HasRichForm
from scheduler.types import Form, Message, Sent
from tests.bot.discord.live import SEND, Live, live, text_of
from tests.bot.discord.test_sending import LONG
from tests.e2e.program import item
from tests.emulators.discord import Channel, DiscordEmulator, Guild
from tests.emulators.discord.console import shown_component
from tests.emulators.discord.faults import answers, delivered_then_dropped, invalid_form, refused, too_many
from tests.emulators.discord.layout import pictures
from tests.emulators.discord.types import COMPONENTS_V2, Json, walk

THREADS = "POST /channels/{channel}/messages/{message}/threads"
CAT = "https://example.org/cat.png"
LATE = timedelta(minutes=5)  # when Discord has forgotten a nonce


def document(body: str) -> Document:
    return Document(
        (Heading(text("Cats")), Image(CAT, "a cat"), Paragraph(text(body)), Divider(), Image(CAT), Image(CAT))
    )


def one(sky: Live, body: str) -> Message:
    (message,) = sky.adapter.render(document(body), Form.RICH)
    return message


async def test_components_arrive_and_are_found_again(
    dc: DiscordEmulator, sky: Live, club: Guild, news: Channel
) -> None:
    assert isinstance(sky.adapter, HasRichForm)
    chat, forum = await sky.follow(news), await sky.follow(dc.forum(club, "updates"))
    assert sky.adapter.prefers_rich(document("x"), chat)
    cats, dogs = one(sky, "cats @everyone"), one(sky, "dogs")
    sent = await sky.adapter.send(chat, cats, key="k1")
    assert await sky.adapter.send(chat, cats, key="k1") == sent
    (shown,) = dc.messages(news)
    assert shown.flags == COMPONENTS_V2 and not shown.pings and not (shown.content or shown.embeds)
    assert [*map(shown_component, shown.components)] == [*map(shown_component, cats.payload["components"])]

    before = sky.clock.now() - LATE
    assert await sky.adapter.recall(chat, cats, before) == sent
    assert await sky.adapter.recall(chat, dogs, before) is None
    opened = await sky.adapter.send(forum, cats, key="k2")
    assert opened.opened and dc.channel(int(opened.address)).name == "Cats"
    assert await sky.adapter.recall(forum, cats, before) == opened
    assert await sky.adapter.recall(forum, dogs, before) is None

    for at, place in ((sent, news), (opened, dc.channel(int(opened.address)))):
        await sky.adapter.rewrite(at, dogs)
        (edited,) = dc.messages(place)
        assert "dogs" in text_of(edited) and edited.flags == COMPONENTS_V2 and len(edited.history) == 1

    wrong = {"_errors": [{"code": "URL_TYPE_INVALID_URL", "message": "Not a well formed URL."}]}
    media: Json = {"components": {"0": {"components": {"1": {"items": {"0": {"media": {"url": wrong}}}}}}}}
    dc.faults.add(answers(invalid_form(media)), SEND, news.id)
    with pytest.raises(ContentRejected) as error:
        await sky.adapter.send(chat, dogs, key="k3")
    assert error.value.plainer(Form.RICH) is Form.RICH_TEXT


async def test_a_long_article_arrives_to_its_last_word(sky: Live, news: Channel) -> None:
    known = await sky.follow(news)
    await sky.write(
        "UPDATE chats SET choices = ? WHERE id = ?", '{"detail": "full", "author": true}', known.id
    )
    words = [[f"word{part}x{n}" for n in range(130)] for part in range(8)]
    html = "".join(
        f"<h2>Part {n}</h2><p>{' '.join(part)}</p><img src='{CAT}'>" for n, part in enumerate(words)
    )
    assert len(html) > 9000
    await sky.publish(item("cats", content_html=html, authors=[{"name": "Ann"}]))
    assert await sky.ended(news) == ["sent"]
    messages = sky.dc.messages(news)
    shown = " ".join(map(text_of, messages)).split()
    assert set(shown) >= {word for part in words for word in part}
    assert {message.flags for message in messages} == {COMPONENTS_V2} and len(messages) > 1
    assert sum(1 for _ in pictures(walk([*messages[0].components, *messages[1].components]))) > 1
    assert "Ann" in shown


async def test_long_posts_go_on_in_a_thread_where_that_is_wanted(
    dc: DiscordEmulator, club: Guild, news: Channel, folder: Path
) -> None:
    lost, denied, limited = (dc.text(club, name) for name in ("lost", "denied", "limited"))
    loud, forum = dc.announcement(club, "loud"), dc.forum(club, "updates")
    inside = dc.thread(news, "a thread")
    async with live(dc, folder) as sky:
        places = (news, lost, denied, limited, loud, forum, inside)
        for place in places:
            known = await sky.follow(place)
            await sky.write("UPDATE chats SET choices = '{\"threads\": true}' WHERE id = ?", known.id)
            if place is loud:
                await sky.write("UPDATE chats SET crosspost = 1 WHERE id = ?", known.id)
        dc.faults.add(delivered_then_dropped(), THREADS, lost.id)
        dc.faults.add(refused(50013), THREADS, denied.id)
        dc.faults.add(answers(too_many(300)), THREADS, limited.id)
        await sky.publish(*(item(f"n{number}", content_html=LONG) for number in range(20)))
        for place in places:
            assert await sky.ended_at_last(place) == ["sent"]
        counts = [len(dc.messages(place)) for place in (news, lost, denied, limited, loud, inside)]
        assert counts == [1, 1, 2, 2, 2, 2]
        threads = [thread for thread in club.threads.values() if thread.owner_id == dc.world.bot.id]
        assert [thread.parent for thread in threads].count(news) == 1
        assert [len(dc.messages(thread)) for thread in threads if thread.parent in (news, lost)] == [1, 1]
        whole = [text_of(message) for message in dc.messages(denied)]
        (thread,) = (one for one in threads if one.parent is news)
        assert [text_of(m) for m in (*dc.messages(news), *dc.messages(thread))] == whole
        asked = {request.channel_id for request in dc.requests(*THREADS.split(" "))}
        assert asked == {str(place.id) for place in (news, lost, denied, limited)}
        assert thread.name and all(message.flags & 1 for message in dc.messages(loud))

        changed = Message({"content": "corrected", "embeds": [], "title": "x"})
        await sky.adapter.rewrite(Sent(str(thread.id), (str(thread.id),), opened=True), changed)
        assert [message.content for message in dc.messages(news)] == ["corrected"]

        await sky.publish("short")
        assert await sky.ended_at_last(news) == ["sent", "sent"]
        assert len(dc.messages(news)) == 2
