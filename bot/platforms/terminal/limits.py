"""A terminal has no limits."""

from math import inf

from scheduler.delivery.limits import Limits, Rate

LIMITS = Limits(Rate(inf), {})
