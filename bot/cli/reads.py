"""What a read of a source has brought, for people and as JSON."""

from dataclasses import replace
from typing import Any

from bot.cli.common import counted, to_json, without_secrets
from scheduler.intake.storing import PollResult


def as_json(result: PollResult) -> dict[str, Any]:
    return to_json(replace(result, source=without_secrets(result.source)))


def summary(result: PollResult, told: str | None = None) -> str:
    """What a read has brought, or `told` instead, and what could not be read."""
    counts = (
        f"{result.new} new, {result.changed} changed, {counted(result.deliveries, 'delivery', 'deliveries')}"
    )
    return f"{result.source.name}: {told or result.error or counts}" + left_out(result)


def left_out(result: PollResult) -> str:
    """What a read has left out, and what it could not read."""
    failures = "".join(f"\n  not read: {f.name}: {f.reason}" for f in result.failures)
    return (f"\n  {result.cut}" if result.cut else "") + failures
