"""Whatever is stored of a post and a chat, there is one answer, and it agrees with the ledger."""

from dataclasses import replace
from datetime import timedelta

import hypothesis.strategies as st
from hypothesis import given

from content.types import Visibility
from scheduler.actions.why import Because, decide
from scheduler.history import History, Item, LedgerEntry
from scheduler.types import (
    OPEN,
    Broadcast,
    BroadcastKind,
    Chat,
    ChatAccess,
    ChatState,
    Delivery,
    DeliveryState,
    Digest,
    LedgerState,
    Subscription,
)
from tests.builders import NOW, place, source

OF_LEDGER = {
    LedgerState.SENT: {Because.SENT},
    LedgerState.RESERVED: {
        Because.SENDING,
        Because.NEXT,
        Because.BEHIND_OTHERS,
        Because.LATER,
        Because.CHAT_PAUSED,
    },
    LedgerState.FAILED: {Because.FAILED, Because.HELD},
    LedgerState.SKIPPED: {
        Because.SKIPPED,
        Because.BEYOND_MAXIMUM,
        Because.BEYOND_QUIET,
        Because.PAUSED,
        Because.AWAY,
    },
}
WAITS = {Because.DIGEST, Because.DIGEST_PAUSED, Because.QUIET}
PROMISED = set[Because]().union(*OF_LEDGER.values())

chats = st.builds(
    Chat,
    st.just(1),
    st.just(place()),
    state=st.sampled_from(ChatState),
    access=st.sampled_from(ChatAccess),
    reason=st.sampled_from(["", "no rights"]),
    quiet_from=st.sampled_from([None, NOW]),
)
subscriptions = st.builds(
    Subscription,
    st.just(1),
    st.just(1),
    st.none(),
    starts_after=st.integers(0, 9),
    digest_id=st.sampled_from([None, 1, 2]),
    paused_after=st.none() | st.integers(0, 9),
)
sources = st.builds(
    lambda visibility, starts: replace(source(visibility=visibility), starts_after=starts),
    st.sampled_from(Visibility),
    st.integers(0, 9),
)
items = st.builds(
    Item,
    st.integers(1, 9),
    st.just("key"),
    st.just("title"),
    st.just("https://example.org/post"),
    sources,
    st.none() | subscriptions,
    old_news=st.booleans(),
    withdrawn=st.booleans(),
    visible=st.booleans(),
    broadcast=st.booleans(),
    first_seen_at=st.sampled_from([NOW - timedelta(1), NOW]),
    fails=st.sampled_from(["", "-short"]),
    followed=st.booleans(),
    rejected=st.sampled_from(["", "-short"]),
)
reasons = st.sampled_from(["", "beyond the digest's maximum", "the chat was away", "400"])
entries = st.builds(LedgerEntry, st.sampled_from(LedgerState), reasons, st.none() | st.integers(1, 9))


def digest(number: int, *, paused: bool = False) -> Digest:
    return Digest(number, 1, "daily 09:00", "UTC", NOW + timedelta(1), paused=paused)


def deliveries(*states: DeliveryState) -> st.SearchStrategy[Delivery]:
    return st.builds(
        Delivery,
        st.just(5),
        st.just(1),
        st.just(Broadcast(BroadcastKind.POST)),
        chats,
        st.sampled_from(states),
        st.integers(0, 3),
        due_at=st.sampled_from([NOW - timedelta(1), NOW, NOW + timedelta(1)]),
        reason=reasons,
    )


@st.composite
def histories(draw: st.DrawFn) -> History:
    post, *twins = draw(st.lists(items, min_size=1, max_size=3, unique_by=lambda item: item.id))
    entry = draw(st.none() | entries)
    states = OPEN if entry and entry.state is LedgerState.RESERVED else tuple(DeliveryState)
    ids = st.sampled_from([item.id for item in (post, *twins)])
    cancelled = draw(st.dictionaries(ids, deliveries(DeliveryState.CANCELLED)))
    return History(
        draw(chats),
        post,
        tuple(twins),
        entry,
        draw(st.none() | deliveries(*states)) if entry else None,
        ahead=draw(st.integers(0, 2)),
        cancelled=cancelled,
        digests={1: digest(1), 2: digest(2, paused=True)},
    )


@given(histories())
def test_one_answer_that_agrees_with_the_ledger(history: History) -> None:
    answer = decide(history, NOW)
    assert answer == decide(history, NOW) and answer.post is history.post
    if history.entry:
        assert answer.because in OF_LEDGER[history.entry.state]
        assert answer.by_twin == (history.entry.post_id != history.post.id)
        return
    assert answer.because not in PROMISED - {Because.PAUSED}  # which may also be a pause that lasts
    waiting = [item.id for item in (history.post, *history.twins) if item.waits(history.chat)]
    if history.chat.gets_nothing:
        assert answer.because in (Because.BANNED, Because.GONE, Because.CANCELLED)
    else:
        assert (answer.because in WAITS) == bool(waiting)
        assert answer.because not in WAITS or (answer.twin or answer.post).id == min(waiting)
    assert (answer.because is Because.CANCELLED) == (answer.delivery is not None)
