"""Every way in which a send can fail, and what follows. Pure."""

import random
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.delivery.attempts import Attempt, Rendering
from scheduler.delivery.reactions import Gone, Moved, Paused, Reaction, Reactions, Slower, Stop
from scheduler.errors import (
    Ambiguous,
    ChatGone,
    ChatMoved,
    ChatPaused,
    ContentRejected,
    PlatformStopped,
    RateLimited,
    RateScope,
    Refused,
    SendError,
)
from scheduler.ports import Closed, PartEnded, Postponed
from scheduler.retry import MAX_ATTEMPTS, MAX_REFUSED, PAUSE_BASE, SEND_CAP
from scheduler.types import (
    Broadcast,
    BroadcastKind,
    Chat,
    Delivery,
    DeliveryState,
    Form,
    Message,
    OnUnknown,
    Part,
    PartState,
    Place,
    part_key,
)
from tests.fakes import NOON

CHAT = Chat(1, Place("fake", "1"))
DELIVERY = Delivery(
    5, 6, Broadcast(BroadcastKind.POST, (7,)), CHAT, DeliveryState.CLAIMED, 0, NOON, posts=(7,)
)
MESSAGE = Message({"text": "hello"}, (7,))
PART = Part(5, 0, Form.FULL, PartState.SENDING, (7,), "f")
HOLDING = replace(DELIVERY, chat=replace(CHAT, on_unknown=OnUnknown.HOLD))
LAST = replace(DELIVERY, attempts=MAX_ATTEMPTS - 1)
LAST_REFUSED = replace(DELIVERY, attempts=MAX_REFUSED - 1)


def to(
    error: SendError, delivery: Delivery = DELIVERY, part: Part = PART, *, deduplicates: bool = False
) -> Reaction:
    attempt = Attempt(delivery, part, Rendering(part.rendering_key, part.form, (MESSAGE,)))
    return Reactions(deduplicates, random.Random(1)).to_error(error, attempt, NOON)


def ended(reaction: Reaction) -> PartState:
    (one,) = [one for one in reaction.outcomes if isinstance(one, PartEnded)]
    assert one.completed == () and one.reason
    return one.part.state


def closed(reaction: Reaction) -> Closed:
    (one,) = [one for one in reaction.outcomes if isinstance(one, Closed)]
    return one


def postponed(reaction: Reaction) -> Postponed:
    (one,) = [one for one in reaction.outcomes if isinstance(one, Postponed)]
    return one


@pytest.mark.parametrize("scope", RateScope)
def test_a_rate_limit_waits_as_long_and_as_wide_as_it_says(scope: RateScope) -> None:
    wait = timedelta(seconds=17)
    reaction = to(RateLimited("slow", retry_after=wait, scope=scope), LAST)
    assert ended(reaction) is PartState.PENDING
    assert postponed(reaction).due_at == NOON + wait and postponed(reaction).attempts == LAST.attempts
    assert reaction.effect == Slower(wait, scope)


def test_a_refusal_is_tried_again_and_counted() -> None:
    reaction = to(Refused("connection refused"))
    assert ended(reaction) is PartState.PENDING
    assert NOON <= postponed(reaction).due_at <= NOON + SEND_CAP and postponed(reaction).attempts == 1
    assert reaction.effect is None and reaction.next_form is None


@pytest.mark.parametrize(
    ("error", "delivery", "unknowns"),
    [
        (Refused("no"), LAST_REFUSED, 0),
        (Ambiguous("reset"), DELIVERY, MAX_ATTEMPTS - 1),
        (ChatMoved("moved", address="2"), LAST_REFUSED, 0),
    ],
)
def test_the_last_attempt_gives_up_with_its_reason(
    error: SendError, delivery: Delivery, unknowns: int
) -> None:
    end = closed(to(error, delivery, replace(PART, unknowns=unknowns)))
    assert end.state is DeliveryState.FAILED and str(error) in end.reason


def test_an_outage_counts_against_no_later_outcome() -> None:
    """Requests that were refused say nothing about whether a later one arrived."""
    assert postponed(to(Ambiguous("reset"), LAST_REFUSED)).attempts == MAX_REFUSED
    assert postponed(to(Refused("no"), LAST)).attempts == MAX_ATTEMPTS


def test_an_error_of_no_known_kind_is_a_refusal() -> None:
    assert postponed(to(SendError("strange"))).attempts == 1


