"""apprise as it is, on a web hook and a mail server: what arrives, and what is made of a no."""

import logging
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

import pytest

from bot.loading import load_settings
from bot.logs import configure
from bot.platforms.apprise.sender import AppriseSender
from content.document import Block, Document, Heading, Link, Paragraph, Text
from content.errors import SettingsError
from scheduler.errors import Ambiguous, ChatPaused, Refused
from scheduler.events import hand_over
from scheduler.types import Chat, ChatKind, Digest, Form, PartState, Place
from tests.bot.apprise.servers import Hook, MailServer
from tests.bot.live import Deployment
from tests.builders import with_digest
from tests.e2e.program import FeedServer

TEAM = Place("apprise", "team")
CHAT = Chat(1, TEAM, kind=ChatKind.CHANNEL)
SECRETS = ("hook-user", "hook-password", "hook-path", "hook-token")


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    async with Hook().serving() as serving:
        yield serving


@pytest.fixture
async def mail() -> AsyncIterator[MailServer]:
    async with MailServer().serving() as serving:
        yield serving


@asynccontextmanager
async def running(url: str, database_url: str) -> AsyncIterator[Deployment[Place]]:
    """Skywave with one chat, which follows everything; its feed has one old post."""
    settings = load_settings(
        database_url=database_url, poll_interval=3600, allowed_networks="127.0.0.0/8", telegram_token=""
    )
    async with FeedServer().serving() as feeds:
        senders = partial(AppriseSender, {TEAM.address: url})
        sky = Deployment[Place](feeds, settings, lambda: [senders()])
        await sky.open()
        try:
            await sky.begin()
            await sky.subscribe(TEAM, ChatKind.CHANNEL)
            sky.start()
            yield sky
        finally:
            await sky.close()


def document(*texts: str) -> Document:
    blocks: tuple[Block, ...] = (Heading((Text("News"),), 1), *(Paragraph((Text(text),)) for text in texts))
    return Document(blocks, carried=tuple((number,) for number in range(len(blocks))))


async def test_a_post_goes_out_once_and_is_in_the_ledger(hook: Hook, url_with_feed: str) -> None:
    async with running(hook.url, url_with_feed) as sky:
        await sky.publish("new")
        assert await sky.ended(TEAM) == ["sent"]
        assert sky.ledger(TEAM) == {"Post new": "sent"}
    (arrived,) = hook.arrived
    assert arrived["title"] == "Post new"
    assert arrived["message"].startswith("Post new (https://example.org/new)\n")
    assert "The text of new." in arrived["message"]


async def test_a_digest_is_a_mail_like_any_other(mail: MailServer, url_with_feed: str) -> None:
    async with running(mail.url, url_with_feed) as sky:
        chat, later = await sky.known(TEAM), sky.clock.now() + timedelta(hours=1)
        async with sky.app.store.write() as work:
            await with_digest(work, Digest(0, chat.id, "daily 08:00", "UTC", later, title="Radio notes"))
            await work.commit()
        await sky.publish("one", "two")
        sky.skip(timedelta(days=1).total_seconds())
        await sky.app.digests.run_due()
        assert await sky.ended(TEAM) == ["sent"]
        assert sky.ledger(TEAM) == {"Post one": "sent", "Post two": "sent"}
    (arrived,) = mail.arrived
    shown = arrived.get_content()
    assert arrived["Subject"] == sky.settings.banner and "Radio notes" in shown
    assert "https://example.org/one" in shown and "https://example.org/two" in shown


async def test_a_no_is_an_unknown_outcome_and_is_tried_again(hook: Hook, url_with_feed: str) -> None:
    hook.statuses = [500, 503]
    async with running(hook.url, url_with_feed) as sky:
        await sky.publish("new")
        assert await sky.ended_at_last(TEAM) == ["sent"]
        assert sky.read("SELECT unknowns FROM delivery_parts") == [(2,)]
        assert sky.ledger(TEAM) == {"Post new": "sent"}
    assert len(hook.arrived) == 3  # the service that said no twice may have shown it all the same


async def test_a_chat_that_holds_what_is_unknown_gets_it_once(hook: Hook, url_with_feed: str) -> None:
    hook.statuses = [500]
    async with running(hook.url, url_with_feed) as sky:
        await sky.write("UPDATE chats SET on_unknown = 'hold'")
        await sky.publish("new")
        assert await sky.ended(TEAM) == ["held"]
        assert await sky.parts(TEAM) == [PartState.UNKNOWN]
    assert len(hook.arrived) == 1


def mail_document() -> Document:
    link = Link("https://example.org/a", (Text("a & *b*"),))
    return Document((Heading((Text("News <b>"),), 1), Paragraph((link,))))


