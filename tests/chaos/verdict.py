"""Judges a run: compares the messages that people saw with Skywave's database."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from scheduler.types import DeliveryState, LedgerState
from tests.chaos.books import Books
from tests.chaos.places import Spot
from tests.chaos.world import World

POST = re.compile(r"\bPost (p\d{4})\b")
# The most messages that one kill may send twice at 30 messages a second.
MOST_A_KILL = 6

Pair = tuple[str, str]  # the names of a chat and a post


@dataclass(slots=True)
class Seen:
    """The messages that people saw in a chat, in order. A message is the posts in it."""

    spot: Spot
    messages: list[tuple[str, ...]] = field(default_factory=list)

    @property
    def posts(self) -> list[str]:
        return [post for message in self.messages for post in message]

    @property
    def copies(self) -> Mapping[str, int]:
        return Counter(self.posts)

    @property
    def repeated(self) -> list[tuple[str, ...]]:
        """The number of messages with a post that an earlier message had."""
        before, found = set[str](), []
        for message in self.messages:
            if before & set(message):
                found.append(message)
            before |= set(message)
        return found

    @property
    def misplaced(self) -> int:
        """The number of posts that first arrived after a newer post."""
        first = list(dict.fromkeys(self.posts))
        return sum(later < earlier for earlier, later in pairwise(first))


def seen(world: World) -> list[Seen]:
    """The messages that people saw, by chat."""
    by_chat: dict[tuple[str, str, str], Seen] = {}
    all_seen = [Seen(spot) for spot in world.spots]
    for one in all_seen:
        for address in one.spot.addresses:
            by_chat[one.spot.platform, address, one.spot.topic] = one
    for message in world.tg.sent:
        key = ("telegram", str(message.chat_id), str(message.thread_id or ""))
        if key in by_chat:
            by_chat[key].messages.append(_posts_in(message.text))
    for shown in world.dc.sent:
        channel = world.dc.world.channels.get(shown.channel_id)
        parent = channel.parent if channel else None
        for number in (shown.channel_id, parent.id if parent else 0):
            if ("discord", str(number), "") in by_chat:
                texts = [shown.content, *(str(embed.get("description", "")) for embed in shown.embeds)]
                by_chat["discord", str(number), ""].messages.append(_posts_in("\n".join(texts)))
                break
    return all_seen


def _posts_in(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(POST.findall(text)))


@dataclass(frozen=True, slots=True)
class Told:
    """What Skywave's database says about one post in one chat."""

    ledger: str = ""
    reason: str = ""
    closed: str = ""
    """The end of a delivery of the post that was not sent, with the reason."""
    unknowns: int = 0


class Account:
    """Skywave's database, by chat and post."""

    def __init__(self, books: Books) -> None:
        self.chat_ids = {(c.platform, c.address, c.topic): c.id for c in books.chats}
        self.chat_states = {c.id: str(c.state) for c in books.chats}
        self.names = names = {p.id: found[1] for p in books.posts if (found := POST.match(p.title))}
        made: dict[int, datetime] = {}
        for row in books.editions:
            made[row.post_id] = min(made.get(row.post_id, row.created_at), row.created_at)
        self.taken_up: Mapping[str, tuple[datetime, datetime]] = {
            names[p.id]: (p.first_seen_at, made.get(p.id, p.first_seen_at))
            for p in books.posts
            if p.id in names
        }
        """For each post, when it was read and when it was fanned out to those who could be reached."""
        self.open = [d for d in books.deliveries if d.state in (DeliveryState.PENDING, DeliveryState.CLAIMED)]
        self._ledger = {(r.chat_id, names.get(r.post_id or 0, "")): r for r in books.ledger}
        self._closed: dict[tuple[int, str], str] = {}
        self._unknowns: dict[tuple[int, str], int] = defaultdict(int)
        self.unknowns = {"telegram": 0, "discord": 0}
        posts_of: dict[int, list[str]] = defaultdict(list)
        for row in books.editions:
            posts_of[row.broadcast_id].append(names.get(row.post_id, ""))
        chat_of = {d.id: d.chat_id for d in books.deliveries}
        platform_of = {c.id: c.platform for c in books.chats}
        for d in books.deliveries:
            if d.state in (DeliveryState.CANCELLED, DeliveryState.FAILED, DeliveryState.HELD) and d.reason:
                for name in posts_of[d.broadcast_id]:
                    self._closed[d.chat_id, name] = f"{d.state}: {d.reason}"
        for part in books.parts:
            chat_id = chat_of[part.delivery_id]
            self.unknowns[platform_of[chat_id]] += part.unknowns
            for post in part.posts:
                self._unknowns[chat_id, names.get(post, "")] += part.unknowns

    def chat_id(self, spot: Spot) -> int:
        """The chat's id; 0 if Skywave does not have it."""
        known = (self.chat_ids.get((spot.platform, a, spot.topic)) for a in reversed(spot.addresses))
        return next((number for number in known if number is not None), 0)

    def forget(self) -> None:
        """Forget the ledger and the deliveries, to test that the verdict notices."""
        self._ledger.clear()
        self._closed.clear()
        self._unknowns.clear()

    def told(self, spot: Spot, post: str) -> Told:
        key = self.chat_id(spot), post
        row = self._ledger.get(key)
        return Told(
            ledger=str(row.state) if row else "",
            reason=row.reason if row else "",
            closed=self._closed.get(key, ""),
            unknowns=self._unknowns.get(key, 0),
        )


