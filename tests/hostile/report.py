"""The figures of both phases side by side, and the limits that they must not exceed."""

from collections.abc import Sequence

from tests.hostile.run import Figures

SHOWN = 8


def compare(calm: Figures, hostile: Figures) -> tuple[Sequence[str], Sequence[str]]:
    """The report line by line, and the names of the limits that were exceeded."""
    rows = [
        ("between two reads of a good feed, s", calm.gap, hostile.gap, 1.5),
        ("an answer, 99th percentile, s", calm.reply, hostile.reply, 2.0),
        ("memory, MB", calm.memory, hostile.memory, 1.5),
        ("memory with all workers, MB", calm.with_workers, hostile.with_workers, None),
        ("the end after SIGTERM, s", calm.stop, hostile.stop, None),
    ]
    lines = [f"{'':40} {'calm':>8} {'hostile':>8} {'ratio':>6}  held to"]
    missed = []
    for name, before, after, bar in rows:
        ratio = after / before if before else 0.0
        lines.append(f"{name:40} {before:8.2f} {after:8.2f} {ratio:6.2f}  {f'<= {bar}' if bar else ''}")
        if bar and not ratio <= bar:
            missed.append(name)
    lines += [
        f"answers: {len(calm.replies)} and {len(hostile.replies)}; without one:"
        f" {calm.unanswered} and {hostile.unanswered}",
        f"answers of 429: {calm.refused} and {hostile.refused};"
        f" posts doubled: {calm.doubled} and {hostile.doubled}",
    ]
    for name, found in (
        ("lost", [*calm.lost, *hostile.lost]),
        ("faults of its own", [*calm.broken, *hostile.broken]),
    ):
        lines.append(f"{name}: {len(found)}")
        lines += [f"    {line[:200]}" for line in found[:SHOWN]]
        missed += [name] if found else []
    bars = {
        "every good question is answered": not hostile.unanswered,
        "nothing is doubled": not hostile.doubled,
        "it ends within 20 s": hostile.stop <= 20,
    }
    return lines, [*missed, *(name for name, passed in bars.items() if not passed)]
