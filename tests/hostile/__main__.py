"""Run the comparison: `make hostile`, or python -m tests.hostile --seconds 600 --seed 7.

Sources are read every 10 seconds instead of 300, so that two minutes have as many reads as an hour.
"""

import argparse
import asyncio
import logging
import random
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from tests.hostile.report import compare
from tests.hostile.run import Figures, Phase, Size


def _say(text: str) -> None:
    print(text, flush=True)


async def _phase(folder: Path, size: Size, seed: int, *, hostile: bool) -> Figures:
    folder.mkdir(parents=True, exist_ok=True)
    return await Phase(folder, size, seed, hostile=hostile).go(_say)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120.0, help="how long each of the two is looked at")
    parser.add_argument("--seed", type=int, default=random.randrange(10_000))
    parser.add_argument("--keep", type=Path, help="keep the logs and databases here")
    given = parser.parse_args()
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # clients break off
    size = replace(Size(), seconds=given.seconds)
    _say(f"seed {given.seed}")
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.keep or Path(scratch)
        calm = asyncio.run(_phase(folder / "calm", size, given.seed, hostile=False))
        hostile = asyncio.run(_phase(folder / "hostile", size, given.seed, hostile=True))
    lines, missed = compare(calm, hostile)
    for line in lines:
        _say(line)
    for line in missed:
        _say(f"MISSED: {line}")
    _say(f"again: make hostile SECONDS={given.seconds:g} SEED={given.seed}")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
