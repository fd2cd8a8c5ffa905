"""`skywave db …`: the database as a whole."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.common import open_app, run, say, settings_of_process
from content.errors import StoreError, UsageError

commands = typer.Typer(name="db", help="The database.", no_args_is_help=True)


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
    settings = settings_of_process()
    path = settings.database_url.partition(":///")[2]
    if not settings.database_url.startswith("sqlite"):
        raise UsageError("this database is PostgreSQL: back it up with pg_dump")
    if file.exists():
        raise UsageError(f"{file} exists already: choose another name")
    async with open_app():
        await asyncio.to_thread(_copy, path, file)
    say(f"{path} was copied to {file}")


def _copy(path: str, file: Path) -> None:
    try:
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(file)) as target:
            source.backup(target)
    except sqlite3.Error as exc:
        raise StoreError(f"{file} cannot be written ({exc}): check its folder and the room left") from exc