@pytest.mark.parametrize(
    ("delivery", "deduplicates", "held"),
    [(DELIVERY, False, False), (DELIVERY, True, False), (HOLDING, False, True), (HOLDING, True, False)],
)
def test_an_unknown_outcome_follows_the_chat_or_the_platform(
    delivery: Delivery, deduplicates: bool, held: bool
) -> None:
    reaction = to(Ambiguous("reset"), delivery, deduplicates=deduplicates)
    (unknown,) = [one.part for one in reaction.outcomes if isinstance(one, PartEnded)]
    assert (unknown.state, unknown.unknowns) == (PartState.UNKNOWN, 1)
    if held:
        assert closed(reaction) == Closed(5, DeliveryState.HELD, "it may have arrived: reset")
    else:
        assert postponed(reaction).attempts == 1 and postponed(reaction).form is Form.FULL


def test_an_unknown_outcome_is_counted_once() -> None:
    unknown = replace(PART, state=PartState.UNKNOWN, unknowns=3)
    ended, _ = Reactions(False, random.Random(1)).to_unknown(DELIVERY, unknown, "ended", NOON)
    assert ended.part.unknowns == 3


def test_a_chat_that_is_gone_ends_its_delivery() -> None:
    reaction = to(ChatGone("blocked"))
    assert closed(reaction) == Closed(5, DeliveryState.CANCELLED, "blocked") and reaction.effect == Gone()


def test_a_move_sends_again_at_once() -> None:
    reaction = to(ChatMoved("moved", address="-100"))
    assert reaction.effect == Moved("-100") and postponed(reaction).due_at == NOON


@pytest.mark.parametrize("topic_only", [True, False])
def test_a_pause_keeps_what_waits(topic_only: bool) -> None:
    reaction = to(ChatPaused("closed", topic_only=topic_only), LAST)
    assert reaction.effect == Paused(topic_only)
    assert postponed(reaction).due_at >= NOON + PAUSE_BASE


def test_a_refused_token_stops_the_platform_and_costs_no_attempt() -> None:
    reaction = to(PlatformStopped("refused"), LAST)
    assert reaction.effect == Stop() and postponed(reaction).attempts == LAST.attempts


@pytest.mark.parametrize(
    ("form", "media", "plainer"),
    [
        (Form.FULL, True, Form.NO_MEDIA),
        (Form.FULL, False, Form.PLAIN),
        (Form.NO_MEDIA, True, Form.PLAIN),
        (Form.NO_MEDIA, False, Form.PLAIN),
    ],
)
def test_rejected_content_has_a_plainer_form(form: Form, media: bool, plainer: Form) -> None:
    reaction = to(ContentRejected("no", media=media), part=replace(PART, form=form))
    assert reaction.next_form is plainer and ended(reaction) is PartState.FAILED
    assert not [one for one in reaction.outcomes if isinstance(one, Closed)]


@pytest.mark.parametrize("form", Form)
def test_what_no_form_will_mend_is_given_up_at_once(form: Form) -> None:
    reaction = to(ContentRejected("too old", final=True), part=replace(PART, form=form))
    assert reaction.next_form is None and closed(reaction) == Closed(5, DeliveryState.FAILED, "too old")


@pytest.mark.parametrize("media", [True, False])
def test_there_is_nothing_plainer_than_plain(media: bool) -> None:
    reaction = to(ContentRejected("no", media=media), part=replace(PART, form=Form.PLAIN))
    assert reaction.next_form is None and closed(reaction) == Closed(5, DeliveryState.FAILED, "no")


@given(st.integers(0, 10**6), st.integers(0, 100), st.sampled_from(Form))
def test_a_key_fits_a_nonce_and_is_of_one_part_only(delivery_id: int, n: int, form: Form) -> None:
    delivery = replace(DELIVERY, id=delivery_id)
    key = part_key(delivery, n, form)
    assert len(key) <= 25 and key == part_key(replace(delivery, attempts=3), n, form)
    others = [part_key(delivery, n + 1, form), part_key(replace(delivery, id=delivery_id + 1), n, form)]
    others += [part_key(delivery, n, other) for other in Form if other is not form]
    others.append(part_key(replace(delivery, chat=replace(CHAT, place=Place("fake", "1", "2"))), n, form))
    assert key not in others and len(set(others)) == len(others)


def test_what_failed_in_quiet_hours_is_tried_again_at_their_end() -> None:
    morning, soon = NOON + timedelta(hours=8), timedelta(seconds=3)
    quiet = replace(CHAT, quiet="12:00-20:00 UTC", quiet_from=NOON, quiet_until=morning)

    def due(error: SendError) -> list[datetime]:
        outcomes = to(error, replace(DELIVERY, chat=quiet)).outcomes
        return [one.due_at for one in outcomes if isinstance(one, Postponed)]

    failures = (Refused("down"), Ambiguous("no answer"), ChatPaused("no rights"), PlatformStopped("down"))
    for error in failures:
        assert due(error) == [morning]
    assert due(RateLimited("slow down", retry_after=soon, scope=RateScope.CHAT)) == [NOON + soon]
