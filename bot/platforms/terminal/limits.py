"""A terminal has no limits."""

from math import inf

from scheduler.types import Limits, Rate

LIMITS = Limits(Rate(inf), {})
