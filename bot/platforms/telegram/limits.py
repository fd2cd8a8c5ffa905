"""Telegram's name and limits: core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this"""

from scheduler.types import ChatKind, Limits, Rate

NAME = "telegram"

OVERALL = Rate(30)
# The overall limit with `allow_paid_broadcast`, which an operator enables and pays for.
PAID = Rate(1000, guard=0.06)
PRIVATE = Rate(1, guard=0.05)
GROUP = Rate(20, 60, burst=3)


def limits(*, paid: bool = False) -> Limits:
    """Overall 30 messages a second, or 1000 if paid; 1 a second in a private chat, 20 a minute in a group."""
    return Limits(
        overall=PAID if paid else OVERALL,
        per_chat={ChatKind.PRIVATE: PRIVATE, ChatKind.GROUP: GROUP, ChatKind.CHANNEL: GROUP},
    )
