"""A git repository of Markdown files, as for Hugo, Jekyll and Hexo, read over HTTP without a copy on disk."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from content.bounds import bounded
from content.errors import ParseError, UsageError
from content.fetch import LARGE, LargeBody, NotGiven
from content.secrets import printable
from content.sources import gitwire
from content.sources.gitremote import Remote
from content.sources.kinds import Read, ReadContext, Values, no_options
from content.sources.markdown import MAX_BYTES, Found, guid_of, newest_first
from content.text import storable
from content.types import Options, ParsedSource, Validators
from content.urls import is_web_url

if TYPE_CHECKING:
    from content.sources.gitpack import Entry, Tree

KIND = "git"
MAX_ANSWER = 32 * 1024**2  # bytes of what a server sends at once
BATCH = 500  # files that are parsed by one call
BRANCH, FOLDER = "branch", "folder"
_OTHER = re.compile(r"(?:git|ssh|git\+ssh|git\+git)://|[\w.-]+@[\w.-]+:(?!//)", re.IGNORECASE)
_WITH_GIT = re.compile(r"git\+(?=https?://)", re.IGNORECASE)
# git-check-ref-format(1)
_NO_BRANCH = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|^[-/.]|//|/\.|[/.]$|\.lock(?:/|$)")


class GitKind:
    """A git repository at an http(s) URL that ends in .git, or that begins with git+https."""

    name = KIND
    upgrades = ()

    def accepts(self, url: str) -> bool:
        if _OTHER.match(url) or _WITH_GIT.match(url):
            return True
        return is_web_url(url) and urlsplit(url).path.rstrip("/").endswith(".git")

    def chosen(self, given: Mapping[str, str]) -> Values:
        no_options(self.name, {name: text for name, text in given.items() if name not in (BRANCH, FOLDER)})
        branch, folder = given.get(BRANCH, ""), given.get(FOLDER, "").strip("/")
        if len(branch) > 200 or not branch.isprintable() or _NO_BRANCH.search(branch):
            raise UsageError("“{text}” is not the name of a branch", text=storable(branch)[:50])
        strange = folder and not {"", ".", ".."}.isdisjoint(folder.split("/"))
        if strange or len(folder) > 500 or not folder.isprintable():
            raise UsageError("“{text}” is not a folder of a repository", text=storable(folder)[:50])
        return {name: value for name, value in ((BRANCH, branch), (FOLDER, folder)) if value}

    def normalise(self, url: str) -> str:
        """`url` with a lower-case host, without `git+`, a slash at the end, query and fragment."""
        full = _WITH_GIT.sub("", url, count=1)
        if not is_web_url(full):
            raise UsageError(
                "{url} cannot be read: git repositories are read over https, give an address like {example}",
                url=printable(url)[:200],
                example="https://example.org/name.git",
            )
        parts = urlsplit(full)
        userinfo, at, host = parts.netloc.rpartition("@")
        path = parts.path.rstrip("/")
        return urlunsplit((parts.scheme.lower(), userinfo + at + host.lower(), path, "", ""))

    async def read(self, url: str, options: Options, validators: Validators, context: ReadContext) -> Read:
        return await context.one_large_at_a_time(
            lambda large: self._read(url, options, validators, context, MAX_ANSWER if large else LARGE)
        )

    async def _read(
        self, url: str, options: Options, validators: Validators, context: ReadContext, most: int
    ) -> Read:
        from content.sources.gitpack import too_large

        try:
            return await _read(url, options, validators, context, most)
        except LargeBody as exc:
            if most < MAX_ANSWER:
                raise
            raise too_large(url, most) from exc


async def _read(url: str, options: Options, validators: Validators, context: ReadContext, most: int) -> Read:
    """Read a repository whose server sends at most `most` bytes at once. Raises SourceError."""
    remote = Remote(url, str(options.values.get(BRANCH, "")), context, most)
    commit = await remote.commit()
    if commit == validators.etag:
        return Read(None, validators, remote.moved)
    reading = _Contents(remote, url, str(options.values.get(FOLDER, "")), context.max_posts)
    tree, changed, found = await reading.of(commit, validators.content_hash)
    if not tree.files and not validators.etag:
        raise ParseError(
            "{url} has no Markdown files that are posts: name their folder, like {example}",
            url=printable(url),
            example="folder=_posts",
        )
    is_whole = len(changed) == len(tree.files)
    parsed = ParsedSource(
        title=printable(url).rpartition("/")[2].removesuffix(".git"),
        posts=found.posts,
        failures=found.failures,
        withdrawn=tuple(map(guid_of, found.drafts)),
        present=_present(found, changed) if is_whole else None,
        partial=not is_whole,
    )
    total = len(changed) - len(found.drafts) - len(found.failures)
    fresh = Validators(etag=commit, content_hash=_listing(tree, found))
    return Read(bounded(parsed, total), fresh, remote.moved)


@dataclass(frozen=True, slots=True)
class _Contents:
    """Gets the files of a commit, below `folder`, and the newest `max_posts` posts in them."""

    remote: Remote
    url: str
    folder: str
    max_posts: int

    async def of(self, commit: str, listing: str) -> tuple["Tree", Sequence["Entry"], Found]:
        """All files, those that have changed since the `listing`, and what is in them. Raises SourceError."""
        if self.remote.gives_files:
            tree = await self._tree(await self.remote.objects([commit], gitwire.FILES), commit)
            changed = _changed(tree, listing)
            if not changed:
                return tree, changed, Found()
            try:
                answer = await self.remote.objects(sorted({entry.blob for entry in changed}))
                return tree, changed, await self._posts(answer, changed, tree.committed)
            except NotGiven:  # this server gives no single files
                pass
        answer = await self.remote.objects([commit], f"blob:limit={MAX_BYTES + 1}")
        tree = await self._tree(answer, commit)
        changed = _changed(tree, listing)
        return tree, changed, await self._posts(answer, changed, tree.committed)

    async def _tree(self, answer: bytes, commit: str) -> "Tree":
        from content.sources.gitpack import files_in

        return await self.remote.parse(files_in, answer, self.url, commit, self.folder)

    async def _posts(self, answer: bytes, entries: Sequence["Entry"], committed: datetime) -> Found:
        """What is in the files, parsed in batches, because the time of each call is limited."""
        from content.sources.gitpack import posts_in

        found = Found()
        for start in range(0, len(entries), BATCH):
            batch = entries[start : start + BATCH]
            part = await self.remote.parse(posts_in, answer, self.url, batch, committed)
            found = Found(
                newest_first((*found.posts, *part.posts))[: self.max_posts],
                found.failures + part.failures,
                found.drafts + part.drafts,
            )
        return found


def _listing(tree: "Tree", found: Found) -> str:
    """The hashes of all files, by which the next read knows which have changed.

    A file that cannot be read has the hash of no content, so that it is tried again.
    """
    from content.sources.gitpack import HASH

    failed = {failure.name for failure in found.failures}
    pairs = ((file.hashes, storable(file.name) in failed) for file in tree.files)
    return "".join(name + ("-" * HASH if is_broken else content) for (name, content), is_broken in pairs)


def _changed(tree: "Tree", listing: str) -> Sequence["Entry"]:
    """The files that are not in the listing of the last read; all of them if one of the listing is gone.

    If all are read, a post that is gone can be told from one whose file has another name by now.
    """
    from content.sources.gitpack import HASH

    known = {listing[at : at + 2 * HASH] for at in range(0, len(listing), 2 * HASH)}
    gone = {pair[:HASH] for pair in known} - {file.hashes[0] for file in tree.files}
    return [file for file in tree.files if gone or "".join(file.hashes) not in known]


def _present(found: Found, files: Sequence["Entry"]) -> tuple[str, ...] | None:
    """The guids of all posts, when all files were read. A file that cannot be read is still there."""
    drafts = set(found.drafts)
    return tuple(guid_of(file.name) for file in files if file.name not in drafts) or None
