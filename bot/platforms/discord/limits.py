"""Discord's name, and its limits, as published (docs.discord.com: "Rate Limits")."""

from scheduler.types import ChatKind, Limits, Rate

NAME = "discord"

OVERALL = Rate(50, guard=0.03)
# 5 messages in 5 s. The guard leaves 4 of them, because discord.py delays the request that empties a
# channel's bucket until the bucket is reset.
CHANNEL = Rate(5, 5, guard=0.2)
LIMITS = Limits(OVERALL, {ChatKind.CHANNEL: CHANNEL, ChatKind.PRIVATE: CHANNEL}, reply_burst=1)
