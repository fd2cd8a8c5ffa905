"""A folder of Markdown files with YAML or TOML front matter, as for Hugo, Jekyll and Hexo."""

import errno
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import NoReturn
from urllib.parse import unquote, urlsplit

from content.bounds import MAX_POSTS, bounded
from content.errors import FetchError, ParseError
from content.markdown import markdown_to_html
from content.sources.dates import to_utc
from content.sources.frontmatter import BrokenFrontMatter, split
from content.sources.kinds import Read, ReadContext, Values, no_options
from content.sources.xmlfeed import media_of
from content.text import plain_text, sanitise, storable
from content.types import Failure, Options, ParsedPost, ParsedSource, Validators
from content.urls import is_web_url

KIND = "markdown"
MAX_BYTES = 2 * 1024 * 1024
MAX_TOTAL = 64 * 1024 * 1024  # bytes of all files of a folder
MAX_FILES = 10_000  # Markdown or not
MAX_DEPTH = 16  # levels of folders
_PATH = re.compile(r"file:|~|\.{0,2}[/\\]|\.{1,2}$|[A-Za-z]:[/\\]")
_SUFFIXES = (".md", ".markdown")
_DATED = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[-_ ]|$)")
_URL_FIELDS = ("url", "permalink", "link", "canonical_url", "slug")
# A heading at the very start: `# Title`, or a line that is underlined with `=`.
_TITLE = re.compile(r"\s*#[ \t]+(.+?)[ \t]*#*[ \t]*(?:\n|\Z)|\s*([^\s>#*+`-].*)\n=+[ \t]*(?:\n|\Z)")


class MarkdownKind:
    """A folder, given by its path or a file: URL."""

    name = KIND
    upgrades = ()

    def accepts(self, url: str) -> bool:
        return bool(_PATH.match(url)) or (bool(url) and "://" not in url and Path(url).is_dir())

    def chosen(self, given: Mapping[str, str]) -> Values:
        return no_options(self.name, given)

    def normalise(self, url: str) -> str:
        """The absolute path, with symbolic links resolved."""
        path = unquote(urlsplit(url).path) if url.lower().startswith("file:") else url
        return str(Path(path).expanduser().resolve())

    async def read(self, url: str, options: Options, validators: Validators, context: ReadContext) -> Read:
        folder = Path(url).resolve()  # the target of a symbolic link may have changed
        files = await context.run(_files, folder)
        fresh = Validators(content_hash=_listing_hash(files))
        if fresh == validators:
            return Read(None, validators)
        parsed = await context.parse(url, parse_folder, folder, files, context.max_posts)
        return Read(parsed, fresh)


@dataclass(frozen=True, slots=True)
class File:
    """A Markdown file. `name` is its path below the folder, with slashes. `mtime` is in nanoseconds."""

    path: Path
    name: str
    size: int
    mtime: int
    inode: int


def _files(folder: Path) -> tuple[File, ...]:
    if not folder.is_dir():
        raise FetchError(
            "{folder} is not a folder that can be read: check the path and its permissions",
            folder=str(folder),
        )
    return tuple(sorted(_walk(folder), key=lambda file: file.name))


def _walk(folder: Path) -> Iterator[File]:
    seen = 0
    for where, folders, names in os.walk(folder, onerror=_fail):
        seen += len(names) + len(folders)
        if seen > MAX_FILES:
            raise FetchError(
                "{folder} holds more than {count} files: give a smaller folder",
                folder=str(folder),
                count=MAX_FILES,
            )
        depth = len(Path(where).relative_to(folder).parts)
        # os.walk descends into the folders that are left in this list.
        folders[:] = [name for name in folders if depth < MAX_DEPTH and not name.startswith((".", "_"))]
        for path in (Path(where, name) for name in names if is_post(name)):
            if (status := _status(path, folder)) is not None:
                name = path.relative_to(folder).as_posix()
                yield File(path, name, status.st_size, status.st_mtime_ns, status.st_ino)


def _fail(exc: OSError) -> NoReturn:
    raise FetchError(
        "{path} cannot be read ({reason}): check its permissions",
        path=str(exc.filename),
        reason=str(exc.strerror),
    ) from exc


def is_post(name: str) -> bool:
    """Whether a file is read: Markdown that is neither hidden nor the description of its folder."""
    lower = name.lower()
    return lower.endswith(_SUFFIXES) and not lower.startswith((".", "_")) and lower != "readme.md"


def _status(path: Path, folder: Path) -> os.stat_result | None:
    """The status of a regular file in `folder`; None for a device, a pipe, or a link to elsewhere."""
    try:
        if not path.resolve().is_relative_to(folder):
            return None
        status = path.stat()
    except (OSError, RuntimeError):  # it has just been deleted, or is a link to itself
        return None
    return status if stat.S_ISREG(status.st_mode) else None


