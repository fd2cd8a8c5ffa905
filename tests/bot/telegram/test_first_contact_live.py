"""First contact on Telegram: with the real client library, from the arrival to the first digest."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest_asyncio

from bot.commands.welcome import payload_of
from bot.platforms.roles import KEPT
from bot.platforms.telegram.adapter import TelegramAdapter
from bot.platforms.telegram.arrivals import TOGETHER
from tests.bot.telegram.live import Live, live
from tests.bot.transcripts import ThatDay, Transcript
from tests.e2e.program import item, json_feed
from tests.emulators.sites import alternate, page
from tests.emulators.telegram import Chat, Message, TelegramEmulator, User

HERE = Path(__file__).parent


class Story:
    """A chat as its people see it, written down."""

    def __init__(self, tg: TelegramEmulator, chat: Chat, name: str) -> None:
        self.tg, self.chat, self.transcript = tg, chat, Transcript(HERE / name)

    async def sees(self) -> Message:
        """The bot's first message in the chat, once there is one."""
        message = await self.tg.wait_for(lambda: next(iter(self.tg.messages(self.chat)), None))
        self.saw(message)
        return message

    async def press(self, label: str, by: User) -> Message:
        """Press a button of the newest message, and see what it has become."""
        before = self.tg.messages(self.chat)[-1]
        self.transcript.did(f"{by.name} presses [{label}]")
        self.tg.press(before, label, by=by)

        def changed() -> Message | None:
            after = self.tg.messages(self.chat)[-1]
            return after if after != before else None

        after = await self.tg.wait_for(changed)
        assert after.message_id == before.message_id
        self.saw(after)
        return after

    async def alerted(self, label: str, by: User) -> str:
        """Press a button in vain, and see the alert."""
        self.transcript.did(f"{by.name} presses [{label}]")
        pressed = self.tg.press(self.chat, label, by=by)
        answer = await self.tg.wait_for(lambda: self.tg.answer_to(pressed))
        assert answer.show_alert
        self.transcript.saw(f"({by.name} alone:) {answer.text}")
        return answer.text

    def saw(self, message: Message) -> None:
        rows = [[str(button["text"]) for button in row] for row in message.buttons]
        self.transcript.saw(message.text, rows)


@pytest_asyncio.fixture
async def sky(tg: TelegramEmulator, empty_folder: Path) -> AsyncIterator[Live]:
    async with live(tg, empty_folder, clock=ThatDay()) as running:
        yield running


async def test_three_presses_give_a_group_its_digest(tg: TelegramEmulator, sky: Live) -> None:
    wei, bob = tg.user("Wei", language="zh"), tg.user("Bob")
    group = tg.supergroup("Radio club", owner=wei, bot="left")
    story = Story(tg, group, "first_contact.txt")
    story.transcript.did("Wei adds the bot to “Radio club”")
    tg.add_bot(group, by=wei)
    await story.sees()
    assert "只有管理员" in await story.alerted("Radio notes", bob)
    await story.press("Radio notes", wei)
    await story.press("每天", wei)
    await story.press("09:00", wei)
    assert [(await sky.known(group)).title, (await sky.known(group)).language] == ["Radio club", "zh"]
    async with sky.app.store.read() as work:
        (digest,) = await work.digests.all()
    assert (digest.recurrence, digest.chat_id) == ("daily 09:00", (await sky.known(group)).id)
    # Bob is asked about at one press, Wei at the first of three.
    assert len(tg.requests("getChatMember")) == 2
    story.transcript.did("Wei removes the bot, and adds it again")
    before = len(tg.messages(group))
    tg.kick_bot(group, by=wei)
    await sky.is_in(group, "gone")
    tg.add_bot(group, by=wei)
    back = await tg.wait_for(lambda: tg.messages(group)[before:] or None)
    story.transcript.saw(back[0].text, [back[0].labels])
    await sky.barrier()
    assert len(tg.messages(group)) == before + 1
    story.transcript.compare()


async def test_a_link_adds_the_bot_and_carries_a_source_along(tg: TelegramEmulator, sky: Live) -> None:
    """The app tells of the arrival and sends /start: there is one greeting, which asks how often."""
    async with sky.app.store.read() as work:
        (source,) = await work.sources.all()
    carrying, plain = tg.supergroup("Carrying", bot="left"), tg.supergroup("Plain", bot="left")
    tg.add_by_link(carrying, payload_of(source))
    tg.add_by_link(plain)
    greeting = await tg.wait_for(lambda: [m for m in tg.messages(carrying) if "At once" in m.labels] or None)
    assert greeting[0].text.splitlines()[-1] == "Radio notes: how often should new posts arrive?"
    ann = tg.user("Ann")
    tg.follow_link(ann, payload_of(source))
    alone = await tg.wait_for(lambda: tg.messages(tg.private(ann)) or None)
    assert "At once" in alone[0].labels
    await sky.barrier()
    assert [len(tg.messages(chat)) for chat in (carrying, plain)] == [1, 1]
    (adapter,) = sky.senders()
    assert isinstance(adapter, TelegramAdapter)
    links = dict(await adapter.invitations(payload_of(source)))
    await adapter.close()
    assert links["to start in private"] == f"https://t.me/{tg.bot.username}?start={payload_of(source)}"
    assert links["to add it to a group"] == f"https://t.me/{tg.bot.username}?startgroup={payload_of(source)}"
    # Later, /start is a command like any other.
    sky.clock.skip(TOGETHER)
    await sky.answer(plain, "/start")


