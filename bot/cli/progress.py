"""Progress of long work, on standard error."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn

from bot.engine import Engine
from bot.visible import visible_line


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[str], None]]:
    """Progress on standard error; call the result with the name of each step that is done."""
    with _shown(what, total) as advance:
        yield lambda name: advance(1, name)


async def index(app: Engine) -> None:
    """Index the posts that wait for that, so that searches find what this command has read."""
    async with app.store.read() as work:
        waiting = await work.index.count_waiting()
    if waiting:
        with _shown("indexing posts", waiting) as advance:
            await app.indexing.run(lambda posts: advance(posts, ""))


@contextmanager
def _shown(what: str, total: int) -> Iterator[Callable[[int, str], None]]:
    columns = (TextColumn(what), MofNCompleteColumn(), TextColumn("{task.fields[name]}", markup=False))
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=total, name="")
        yield lambda steps, name: progress.update(task, advance=steps, name=visible_line(name[:60]))
