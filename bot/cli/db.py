"""`skywave db …`: upgrade, back up, check and restore the database."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.arguments import commands_of
from bot.cli.common import Finding, open_app, run, say, settings_of_process, show_findings
from bot.engine import SystemClock
from bot.settings import Settings
from bot.sole import sole_process
from content.errors import StoreBusy, UsageError
from storage import backup as files
from storage.database import sqlite_file
from storage.unit_of_work import SqlStore

commands = commands_of("The database.")


@commands.command("upgrade")
def upgrade() -> None:
    """Bring the schema up to date, as every start does."""
    run(_upgrade())


async def _upgrade() -> None:
    async with open_app():
        say("The database is up to date.")


@commands.command("backup")
def backup(file: Annotated[Path, typer.Argument(help="The file to write; it must not exist.")]) -> None:
    """Copy a SQLite database while it is in use."""
    run(_backup(file))


async def _backup(file: Path) -> None:
    path = _file_of(settings_of_process(), "back it up with pg_dump")
    async with open_app():
        await asyncio.to_thread(files.copy, path, file)
    say(f"{path} was copied to {file}")


@commands.command("check")
def check() -> None:
    """Look for damage in a SQLite database, also while it is in use. It changes nothing."""
    run(_check())


async def _check() -> int:
    path = _file_of(settings_of_process(), "check it with pg_amcheck")
    if not path.exists():
        raise UsageError(f"there is no database {path} yet: skywave run makes it")
    checks = await asyncio.to_thread(files.check, path)
    return show_findings([Finding(one.what, not one.problems, "; ".join(one.problems)) for one in checks])


@commands.command("restore")
def restore(file: Annotated[Path, typer.Argument(help="What skywave db backup has written.")]) -> None:
    """Put a backup in the place of a SQLite database not in use; the current one is kept beside it."""
    run(_restore(file))


async def _restore(file: Path) -> None:
    settings = settings_of_process()
    path = _file_of(settings, "restore it with psql, or with pg_restore")
    with sole_process(settings) as sole:
        if not sole:
            raise StoreBusy(f"a skywave runs on {path}: stop it first")
        path = path.resolve()  # replace the target of a symbolic link, not the link
        staged = await asyncio.to_thread(files.stage, file, path)
        try:
            store = await SqlStore.open(f"sqlite:///{staged}")  # opening migrates it to the current schema
            await store.close()
            kept = await asyncio.to_thread(files.put_in_place, staged, path, SystemClock().now())
        finally:
            files.discard(staged)
    say(f"{file} is the database now" + (f"; the one before is kept as {kept}" if kept else ""))


def _file_of(settings: Settings, otherwise: str) -> Path:
    """The file of a SQLite database. Raises UsageError for PostgreSQL; `otherwise` names the tool to use."""
    path = sqlite_file(settings.database_url)
    if path is None:
        raise UsageError(f"this database is not a SQLite file: if it is PostgreSQL, {otherwise}")
    return path