async def test_an_address_pasted_in_private_is_followed_at_a_press(
    tg: TelegramEmulator, folder: Path
) -> None:
    ann, path = tg.private(tg.user("Ann")), "/a-long-way" * 20  # far longer than a button's data
    async with live(tg, folder, operators=f"telegram:{ann.id}") as sky:
        sky.feeds.documents[path] = json_feed(item("old"), title="Long")
        tg.say(ann, "good morning")
        asked = await sky.answer(ann, f"{sky.feeds.url}{path}")
        assert asked.text == f"Subscribe to {sky.feeds.url}{path}?"
        tg.press(asked, "Subscribe")
        done = await tg.wait_for(lambda: [m for m in tg.messages(ann) if "Daily" in m.labels] or None)
        assert done[0].message_id == asked.message_id and "now follows Long" in done[0].text
        assert len(tg.messages(ann)) == 1
        # A page with several feeds asks which, with the page as the message's link.
        sky.feeds.documents["/page"] = page(alternate("/none"), alternate(path, "All of it"))
        asked = await sky.answer(ann, f"/subscribe {sky.feeds.url}/page")
        assert asked.labels == (f"{sky.feeds.url}/none", "All of it", "Open the page")
        tg.press(asked, "All of it")
        await tg.wait_for(lambda: "already follows Long" in tg.messages(ann)[-1].text or None)


async def test_who_adds_the_bot_is_told_which_right_it_lacks(tg: TelegramEmulator, sky: Live) -> None:
    ann = tg.user("Ann")
    channel, group = tg.channel("Waves", owner=ann, bot="left"), tg.supergroup("Club", owner=ann, bot="left")
    alone = tg.private(ann)
    tg.mute_bot(channel)
    tg.add_bot(channel, admin=True)
    told = await tg.wait_for(lambda: tg.messages(alone) or None)
    assert told[0].text.startswith("⚠ Waves: the bot may not post in the channel: in the channel's settings")
    assert (await sky.is_in(channel, "paused")).reason.startswith("the bot may not post in the channel")
    tg.mute_bot(channel, muted=False)
    tg.add_bot(channel, admin=True)
    await sky.is_in(channel, "active")
    tg.mute_bot(group)
    tg.add_bot(group)
    told = await tg.wait_for(lambda: tg.messages(alone)[1:] or None)
    assert told[0].text.startswith("⚠ Club: the bot may not write in the group: in the group's settings")
    # What a command is refused for is told in the same way.
    tg.say(group, "/latest", by=ann)
    told = await tg.wait_for(lambda: tg.messages(alone)[2:] or None)
    assert "allow Send Messages" in told[0].text
    assert not tg.messages(group) and not tg.messages(channel)


async def test_a_channel_is_managed_from_the_private_chat(tg: TelegramEmulator, sky: Live) -> None:
    ann = tg.user("Ann")
    alone, channel = tg.private(ann), tg.channel("Waves", owner=ann, bot="left", username="waves")
    group = tg.supergroup("Club", owner=ann)
    story = Story(tg, alone, "from_afar.txt")
    tg.add_bot(channel, admin=True)
    await tg.wait_for(lambda: tg.messages(channel) or None)

    async def say(words: str) -> Message:
        story.transcript.did(f"{ann.name} sends {words}")
        answer = await sky.answer(alone, words)
        story.saw(answer)
        return answer

    await say("/manage @nowhere")
    await say("/manage @waves")
    await say("/start")
    await story.press("Radio notes", ann)
    await story.press("Daily", ann)
    await story.press("09:00", ann)
    async with sky.app.store.read() as work:
        (digest,) = await work.digests.all()
    assert digest.chat_id == (await sky.known(channel)).id
    # The person loses the right, and is refused as soon as it is asked for again.
    tg.promote(channel, ann, "member")
    sky.clock.skip(KEPT)
    await say("/unsubscribe")
    await say("/manage done")
    await say("/unsubscribe")
    story.transcript.compare()
    # In a channel, a command and its answer are removed; in a group they stay.
    tg.promote(channel, ann, "creator")
    await sky.stop()
    sky.stays = 0.0
    sky.start()
    before = len(tg.sent)
    said = [tg.say(channel, "/sources"), tg.say(group, "/sources", by=ann)]

    def answered(chat: Chat) -> Message | None:
        return next((message for message in tg.sent[before:] if message.chat_id == chat.id), None)

    answer, _ = [await tg.wait_for(partial(answered, chat)) for chat in (channel, group)]
    await tg.wait_for(lambda: answer.message_id not in channel.messages or None)
    assert said[0].message_id not in channel.messages and said[1].message_id in group.messages
    assert len(tg.messages(group)) == 1
