"""Discord's limits, as published (docs.discord.com: "Rate Limits")."""

from scheduler.types import ChatKind, Limits, Rate

OVERALL = Rate(50, guard=0.03)
# 5 messages in 5 s. The guard keeps below that: discord.py delays the request that empties a channel's
# bucket until the bucket is reset, so without it only 4 messages would be sent in that time.
CHANNEL = Rate(5, 5, guard=0.2)
LIMITS = Limits(OVERALL, {ChatKind.CHANNEL: CHANNEL, ChatKind.PRIVATE: CHANNEL}, reply_burst=1)
