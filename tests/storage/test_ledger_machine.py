"""Whatever happens in whatever order: a post reaches a chat once, is recorded as it was, and is never lost.

Hypothesis plays the sources, the people, the sender, the platform and the power cuts. What the platform was
given is remembered here; the ledger is read past the store.
"""

import asyncio
import itertools
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from content.formats import Format
from content.types import NewPost
from scheduler.actions.why import Because
from scheduler.ports import Closed, Outcome, PartEnded, Postponed
from scheduler.types import Delivery, DeliveryState, Form, Part, PartState, Sent
from tests.builders import NOW, new_post, part
from tests.conftest import EXAMPLES, open_migrated
from tests.contracts.world import World

T = TypeVar("T")

CHATS, SOURCES, KEYS = 3, 2, 6
chats, sources = st.integers(0, CHATS - 1), st.integers(0, SOURCES - 1)
scopes = st.none() | sources
# The titles of posts, by turns, and the filters that let them pass.
WORDS = "even", "odd"
endings = st.sampled_from([DeliveryState.FAILED, DeliveryState.HELD, DeliveryState.CANCELLED])

# Titles of stories that any source may tell. The first chat wants each of them once.
STORIES = "The harbour of Ostermoor burned last night", "Antenna found on the northern ridge"
stories = st.integers(0, len(STORIES) - 1)

# A reservation without an open delivery of its chat would never be sent, and would block the post.
STRANDED = """
SELECT count(*) FROM ledger LEFT JOIN deliveries
ON deliveries.id = ledger.delivery_id AND deliveries.chat_id = ledger.chat_id
AND deliveries.state IN ('pending', 'claimed')
WHERE ledger.state = 'reserved' AND deliveries.id IS NULL
"""
CROWDED = "SELECT chat_id FROM deliveries WHERE state = 'claimed' GROUP BY chat_id HAVING count(*) > 1"
# What was given up or cancelled is listed, with its reason.
EXPLAINED = """
SELECT deliveries.chat_id, posts.key FROM deliveries
JOIN broadcast_posts USING (broadcast_id) JOIN posts ON posts.id = broadcast_posts.post_id
WHERE deliveries.state = 'cancelled' AND deliveries.reason <> ''
"""

# What the ledger says of a post, in which state its delivery is, and how many open ones go before that.
PROMISED = """
SELECT ledger.state, deliveries.state, (
    SELECT count(*) FROM deliveries older WHERE older.chat_id = ledger.chat_id
    AND older.id < deliveries.id AND older.state IN ('pending', 'claimed')
) FROM ledger LEFT JOIN deliveries ON deliveries.id = ledger.delivery_id
WHERE ledger.chat_id = ? AND post_key = ?
"""
CALLED_OFF = """
SELECT count(*) FROM deliveries JOIN broadcast_posts USING (broadcast_id)
WHERE chat_id = ? AND post_id = ? AND state = 'cancelled'
"""
# Whether a chat has a story by a post of another source.
TOLD = """
SELECT count(*) FROM ledger JOIN posts ON posts.key = ledger.post_key
WHERE chat_id = ? AND state IN ('reserved', 'sent') AND title = ? AND source_id <> ?
"""
# After which post the subscription begins by which a chat follows a source: its own, else that to all.
BEGINS = """
SELECT starts_after FROM subscriptions WHERE chat_id = ? AND scope IN (?, 'all') ORDER BY scope = 'all'
"""


