"""The real program ends soon after SIGTERM, even with a long queue."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.e2e.program import Program
from tests.emulators.telegram import TelegramEmulator

PATIENCE = 60.0
MEMBERS = 40  # the limits of one group let so many answers through in two minutes


@pytest.mark.usefixtures("sqlite_url")
async def test_many_answers_that_wait_hold_up_no_end(tmp_path: Path) -> None:
    async with TelegramEmulator() as tg:
        program = Program(tmp_path, telegram_token=tg.token, telegram_api_url=tg.url)
        # Not forked like elsewhere: this is the program as people start it.
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "run"), env=program.environment, stderr=asyncio.subprocess.DEVNULL
        )
        try:
            group = tg.supergroup("Group")
            for number in range(MEMBERS):
                tg.say(group, "/help", by=tg.user(f"Member {number}"))
            await tg.wait_for(lambda: len(tg.messages(group)) >= 3 or None, PATIENCE)
            process.terminate()
            async with asyncio.timeout(PATIENCE):  # a version without this limit ran for minutes
                assert await process.wait() == 0
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert len(tg.messages(group)) < MEMBERS
