"""First contact on Discord: with the real client library, from the arrival to the first digest."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.bot.discord.live import Live, live, text_of
from tests.bot.transcripts import ThatDay, Transcript
from tests.e2e.program import item, json_feed
from tests.emulators.discord import Channel, DiscordEmulator, Message, Permission, User
from tests.emulators.sites import alternate, page

HERE = Path(__file__).parent


class Story:
    """A channel as its people see it, written down."""

    def __init__(self, sky: Live, channel: Channel, name: str) -> None:
        self.sky, self.channel, self.transcript = sky, channel, Transcript(HERE / name)

    async def sees(self, before: int = 0) -> Message:
        """The bot's first message in the channel after `before` others, once there is one."""
        new = await self.sky.dc.wait_for(lambda: self.sky.dc.messages(self.channel)[before:] or None)
        self.saw(new[0])
        return new[0]

    async def press(self, label: str, by: User) -> Message:
        """Press a button of the newest message, and see the answer or what the message has become."""
        self.transcript.did(f"{by.name} presses [{label}]")
        before = self.sky.dc.messages(self.channel)[-1]
        pressed = self.sky.dc.press(before, label, by=by)
        await self.sky.acknowledged(pressed)
        answer = self.sky.dc.answer_to(pressed) or self.sky.dc.messages(self.channel)[-1]
        assert answer.only_for or answer.id == before.id
        self.saw(answer, f"({by.name} alone:) " if answer.only_for else "")
        return answer

    def saw(self, message: Message, who: str = "") -> None:
        items = [row["components"] for row in message.components if "components" in row]
        rows = [[str(item["label"]) for item in row] for row in items if isinstance(row, list)]
        self.transcript.saw(who + text_of(message), rows)


@pytest_asyncio.fixture
async def sky(dc: DiscordEmulator, empty_folder: Path) -> AsyncIterator[Live]:
    async with live(dc, empty_folder, clock=ThatDay()) as running:
        yield running


async def test_three_presses_give_a_server_its_digest(dc: DiscordEmulator, sky: Live) -> None:
    ann, bob = dc.user("Ann"), dc.user("Bob")
    guild = dc.guild("Radio club", owner=ann, with_bot=False)
    closed, board = dc.text(guild, "closed"), dc.text(guild, "board")
    dc.join(guild, bob)
    dc.deny(closed, Permission.SEND_MESSAGES)
    story = Story(sky, board, "first_contact.txt")
    story.transcript.did("Ann adds the bot to “Radio club”")
    dc.add_bot(guild)
    await story.sees()
    assert not dc.messages(closed)
    refused = await story.press("Radio notes", bob)
    assert refused.only_for == bob.id
    await story.press("Radio notes", ann)
    await story.press("Weekdays", ann)
    await story.press("09:00", ann)
    async with sky.app.store.read() as work:
        (digest,) = await work.digests.all()
    assert (digest.recurrence, digest.chat_id) == ("weekdays 09:00", (await sky.known(board)).id)
    # What is missing where somebody asks is said there, for an answer needs no permission.
    story.transcript.did("Ann sends /start in #closed")
    told = await sky.answer(closed, "start")
    story.saw(told)
    assert "give it Send Messages (Edit Channel › Permissions)" in text_of(told)
    story.transcript.did("Ann removes the bot, and adds it again")
    before = len(dc.messages(board))
    dc.kick_bot(guild)
    await sky.is_in(board, "gone")
    dc.add_bot(guild)
    back = await story.sees(before)
    assert "The settings of this chat apply as before. It follows: Radio notes." in text_of(back)
    await sky.restart()  # which finds the server, but does not arrive there
    await sky.barrier()
    assert len(dc.messages(board)) == before + 1
    ((_, link),) = await sky.adapter.invitations("")
    assert link.startswith(f"https://discord.com/oauth2/authorize?client_id={dc.world.bot.id}&scope=bot")
    story.transcript.compare()


async def test_an_address_pasted_in_a_direct_message_is_followed_at_a_press(
    dc: DiscordEmulator, folder: Path
) -> None:
    ann, path = dc.dm(dc.user("Ann")), "/a-long-way" * 20  # far longer than a button's data
    assert ann.user is not None
    async with live(dc, folder, operators=f"discord:{ann.user.id}") as sky:
        sky.feeds.documents[path] = json_feed(item("old"), title="Long")
        dc.say(ann, "good morning")
        dc.say(ann, f"{sky.feeds.url}{path}")
        asked = (await dc.wait_for(lambda: dc.messages(ann) or None))[0]
        assert asked.labels == ("Subscribe", "Open the page")
        done = await sky.answer_to(dc.press(asked, "Subscribe"))
        assert done.id == asked.id and "now follows Long" in text_of(done)
        assert "Daily" in done.labels and len(dc.messages(ann)) == 1
        # A page with several feeds asks which, with the page as the message's link.
        sky.feeds.documents["/page"] = page(alternate("/none"), alternate(path, "All of it"))
        asked = await sky.answer(ann, "subscribe", source=f"{sky.feeds.url}/page")
        assert asked.labels == (f"{sky.feeds.url}/none", "All of it", "Open the page")
        done = await sky.answer_to(dc.press(asked, "All of it"))
        assert text_of(done).startswith("This chat already follows Long.")


async def test_a_channel_is_managed_from_a_direct_message(
    dc: DiscordEmulator, sky: Live, news: Channel
) -> None:
    assert news.guild is not None
    ann, bob = dc.user("Ann"), dc.user("Bob")
    for person in (ann, bob):
        dc.join(news.guild, person, admin=person is ann)
    alone = dc.dm(ann)
    story = Story(sky, alone, "from_afar.txt")

    async def say(by: User, name: str, **options: str) -> Message:
        typed = " ".join(f"{option}:{value}" for option, value in options.items())
        story.transcript.did(f"{by.name} sends /{name} {typed}".rstrip().replace(f"<#{news.id}>", "#news"))
        answer = await sky.answer(dc.dm(by), name, by=by, **options)
        story.saw(answer)
        return answer

    assert "There is no chat of that name" in text_of(await say(bob, "manage", chat=f"<#{news.id}>"))
    assert "#news (Club)" in text_of(await say(ann, "manage", chat=f"<#{news.id}>"))
    done = await say(ann, "subscribe", source="Radio notes")
    assert text_of(done).startswith("**▸ \\#news (Club)**") and "now follows Radio notes" in text_of(done)
    await say(ann, "subscriptions")
    async with sky.app.store.read() as work:
        (subscription,) = await work.subscriptions.all()
    assert subscription.chat_id == (await sky.known(news)).id
    # The person loses the right, and is refused as soon as it is asked for again.
    dc.join(news.guild, ann)
    await sky.restart()  # so it asks again
    assert "not an admin of that chat any more" in text_of(await say(ann, "unsubscribe"))
    await say(ann, "manage", chat="done")
    await say(ann, "unsubscribe")
    story.transcript.compare()
