"""A git server over HTTP: version 0 by dulwich's own server, version 2 by a few lines of ours."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from io import BytesIO
from typing import Any, cast

from aiohttp import web
from dulwich.object_format import SHA1
from dulwich.objects import Blob, Commit, ObjectID, ShaFile, Tree
from dulwich.pack import write_pack_objects
from dulwich.refs import Ref
from dulwich.repo import MemoryRepo
from dulwich.server import BackendRepo, DictBackend
from dulwich.web import make_wsgi_chain

from tests.content.test_fetch import Server, serving

File = str | bytes | tuple[int, bytes]  # its content, or its mode and content
FILE, FOLDER, LINK, SUBMODULE = 0o100644, 0o040000, 0o120000, 0o160000
MADE = 1_784_000_000  # when commits are made, in seconds since 1970


def packet(body: bytes) -> bytes:
    return f"{len(body) + 4:04x}".encode() + body


def lines_of(body: bytes) -> list[str]:
    """The lines of a request."""
    lines, at = list[str](), 0
    while at < len(body):
        length = int(body[at : at + 4], 16)
        if length >= 4:
            lines.append(body[at + 4 : at + length].decode().rstrip("\n"))
        at += max(length, 4)
    return lines


def answer(pack: bytes) -> bytes:
    """What a server of version 2 answers with a pack."""
    pieces = (packet(b"\x01" + pack[at : at + 65_000]) for at in range(0, len(pack), 65_000))
    return packet(b"packfile\n") + b"".join(pieces) + b"0000"


def packed(objects: Iterable[ShaFile]) -> bytes:
    pack = BytesIO()
    write_pack_objects(pack, [(one, None) for one in objects], object_format=SHA1)
    return pack.getvalue()


def tree_of(files: Mapping[str, File]) -> list[ShaFile]:
    """The objects of a folder with these files, itself last."""
    tree, inside, objects = Tree(), dict[str, dict[str, File]](), list[ShaFile]()
    for path, given in files.items():
        name, _, rest = path.partition("/")
        if rest:
            inside.setdefault(name, {})[rest] = given
            continue
        mode, content = given if isinstance(given, tuple) else (FILE, given)
        blob = Blob.from_string(content.encode() if isinstance(content, str) else content)
        objects.append(blob)
        tree.add(name.encode(), mode, blob.id)
    for name, below in inside.items():
        objects += tree_of(below)
        tree.add(name.encode(), FOLDER, objects[-1].id)
    return [*objects, tree]


def commit_of(tree: ObjectID, message: bytes = b"x") -> Commit:
    commit = Commit()
    commit.tree, commit.message = tree, message
    commit.author = commit.committer = b"Ann <ann@example.org>"
    commit.author_time = commit.commit_time = MADE
    commit.author_timezone = commit.commit_timezone = 0
    return commit


class GitServer:
    """One repository. `asked` are the commands and wants of each request, `sent` the bytes of the answers."""

    def __init__(self, version: int = 2, *, filters: bool = True, single_files: bool = True) -> None:
        self.version, self.filters, self.single_files = version, filters, single_files
        self.repo = MemoryRepo()
        self.asked: list[str] = []
        self.sent: list[int] = []
        self._v0 = make_wsgi_chain(DictBackend({"/repo.git": cast(BackendRepo, self.repo)}))

    def commit(self, files: Mapping[str, File], branch: str = "main", message: str = "x") -> str:
        """Make the branch a commit without a parent that has these files, as after a forced push."""
        objects = tree_of(files)
        commit = commit_of(objects[-1].id, message.encode())
        for one in (*objects, commit):
            self.repo.object_store.add_object(one)
        self.repo.refs[Ref(f"refs/heads/{branch}".encode())] = commit.id
        self.repo.refs.set_symbolic_ref(Ref(b"HEAD"), Ref(b"refs/heads/main"))
        return commit.id.decode()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        if self.version == 0:
            answered = self._version_0(request, body)
        elif request.method == "GET":
            answered = self.advertise()
        else:
            answered = self._version_2(body)
        self.sent.append(len(answered))
        return web.Response(body=answered)

    def _version_0(self, request: web.BaseRequest, body: bytes) -> bytes:
        self.asked.append(body.decode() if body else "refs")
        environ = {
            "REQUEST_METHOD": request.method,
            "PATH_INFO": request.path,
            "QUERY_STRING": request.query_string,
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": request.content_type,
            "wsgi.input": BytesIO(body),
        }
        written: list[bytes] = []

        def start(status: str, headers: object, exc_info: object = None) -> Any:
            assert status == "200 OK", status
            return written.append

        written += self._v0(environ, start)
        return b"".join(written)

    def advertise(self) -> bytes:
        self.asked.append("refs")
        fetch = b"fetch=shallow filter\n" if self.filters else b"fetch=shallow\n"
        lines = (b"version 2\n", b"agent=test\n", b"ls-refs\n", fetch, b"object-format=sha1\n")
        service = packet(b"# service=git-upload-pack\n") + b"0000"
        return service + b"".join(map(packet, lines)) + b"0000"

    def _version_2(self, body: bytes) -> bytes:
        lines = lines_of(body)
        if "command=ls-refs" in lines:
            self.asked.append("ls-refs")
            prefix = next(line.split()[1] for line in lines if line.startswith("ref-prefix "))
            refs = self.repo.get_refs()
            found = [(refs[name], name) for name in refs if name.decode().startswith(prefix)]
            return b"".join(packet(oid + b" " + name + b"\n") for oid, name in found) + b"0000"
        wants = [ObjectID(line[5:].encode()) for line in lines if line.startswith("want ")]
        only_folders = "filter blob:none" in lines
        assert lines[-1] == "done", lines
        kind = self.repo[wants[0]].type_name.decode()
        assert kind == "blob" or "deepen 1" in lines, lines
        self.asked.append(f"{len(wants)} {kind}" + (" without files" if only_folders else ""))
        if kind == "blob" and not self.single_files:
            return packet(b"ERR upload-pack: not our ref " + wants[0])
        objects = [one for want in wants for one in self._below(want, only_folders)]
        return answer(packed({one.id: one for one in objects}.values()))

    def _below(self, oid: ObjectID, only_folders: bool) -> Iterable[ShaFile]:
        """An object and all below it, but the files if only folders are wanted."""
        if oid not in self.repo:  # a submodule
            return
        one = self.repo[oid]
        yield one
        if isinstance(one, Commit):
            yield from self._below(one.tree, only_folders)
        if isinstance(one, Tree):
            for _, mode, below in one.iteritems():
                if mode == FOLDER or not only_folders:
                    yield from self._below(below, only_folders)


@asynccontextmanager
async def git_server(
    version: int = 2, *, filters: bool = True, single_files: bool = True
) -> AsyncIterator[tuple[GitServer, Server]]:
    """A repository, and the server at whose `/repo.git` it is."""
    repository = GitServer(version, filters=filters, single_files=single_files)
    async with serving(repository.handle) as server:
        yield repository, server
