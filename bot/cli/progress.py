"""Progress of long work, on standard error."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn

from bot.visible import visible_line


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[str], None]]:
    """Progress on standard error; call the result with the name of each step that is done."""
    columns = (TextColumn(what), MofNCompleteColumn(), TextColumn("{task.fields[name]}", markup=False))
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=total, name="")
        yield lambda name: progress.update(task, advance=1, name=visible_line(name[:60]))
