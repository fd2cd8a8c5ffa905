"""A terminal has no limits."""

from math import inf

from bot.settings import Settings
from scheduler.delivery.limits import Limits, Rate


def limits(settings: Settings) -> Limits:
    return Limits(Rate(inf), {})