@dataclass(slots=True)
class Verdict:
    """The broken guarantees, each with its chat and post."""

    arrived: int = 0
    listed: int = 0
    excused: int = 0
    lost: list[str] = field(default_factory=list)
    only_in_the_books: list[str] = field(default_factory=list)
    """The ledger says `sent`, but nobody saw the post."""
    unrecorded: list[str] = field(default_factory=list)
    """The post arrived, but the ledger does not say so, although no outcome was unknown."""
    doubled: dict[str, list[str]] = field(default_factory=lambda: {"telegram": [], "discord": []})
    uncounted: list[str] = field(default_factory=list)
    """The post was repeated more often than the program counted unknown outcomes."""
    misplaced: list[str] = field(default_factory=list)
    stranded: list[str] = field(default_factory=list)
    """The chat can be reached, but is gone or paused at the end."""
    left_open: int = 0
    pairs_doubled: set[tuple[int, str]] = field(default_factory=set)


def judge(world: World, account: Account) -> Verdict:
    """Compare the messages that people saw with the database."""
    verdict = Verdict(left_open=len(account.open))
    for one in seen(world):
        _judge_spot(one, account, verdict)
    return verdict


def _judge_spot(one: Seen, account: Account, verdict: Verdict) -> None:
    spot, copies = one.spot, one.copies
    if not spot.deleted and account.chat_states.get(account.chat_id(spot)) != "active":
        verdict.stranded.append(spot.word)
    for message in one.repeated:
        verdict.doubled[spot.platform].append(f"{spot.word} ({spot.kind}): {', '.join(message)}")
    if one.misplaced:
        verdict.misplaced.append(f"{spot.word} ({spot.kind}): {one.misplaced}")
    for post in account.taken_up:
        _judge_post(spot, post, copies.get(post, 0), account, verdict)


def _judge_post(spot: Spot, post: str, copies: int, account: Account, verdict: Verdict) -> None:
    told = account.told(spot, post)
    where = f"{spot.word} ({spot.kind}) {post}"
    if copies:
        verdict.arrived += 1
        if told.ledger != LedgerState.SENT and not told.unknowns:
            verdict.unrecorded.append(f"{where}: {told}")
        if copies > 1:
            verdict.pairs_doubled.add((account.chat_id(spot), post))
            if told.unknowns < copies - 1:
                verdict.uncounted.append(f"{where}: {copies} copies, {told}")
    elif told.ledger == LedgerState.SENT:
        verdict.only_in_the_books.append(where)
    elif (told.ledger in (LedgerState.FAILED, LedgerState.SKIPPED) and told.reason) or told.closed:
        verdict.listed += 1
    elif spot.was_away(*account.taken_up[post]) or (
        spot.deleted and spot.digest
    ):  # it waits for a digest of a chat that cannot be reached
        verdict.excused += 1
    else:
        start, end = account.taken_up[post]
        away = [f"{since:%T.%f} to {until:%T.%f}" for since, until in spot.away]
        verdict.lost.append(
            f"{where}: {told}, read {start:%T.%f}, fanned out {end:%T.%f}, away {away}, {spot.away_since}"
        )


def not_from_forums(lines: Sequence[str]) -> Iterable[str]:
    """The pairs that are not in a forum: Discord does not deduplicate forum posts."""
    return (line for line in lines if "(forum)" not in line)
