"""Run chaos: `make chaos KILLS=200 SEED=7`, or python -m tests.chaos --kills 200 --seed 7 --postgres."""

import argparse
import asyncio
import logging
import random
import sys
import tempfile
from pathlib import Path

from tests.chaos.report import failures, report
from tests.chaos.run import Run
from tests.chaos.servers import postgres, sqlite


def _say(text: str) -> None:
    print(text, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.randrange(10_000))
    parser.add_argument("--size", type=float, default=1.0, help="1.0: 60 Telegram and 40 Discord chats")
    parser.add_argument("--postgres", action="store_true", help="on PostgreSQL, which is restarted meanwhile")
    parser.add_argument("--keep", type=Path, help="keep the log here")
    given = parser.parse_args()
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # killed clients break off their requests
    _say(f"seed {given.seed}")
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.keep or Path(scratch)
        folder.mkdir(exist_ok=True)
        with postgres() if given.postgres else sqlite(Path(scratch)) as database:
            run = Run(folder, database, seed=given.seed, size=given.size, hold=round(8 * given.size))
            verdict, account = asyncio.run(run.go(given.kills, _say))
        # The log is deleted together with the folder, so read it now.
        for line in report(run, verdict, account):
            _say(line)
        missed = failures(run, verdict, account)
    for line in missed:
        _say(f"MISSED: {line}")
    more = " MORE=--postgres" if given.postgres else ""
    _say(f"again: make chaos KILLS={given.kills} SEED={given.seed}{more}")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