class Ledger(RuleBasedStateMachine):
    template: ClassVar[Path]

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        path = shutil.copy(self.template, Path(self.folder.name) / "skywave.db")
        self.runner, self.store = asyncio.Runner(), open_migrated(f"sqlite:///{path}")
        self.world = World(self.store)
        self.rows = sqlite3.connect(path, isolation_level=None)
        self.guids = itertools.count()
        self.sources = [self.run(self.world.source(str(n))) for n in range(SOURCES)]
        self.chats = [self.run(self.world.chat(str(n))) for n in range(CHATS)]
        self.follows: set[tuple[int, int | None]] = set()  # indexes of chat and source
        self.in_hand: list[Delivery] = []  # claimed by the process that lives
        self.on_the_way: list[tuple[Delivery, Part]] = []  # begun, and not yet recorded
        self.filters: dict[tuple[int, int | None], str] = {}
        self.owed: set[tuple[int, str]] = set()  # chat id and key
        # Whether the filter passed each post that a chat (by index) followed when it came.
        self.passed: dict[tuple[int, int], bool] = {}
        self.ended: list[tuple[int, int | None, str, int]] = []  # with the filter and the number for an undo
        self.confirmed: set[tuple[int, str]] = set()
        self.arrived: Counter[tuple[int, str]] = Counter()
        self.doubtful: Counter[tuple[int, str]] = Counter()

    def teardown(self) -> None:
        self.rows.close()
        self.run(self.store.close())
        self.runner.close()
        self.folder.cleanup()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def key_of(self, post: int) -> str:
        key: str = self.rows.execute("SELECT key FROM posts WHERE id = ?", (post,)).fetchone()[0]
        return key

    # Sources and people

    @initialize(follows=st.sets(st.tuples(chats, scopes), min_size=3))
    def begin_with_followers(self, follows: set[tuple[int, int | None]]) -> None:
        self.run(self.wants_once())
        for chat, scope in sorted(follows, key=str):
            self.follow(chat, scope)

    async def wants_once(self) -> None:
        async with self.store.write() as work:
            await work.chats.set_choices(self.chats[0].id, Format(once=True))
            await work.commit()

    @rule(source=sources, story=stories)
    def a_story_is_told(self, source: int, story: int) -> None:
        title, number = STORIES[story], self.sources[source].id
        place = (self.chats[0].id, title, number)
        self.arrive(
            source,
            [new_post(str(next(self.guids)), title=title)],
            self.rows.execute(TOLD, place).fetchone() != (0,),
        )

    @rule(source=sources, keys=st.lists(st.integers(0, KEYS - 1), min_size=1, max_size=3))
    def posts_arrive(self, source: int, keys: list[int]) -> None:
        posts = [new_post(str(next(self.guids)), key=str(key), title=WORDS[key % 2]) for key in keys]
        self.arrive(source, posts)

    def arrive(self, source: int, posts: list[NewPost], told: bool = False) -> None:
        """`told`: the first chat has their story already."""
        ids = self.run(self.world.publish(self.sources[source], *posts))
        for chat in range(CHATS):
            scope = source if (chat, source) in self.follows else None
            if (chat, scope) in self.follows:
                wanted = self.filters.get((chat, scope), "")
                if not (told and chat == 0):
                    self.owed |= {
                        (self.chats[chat].id, post.key) for post in posts if wanted in ("", post.title)
                    }
                for post_id, post in zip(ids, posts, strict=True):
                    self.passed[chat, post_id] = wanted in ("", post.title)

    @rule(key=st.integers(0, KEYS - 1))
    def a_post_comes_from_every_source(self, key: int) -> None:
        for source in range(SOURCES):
            self.posts_arrive(source, [key])

    @rule(chat=chats, scope=scopes)
    def follow(self, chat: int, scope: int | None) -> None:
        source = None if scope is None else self.sources[scope]
        assert self.run(self.world.follow(self.chats[chat], source)) == ((chat, scope) not in self.follows)
        self.follows.add((chat, scope))

    @precondition(lambda self: self.follows)
    @rule(data=st.data(), wanted=st.sampled_from(("", *WORDS)))
    def filter(self, data: st.DataObject, wanted: str) -> None:
        chat, scope = data.draw(st.sampled_from(sorted(self.follows, key=str)))
        source = None if scope is None else self.sources[scope]
        self.run(self.world.filter(self.chats[chat], source, wanted or None))
        self.filters[chat, scope] = wanted
        self.ask_why()  # what was decided before stays so

    @precondition(lambda self: self.follows)
    @rule(data=st.data())
    def unfollow(self, data: st.DataObject) -> None:
        chat, scope = data.draw(st.sampled_from(sorted(self.follows, key=str)))
        self.follows.remove((chat, scope))
        wanted = self.filters.pop((chat, scope), "")
        source = None if scope is None else self.sources[scope]

        async def remove() -> int:
            async with self.store.write() as work:
                source_id, chat_id = source.id if source else None, self.chats[chat].id
                (own,) = [one for one in await work.subscriptions.of(chat_id) if one.source_id == source_id]
                number = await work.endings.keep(chat_id, [own.id], NOW)
                assert await work.subscriptions.remove(chat_id, source_id)
                await work.outbox.cancel("unsubscribed", NOW, chat_id=chat_id, source_id=source_id)
                await work.commit()
            return number

        self.ended.append((chat, scope, wanted, self.run(remove())))

    @precondition(lambda self: self.ended)
    @rule()
    def undo(self) -> None:
        """Restore what ended last, unless the chat follows it again."""
        chat, scope, wanted, number = self.ended.pop()

        async def restore() -> int | None:
            async with self.store.write() as work:
                restored = await work.endings.restore(self.chats[chat].id, number)
                await work.commit()
            return restored

        again = (chat, scope) not in self.follows
        assert self.run(restore()) == again
        if again:
            self.follows.add((chat, scope))
            self.filters[chat, scope] = wanted
            self.ask_why()

    @rule(source=sources)
    def cancel_a_source(self, source: int) -> None:
        self.run(self.world.cancel("the source is paused", source=self.sources[source]))

    @rule()
    def retry(self) -> None:
        self.run(self.world.retry())

    # The sender

    @rule(limit=st.integers(1, 4))
    def claim(self, limit: int) -> None:
        self.in_hand += self.run(self.world.claim(limit))

    @rule(data=st.data(), arrives=st.booleans())
    def begin(self, data: st.DataObject, arrives: bool) -> None:
        """A request leaves with the next post of a delivery; the platform has it, or has not."""
        if not self.in_hand:
            self.claim(2)
        if self.in_hand:
            self.request(data.draw(st.sampled_from(self.in_hand)), arrives)

    @rule(claimed=st.booleans())
    def all_goes_well(self, claimed: bool) -> None:
        """All that is in hand, or that could be, is sent and confirmed."""
        if not claimed:
            self.claim(CHATS)
        for delivery in self.in_hand:
            for _ in delivery.posts:
                self.request(delivery, arrives=True)
        for delivery, sending in list(self.on_the_way):
            if self.arrived[delivery.chat.id, self.key_of(sending.posts[0])]:
                self.outcome(delivery, sending, knows=True)

    def request(self, delivery: Delivery, arrives: bool) -> None:
        begun = {sending.n for busy, sending in self.on_the_way if busy.id == delivery.id}
        sent = {known.n for known in delivery.parts if known.state is PartState.SENT}
        left = [n for n in range(len(delivery.posts)) if n not in begun | sent]
        if not left:
            return
        before = next((known.unknowns for known in delivery.parts if known.n == left[0]), 0)
        sending = part(delivery.id, left[0], posts=(delivery.posts[left[0]],), unknowns=before)
        if self.run(self.world.begin(sending)):
            self.on_the_way.append((delivery, sending))
            self.arrived[delivery.chat.id, self.key_of(sending.posts[0])] += arrives

    @precondition(lambda self: self.on_the_way)
    @rule(data=st.data(), knows=st.booleans())
    def answer(self, data: st.DataObject, knows: bool) -> None:
        """The platform confirms the message that has arrived, or nobody knows what became of it."""
        self.outcome(*data.draw(st.sampled_from(self.on_the_way)), knows=knows)

    def outcome(self, begun: Delivery, sending: Part, *, knows: bool) -> None:
        self.on_the_way.remove((begun, sending))
        # With the parts that ended since this one began.
        delivery = next((one for one in self.in_hand if one.id == begun.id), begun)
        place = delivery.chat.id, self.key_of(sending.posts[0])
        if knows and self.arrived[place]:
            ended = replace(sending, state=PartState.SENT, sent=Sent("1", ("1",)))
            self.confirmed.add(place)
        elif knows:
            ended = replace(sending, state=PartState.PENDING)
        else:
            ended = replace(sending, state=PartState.UNKNOWN, unknowns=sending.unknowns + 1)
            self.doubtful[place] += 1
        marks: list[Outcome] = [PartEnded(ended, sending.posts if ended.state is PartState.SENT else ())]
        parts = (*(known for known in delivery.parts if known.n != ended.n), ended)
        renewed = replace(delivery, parts=parts)
        done = {known.n for known in parts if known.state is PartState.SENT}
        if len(done) == len(delivery.posts):
            marks.append(Closed(delivery.id, DeliveryState.SENT))
        self.run(self.world.mark(*marks))
        still = [one for one in self.in_hand if one.id != delivery.id]
        self.in_hand = still if len(marks) > 1 else [*still, renewed]

    def idle(self) -> list[Delivery]:
        busy = {delivery.id for delivery, _ in self.on_the_way}
        return [delivery for delivery in self.in_hand if delivery.id not in busy]

    @rule(data=st.data(), end=endings)
    def give_up(self, data: st.DataObject, end: DeliveryState) -> None:
        if not self.idle():
            self.claim(1)
        if not self.idle():
            return
        delivery = data.draw(st.sampled_from(self.idle()))
        self.in_hand.remove(delivery)
        self.run(self.world.mark(Closed(delivery.id, end, "rejected")))

    @precondition(lambda self: self.idle())
    @rule(data=st.data())
    def postpone(self, data: st.DataObject) -> None:
        delivery = data.draw(st.sampled_from(self.idle()))
        self.in_hand.remove(delivery)
        self.run(self.world.mark(Postponed(delivery.id, NOW, 1, Form.FULL, "refused")))

    @rule()
    def kill_and_start_again(self) -> None:
        """What was on the way is in doubt, and is sent again, as by default."""
        doubtful = {
            (delivery.id, sending.n): (delivery.chat.id, self.key_of(sending.posts[0]))
            for delivery, sending in self.on_the_way
        }
        self.doubtful.update(doubtful.values())
        self.in_hand, self.on_the_way = [], []
        self.world = self.world.as_holder(self.world.epoch + 1)
        left = self.run(self.world.recover())
        for delivery in left:
            again = Postponed(delivery.id, NOW, delivery.attempts + 1, Form.FULL, "unknown")
            self.run(self.world.mark(again))

    @rule()
    def ask_why(self) -> None:
        """Each chat has one answer for each post, and it is what the rows say."""
        posts = [row[0] for row in self.rows.execute("SELECT id FROM posts ORDER BY id")]
        for number, chat in enumerate(self.chats):
            answers = self.run(self.world.why(chat, posts))
            assert [answer.post.id for answer in answers] == posts
            for answer in answers:
                assert answer.because == self.reason_of(number, answer.post.id)

    def reason_of(self, number: int, post: int) -> str:
        """What became of a post in a chat, read past the store."""
        chat = self.chats[number].id
        source, key = self.rows.execute("SELECT source_id, key FROM posts WHERE id = ?", (post,)).fetchone()
        known = self.rows.execute(PROMISED, (chat, key)).fetchone()
        if known is not None:
            state, delivery_state, ahead = known
            if state == "reserved" and delivery_state == "pending":
                return Because.BEHIND_OTHERS if ahead else Because.NEXT
            if state == "skipped":
                return Because.SAME_STORY
            return {"sent": Because.SENT, "reserved": Because.SENDING}.get(state) or Because(delivery_state)
        passed = self.passed.get((number, post))  # None: it was not followed when it came
        if passed and self.rows.execute(CALLED_OFF, (chat, post)).fetchone() != (0,):
            return Because.CANCELLED
        begins = self.rows.execute(BEGINS, (chat, str(source))).fetchone()
        index = next(n for n, one in enumerate(self.sources) if one.id == source)
        assert (begins is not None) == any((number, scope) in self.follows for scope in (index, None))
        if begins is None:
            return Because.NOT_FOLLOWED
        if passed is None:
            # What was restored begins where it did, but has nothing of what came meanwhile.
            return Because.BEFORE_SUBSCRIPTION if post <= begins[0] else Because.MISSED
        # What passed is promised, or was when the same post of another source was called off.
        return Because.CANCELLED if passed else Because.FILTERED

    # What must hold

    @invariant()
    def the_ledger_says_sent_for_what_was_confirmed(self) -> None:
        sent = self.rows.execute("SELECT chat_id, post_key FROM ledger WHERE state = 'sent'").fetchall()
        assert set(sent) == self.confirmed
        assert len(sent) == len(self.confirmed)

    @invariant()
    def nothing_arrives_twice_but_what_was_in_doubt(self) -> None:
        for place, times in self.arrived.items():
            assert times <= 1 + self.doubtful[place]

    @invariant()
    def every_reservation_has_a_delivery_that_will_be_sent(self) -> None:
        assert self.rows.execute(STRANDED).fetchone() == (0,)

    @invariant()
    def a_chat_has_one_delivery_in_hand(self) -> None:
        assert self.rows.execute(CROWDED).fetchall() == []

    @invariant()
    def no_post_is_lost_and_none_comes_that_a_filter_rejected(self) -> None:
        promised = "SELECT chat_id, post_key FROM ledger WHERE state <> 'skipped'"
        known = set(self.rows.execute(promised).fetchall())
        assert known <= self.owed
        explained = set(self.rows.execute(EXPLAINED).fetchall())
        assert self.owed - known - explained == set()


def test_once_and_never_lost(migrated_file: Path) -> None:
    class OfFile(Ledger):
        template = migrated_file

    run_state_machine_as_test(OfFile, settings=settings(max_examples=EXAMPLES // 2, stateful_step_count=25))