async def test_a_mail_is_plain_text(mail: MailServer) -> None:
    sender = AppriseSender({"team": mail.url})
    (message,) = sender.render(mail_document(), Form.FULL)
    assert (await sender.send(CHAT, message, key="k")).address == "team"
    (arrived,) = mail.arrived
    assert (arrived["Subject"], arrived["To"]) == ("News <b>", "team@example.org")
    assert arrived.get_content_type() == "text/plain"
    assert arrived.get_content().split() == ["News", "<b>", "a", "&", "*b*", "(https://example.org/a)"]


async def test_in_a_mail_that_is_html_a_post_is_text_all_the_same(mail: MailServer) -> None:
    sender = AppriseSender({"team": f"{mail.url}&format=html"})
    (message,) = sender.render(mail_document(), Form.FULL)
    await sender.send(CHAT, message, key="k")
    html = mail.arrived[0].get_body(("html",))
    assert html is not None
    shown = html.get_content()
    assert "&lt;b&gt;" in shown and "https://example.org/a" in shown and "<b>" not in shown


async def test_a_mail_server_that_refuses_is_a_no(mail: MailServer) -> None:
    mail.refuses = True
    sender = AppriseSender({"team": mail.url})
    (message,) = sender.render(document("hello"), Form.FULL)
    with pytest.raises(Ambiguous, match="not confirmed"):
        await sender.send(CHAT, message, key="k")


async def test_what_is_not_confirmed_in_time_is_unknown_and_nothing_overtakes_it(hook: Hook) -> None:
    hook.free.clear()
    sender = AppriseSender({"team": hook.url}, timeout=0.05)
    (message,) = sender.render(document("hello"), Form.FULL)
    before = set(threading.enumerate())
    with pytest.raises(Ambiguous, match="not confirmed within"):
        await sender.send(CHAT, message, key="k")
    left = set(threading.enumerate()) - before
    # At its end the process waits for the threads of pools, and for those that are not daemons.
    assert [(thread.name, thread.daemon) for thread in left] == [("apprise", True)]
    with pytest.raises(Refused, match="has not ended"):
        await sender.send(CHAT, message, key="k")


async def test_a_server_that_is_away_is_a_no() -> None:
    sender = AppriseSender({"team": "json://127.0.0.1:1/"})
    (message,) = sender.render(document("hello"), Form.FULL)
    with pytest.raises(Ambiguous, match="not confirmed"):
        await sender.send(CHAT, message, key="k")


async def test_a_name_without_a_url_is_paused_until_it_has_one(hook: Hook) -> None:
    sender = AppriseSender({"other": hook.url})
    (message,) = sender.render(document("hello"), Form.FULL)
    with pytest.raises(ChatPaused, match="add team to SKYWAVE_APPRISE_URLS"):
        await sender.send(CHAT, message, key="k")


@pytest.mark.parametrize("url", ["no-such-service://hook-token", "discord://hook-token"])
def test_a_url_that_apprise_cannot_use_is_named_and_not_shown(url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        AppriseSender({"team": url})
    assert "the URL of team" in str(caught.value) and "hook-token" not in str(caught.value)


def test_messages_are_as_long_as_the_strictest_service_takes() -> None:
    texts = [f"{number} {'word ' * 300}".strip() for number in range(10)]
    alone = AppriseSender({"a": "json://127.0.0.1/"}).render(document(*texts), Form.FULL)
    assert len(alone) == 1 and alone[0].posts == tuple(range(11))
    strict = {"a": "json://127.0.0.1/", "b": "discord://123456789012345678/abcdefghij"}
    parts = AppriseSender(strict).render(document(*texts), Form.FULL)
    assert all(len(part.payload["text"]) <= 1900 for part in parts)
    assert [post for part in parts for post in part.posts] == list(range(11))


def test_nobody_is_mentioned_and_nothing_is_empty() -> None:
    sender = AppriseSender({"a": "json://127.0.0.1/"})
    (message,) = sender.render(document("hello @everyone, ask me@example.org"), Form.FULL)
    assert "@\u2060everyone" in message.payload["text"] and "me@example.org" in message.payload["text"]
    (empty,) = sender.render(Document((Paragraph((Text(" "),)),)), Form.FULL)
    assert empty.payload == {"title": "…", "text": "…"}


@pytest.fixture
def logging_as_it_is() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    hand_over()


@pytest.mark.usefixtures("logging_as_it_is")
async def test_no_piece_of_a_url_is_logged(hook: Hook, capsys: pytest.CaptureFixture[str]) -> None:
    configure("json", [], level="DEBUG")
    sender = AppriseSender({"team": hook.url})
    (message,) = sender.render(document("hello"), Form.FULL)
    hook.statuses = [500]
    with pytest.raises(Ambiguous) as caught:
        await sender.send(CHAT, message, key="k")
    away = AppriseSender({"team": hook.url.replace(hook.address, "127.0.0.1:1")})
    with pytest.raises(Ambiguous):
        await away.send(CHAT, message, key="k")
    told = "".join(capsys.readouterr()) + str(caught.value)
    assert not [secret for secret in (*SECRETS, "127.0.0.1") if secret in told]
