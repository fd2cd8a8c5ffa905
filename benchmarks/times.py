"""Figures from the times of messages: the rate in the steady part, and how long people waited."""

from collections import defaultdict
from collections.abc import Sequence
from statistics import quantiles

Times = Sequence[tuple[float, str]]
EDGE = 3.0  # seconds at the start and at the end that are not steady


def steady_rate(shown: Times, edge: float = EDGE) -> float:
    """Messages a second without the first and last EDGE seconds, or quarters if that is shorter."""
    times = sorted(time for time, _ in shown)
    if len(times) < 8:
        return 0.0
    edge = min(edge, (times[-1] - times[0]) / 4)
    first, last = times[0] + edge, times[-1] - edge
    steady = [time for time in times if first <= time <= last]
    return (len(steady) - 1) / (steady[-1] - steady[0])


def waits(said: Times, shown: Times) -> list[float]:
    """Seconds from each message of a person to the next message of the bot in that chat."""
    answers = defaultdict(list)
    for time, chat in shown:
        answers[chat].append(time)
    return [min(time for time in answers[chat] if time > then) - then for then, chat in said]


def p99(values: Sequence[float]) -> float:
    """The 99th percentile; of fewer than 100 values the largest."""
    return quantiles(values, n=100)[98] if len(values) >= 100 else max(values)