def _listing_hash(files: tuple[File, ...]) -> str:
    listing = "\n".join(f"{file.name}\t{file.size}\t{file.mtime}" for file in files)
    return blake2b(listing.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()


def parse_folder(folder: Path, files: tuple[File, ...], max_posts: int = MAX_POSTS) -> ParsedSource:
    """Parse `files`: the newest posts, newest first, without drafts, and a Failure for each unreadable file.

    Raises ParseError if the folder is too large.
    """
    if sum(file.size for file in files if file.size <= MAX_BYTES) > MAX_TOTAL:
        raise ParseError(
            "{folder} holds more than {mib} MiB of Markdown: split it",
            folder=str(folder),
            mib=MAX_TOTAL // 1024**2,
        )
    by_name = {file.name: file for file in files}
    found = parse_each(by_name, lambda name: _post(by_name[name]))
    # A file that cannot be read is still there.
    unread = (guid_of(failure.name) for failure in found.failures)
    present = (*(post.guid for post in found.posts), *unread)
    parsed = ParsedSource(
        title=storable(folder.name),
        posts=found.posts[:max_posts],
        failures=found.failures,
        present=present or None,
    )
    return bounded(parsed, len(found.posts))


@dataclass(frozen=True, slots=True)
class Found:
    """What some Markdown files hold: `posts`, newest first, `failures`, and the names of `drafts`."""

    posts: tuple[ParsedPost, ...] = ()
    failures: tuple[Failure, ...] = ()
    drafts: tuple[str, ...] = ()


def parse_each(names: Iterable[str], post_of: Callable[[str], ParsedPost | None]) -> Found:
    """What the files of these names hold: `post_of` parses one, returns None for a draft, or raises."""
    posts: list[ParsedPost] = []
    failures: list[Failure] = []
    drafts: list[str] = []
    for name in names:
        try:
            post = post_of(name)
        except Unreadable as exc:
            failures.append(Failure(storable(name), str(exc)))
        except Exception as exc:  # a file that breaks a parser must not stop the others
            failures.append(Failure(storable(name), f"cannot be read ({type(exc).__name__}): fix the file"))
        else:
            if post:
                posts.append(post)
            else:
                drafts.append(name)
    return Found(newest_first(posts), tuple(failures), tuple(drafts))


def newest_first(posts: Iterable[ParsedPost]) -> tuple[ParsedPost, ...]:
    undated = datetime.min.replace(tzinfo=UTC)
    return tuple(sorted(posts, key=lambda post: post.published_at or undated, reverse=True))


class Unreadable(Exception):
    """A file cannot be read; the message is the reason."""


def _post(file: File) -> ParsedPost | None:
    """The post in `file`, or None for a draft. Raises Unreadable."""
    check_size(file.size)
    try:
        body = _read(file)
    except OSError as exc:
        raise Unreadable(f"cannot be read ({exc.strerror}): check its permissions") from exc
    return post_in(file.name, body, datetime.fromtimestamp(file.mtime // 1_000_000_000, UTC))


def check_size(size: int) -> None:
    """Raise Unreadable if a file of `size` bytes is too large."""
    if size > MAX_BYTES:
        raise Unreadable(f"is larger than {MAX_BYTES // 1024} KiB: split it")


def post_in(name: str, body: bytes, modified: datetime) -> ParsedPost | None:
    """The post in a file of that name, or None for a draft. Raises Unreadable.

    `modified` is the date of a post that has no other.
    """
    try:
        fields, content = split(_decoded(body))
    except BrokenFrontMatter as exc:
        raise Unreadable(str(exc)) from exc
    if fields.get("draft") is True or fields.get("published") is False:
        return None
    title = fields.text("title")
    if not title and (heading := _TITLE.match(content)):
        title = plain_text(markdown_to_html(heading[1] or heading[2]))
        content = content[heading.end() :]
    url = next(filter(is_web_url, map(fields.text, _URL_FIELDS)), "")
    html = sanitise(markdown_to_html(content), url)
    return ParsedPost(
        guid=guid_of(name),
        url=url,
        title=title,
        author=", ".join(fields.texts("author") or fields.texts("authors")),
        published_at=fields.date("date", "published_at", "created") or _date_in(name) or modified,
        updated_at=fields.date("lastmod", "updated", "last_modified_at"),
        html=html,
        summary=fields.text("description") or fields.text("summary"),
        tags=tuple(dict.fromkeys((*fields.texts("tags"), *fields.texts("categories")))),
        media=media_of((), html),
    )


def guid_of(name: str) -> str:
    """The guid of the post in a file of that name: the name without its suffix."""
    return storable(name.rpartition(".")[0])


def _decoded(body: bytes) -> str:
    # GB 18030 is what Chinese editors write other than UTF-8.
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return body.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
        except UnicodeDecodeError:
            continue
    line = body[: _first_bad_byte(body)].count(b"\n") + 1
    raise Unreadable(f"line {line} is not UTF-8: save the file as UTF-8")


def _read(file: File) -> bytes:
    """The bytes of a file. Raises OSError, also if another file has taken its place since it was listed."""
    with open(file.path, "rb", opener=_open) as opened:
        # The file may have been replaced since it was listed, by a link to a file outside the folder for
        # instance.
        status = os.fstat(opened.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_ino != file.inode:
            raise OSError(errno.ESTALE, "it was replaced meanwhile")
        return opened.read(MAX_BYTES)


def _open(path: str, flags: int) -> int:
    # If a pipe has taken the place of the file, opening it must not block.
    return os.open(path, flags | os.O_NONBLOCK)


def _first_bad_byte(body: bytes) -> int:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as exc:
        return exc.start
    return len(body)


def _date_in(name: str) -> datetime | None:
    """The date at the start of a file name, `2026-07-14-some-name.md`, or of the folder of an `index.md`."""
    parts = name.rpartition(".")[0].split("/")
    named = parts[-2] if parts[-1] == "index" and len(parts) > 1 else parts[-1]
    found = _DATED.match(named)
    return to_utc(found[1]) if found else None
