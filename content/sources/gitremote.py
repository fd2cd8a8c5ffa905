"""A git server at the other end of HTTP: each request goes through the guarded fetcher of the read."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar, TypeVarTuple
from urllib.parse import urlsplit, urlunsplit

from content.bounds import MAX_URL
from content.errors import FetchError, ParseError
from content.fetch import Fetched
from content.secrets import printable
from content.sources import gitwire
from content.sources.gitwire import Advertised
from content.sources.kinds import ReadContext

T = TypeVar("T")
Args = TypeVarTuple("Args")

_REFS = f"/info/refs?service={gitwire.SERVICE}"


class Remote:
    """A repository on its server, for one read.

    LargeBody is raised for an answer of more than `most` bytes. `moved` is the URL to which the repository
    has moved for good, empty if it has not.
    """

    def __init__(self, url: str, branch: str, context: ReadContext, most: int) -> None:
        self._url, self._branch, self._context, self._most = url, branch, context, most
        self._base = url  # where the server has sent us
        self._server = Advertised(0, frozenset())
        self.moved = ""

    async def commit(self) -> str:
        """The id of the branch's newest commit. It is asked for first. Raises SourceError."""
        fetched = await self._ask(self._url + _REFS, gitwire.VERSION_2)
        self._base = self._without_refs(fetched.url)
        if fetched.moved and len(fetched.moved) <= MAX_URL:
            self.moved = self._without_refs(fetched.moved)
        body = fetched.body or b""
        self._server = await self.parse(gitwire.advertised, body, self._url, self._branch)
        commit = self._server.commit
        if self._server.version == 2:
            answer = await self._post(gitwire.ask_for_ref(self._branch))
            commit = await self.parse(gitwire.listed_commit, answer, self._branch)
        if commit:
            return commit
        if not self._branch:
            raise FetchError("{url} is an empty repository: add it later", url=printable(self._url))
        raise FetchError(
            "{url} has no branch {branch}: choose another with {example}",
            url=printable(self._url),
            branch=self._branch,
            example="branch=NAME",
        )

    @property
    def gives_files(self) -> bool:
        """Whether the server can send folders without files, and then the files that are wanted."""
        return self._server.version == 2 and "filter" in self._server.features

    async def objects(self, wanted: Sequence[str], leave_out: str = "") -> bytes:
        """The answer with a pack of these objects; of a commit with all files, but those to leave out."""
        return await self._post(gitwire.ask_for_pack(self._server, wanted, leave_out))

    async def parse(self, function: Callable[[*Args], T], *args: *Args) -> T:
        """The result of a function on an answer, which is called in a process that can be killed."""
        return await self._context.parse(self._url, function, *args)

    async def _post(self, body: bytes) -> bytes:
        headers = {**gitwire.ASKED, **(gitwire.VERSION_2 if self._server.version == 2 else {})}
        return (await self._ask(f"{self._base}/{gitwire.SERVICE}", headers, body)).body or b""

    async def _ask(self, url: str, headers: Mapping[str, str], body: bytes | None = None) -> Fetched:
        return await self._context.fetcher.ask(url, headers, body, max_bytes=self._most)

    def _without_refs(self, url: str) -> str:
        """The repository's URL for that of its refs, with the login that the source has for this server.

        As git does, only redirects are followed that leave the end of the URL as it is.
        """
        if not url.endswith(_REFS):
            raise ParseError(
                "{url} is not a git repository: give the address that git clones from",
                url=printable(self._url),
            )
        ours, theirs = urlsplit(self._url), urlsplit(url.removesuffix(_REFS))
        login, at, host = ours.netloc.rpartition("@")
        if theirs.scheme == ours.scheme and theirs.netloc.lower() == host:
            theirs = theirs._replace(netloc=f"{login}{at}{theirs.netloc}")
        return urlunsplit(theirs)
