"""The name of this platform, and its limits."""

from scheduler.types import ChatKind, Limits, Rate

NAME = "apprise"
# apprise reports neither the limits of a service nor a 429. Nearly all services allow this rate.
LIMITS = Limits(Rate(5), {ChatKind.CHANNEL: Rate(20, 60, burst=3)})
