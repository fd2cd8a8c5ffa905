"""Hostile folders of Markdown. Each kind is a function that fills a folder."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path


def _nested_lists(folder: Path) -> None:
    """YAML that is nested deep enough to overflow the stack of a parser in C."""
    (folder / "nested.md").write_text(f"---\ntitle: {'[' * 300_000}\n---\ntext\n")


def _merge_keys(folder: Path) -> None:
    """YAML in which each level merges the level before eight times."""
    lines = ["a0: &a0 {x: 1}"]
    lines += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 8)}]}}" for n in range(1, 10)]
    (folder / "merge.md").write_text("---\n" + "\n".join(lines) + "\n---\ntext\n")


def _references(folder: Path) -> None:
    """Markdown that uses a long link reference many times; each use becomes the whole link."""
    (folder / "links.md").write_text("[a]: " + "x" * 70_000 + "\n\n" + "[a] " * 20_000)


def _number(folder: Path) -> None:
    """A number of more than 4,300 digits, which Python refuses to convert to text."""
    (folder / "number.md").write_text(f"---\ntitle: 0x{'f' * 5_000}\n---\ntext\n")


def _specials(folder: Path) -> None:
    """A device, a pipe without a writer, and links that lead out of the folder."""
    (folder / "zero.md").symlink_to("/dev/zero")
    os.mkfifo(folder / "pipe.md")
    (folder / "out").symlink_to("/etc", target_is_directory=True)
    (folder / "passwd.md").symlink_to("/etc/passwd")
    (folder / "around").symlink_to(folder, target_is_directory=True)


KINDS: Mapping[str, Callable[[Path], None]] = {
    "nested lists": _nested_lists,
    "merge keys": _merge_keys,
    "link references": _references,
    "a huge number": _number,
    "devices and links": _specials,
}


def fill(folder: Path) -> None:
    """Fill a folder with harmless files. All folders are harmless when they are added."""
    folder.mkdir()
    (folder / "good.md").write_text("---\ntitle: A good post\ndate: 2026-01-02\n---\nIts text.\n")
