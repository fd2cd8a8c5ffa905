"""The result of a benchmark: a row of the table and an entry of results.json."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS = Path(__file__).parent / "results.json"
HEADINGS = ("", "what", "Skywave", "beside it", "ratio", "bar")


@dataclass(frozen=True, slots=True)
class Result:
    """One figure. `rival` is what it is compared with; `bar` limits `ratio`; without a bar `ok` is None."""

    name: str
    unit: str
    figure: float
    rival: float | None = None
    ratio: float | None = None
    bar: str = ""
    ok: bool | None = None


def at_least(name: str, unit: str, figure: float, rival: float, least: float) -> Result:
    """A figure that must be at least so many times the rival's."""
    ratio = figure / rival
    return Result(name, unit, figure, rival, ratio, f">= {least:g}", ratio >= least)


def at_most(name: str, unit: str, figure: float, rival: float, most: float) -> Result:
    """A figure that may be at most so many times the rival's."""
    ratio = figure / rival
    return Result(name, unit, figure, rival, ratio, f"<= {most:g}", ratio <= most)


def table(results: Sequence[Result]) -> str:
    """All results as aligned text."""
    rows = [HEADINGS, *(_row(result) for result in results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def save(results: Sequence[Result], path: Path = RESULTS) -> None:
    """Save the results, replacing earlier ones of the same names."""
    new = {result.name: asdict(result) for result in results}
    old = {entry["name"]: entry for entry in load(path)}
    path.write_text(json.dumps(list((old | new).values()), indent=1) + "\n", encoding="utf-8")


def load(path: Path = RESULTS) -> list[dict[str, object]]:
    """The saved results, as they are in the file."""
    if not path.exists():
        return []
    found: list[dict[str, object]] = json.loads(path.read_text(encoding="utf-8"))
    return found


def number(value: float | None) -> str:
    """A number with three significant figures."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _row(result: Result) -> tuple[str, ...]:
    mark = {True: "ok", False: "MISSED", None: ""}[result.ok]
    figures = (number(result.figure), number(result.rival), number(result.ratio))
    return (mark, f"{result.name}, {result.unit}", *figures, result.bar)
