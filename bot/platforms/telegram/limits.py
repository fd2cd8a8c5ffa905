"""Telegram's limits (core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this)."""

from scheduler.types import ChatKind, Limits, Rate

OVERALL = Rate(30)
# With `allow_paid_broadcast`, which the operator switches on and pays for.
PAID = Rate(1000, guard=0.06)
PRIVATE = Rate(1, guard=0.05)
GROUP = Rate(20, 60, burst=3)


def limits(*, paid: bool = False) -> Limits:
    """30 a second in all or 1000 paid ones, one a second in a private chat, 20 a minute in a group."""
    return Limits(
        overall=PAID if paid else OVERALL,
        per_chat={ChatKind.PRIVATE: PRIVATE, ChatKind.GROUP: GROUP, ChatKind.CHANNEL: GROUP},
    )
