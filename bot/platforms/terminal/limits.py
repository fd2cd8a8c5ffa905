"""A terminal has no limits, and one chat."""

from math import inf

from scheduler.types import Limits, Place, Rate

NAME = "terminal"
HERE = Place(NAME, "me")
LIMITS = Limits(Rate(inf), {})
