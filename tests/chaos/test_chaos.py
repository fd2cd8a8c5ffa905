"""A short run of `make chaos`, and a check that its verdict finds lost and repeated messages."""

import logging
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.chaos.books import Books
from tests.chaos.edits import judge_edits
from tests.chaos.report import failures, report
from tests.chaos.run import Run
from tests.chaos.servers import sqlite
from tests.chaos.verdict import Account, Verdict, judge


async def test_a_storm_with_kills_loses_nothing(
    tmp_path: Path, migrated_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "aiohttp.server")  # killed clients break off their requests
    with sqlite(tmp_path) as database:
        shutil.copy(migrated_file, database.path)
        run = Run(tmp_path, database, seed=4, size=0.1, hold=1)
        verdict, account = await run.go(2, lambda text: None)
        books = await run.database.read()  # before its file system is unmounted
    assert not failures(run, verdict, account), "\n".join(report(run, verdict, account))
    assert verdict.arrived > 0 and run.edited.shown > 0
    _sees_what_is_wrong(run, account)
    _sees_wrong_edits(run, books)


def _sees_wrong_edits(run: Run, books: Books) -> None:
    """Judge the same edits with changed posts and rows."""
    edit = next(edit for edit in books.edits if not edit.reason)
    late = SimpleNamespace(**edit._asdict() | {"at": edit.at + timedelta(days=1)})
    waiting = [
        SimpleNamespace(**one._asdict() | {"ended_at": None}) if one.chat_id == edit.chat_id else one
        for one in books.deliveries
    ]
    assert judge_edits(run.world, replace(books, edits=[late], deliveries=waiting), 0).overtook
    run.world.changes = {name: changes + 1 for name, changes in run.world.changes.items()}
    assert judge_edits(run.world, books, 0).lost


def _sees_what_is_wrong(run: Run, account: Account) -> None:
    """Judge the same run with changed messages, and check that the verdict finds the change."""
    sent, here = run.world.tg.sent, [m for m in run.world.tg.sent if "Post p" in m.text]

    def judged() -> Verdict:
        return judge(run.world, account)

    before = judged()
    sent.append(here[-1])
    sent.append(here[-1])
    assert len(judged().doubled["telegram"]) == len(before.doubled["telegram"]) + 2
    assert judged().uncounted
    del sent[-2:]

    sent[:] = [message for message in sent if message.chat_id != here[-1].chat_id]
    assert judged().only_in_the_books
    sent[:] = here

    sent.reverse()
    assert judged().misplaced
    sent.reverse()

    account.forget()
    assert len(judged().unrecorded) > len(before.unrecorded)
    sent.clear()
    assert judged().lost
