"""Many photos at a time, of which some are cut off, and an API that is killed meanwhile: nothing half, nothing lost.

`WAARBORG_UPLOADS=1000` uploads a thousand photos instead of a hundred.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from random import Random
from subprocess import DEVNULL, PIPE, Popen
from typing import Any

import httpx2
import psutil
import pytest
from PIL import Image
from sqlalchemy import func, select

from domain import accounts
from domain import files as stored_files
from domain.access import Actor, Role, Tx
from domain.core.db import Sessions, transaction
from domain.core.settings import Settings
from domain.files.model import File, FileCopy, FileState
from schema.core import ids
from tests import build, files
from tests.api import asking
from tests.api.asking import Api, Office
from tests.servers import free_cluster_ports

pytestmark = pytest.mark.slow

UPLOADS = int(os.environ.get("WAARBORG_UPLOADS", "100"))
CUT = 0.05
CHUNK = 64 * 1024
ROOT = Path(__file__).parents[2]
GROWTH = 1.3
"""How much more memory the second half may need than the first: less than the bytes of its photos."""


def noise() -> bytes:
    """A photo of 5 MB that compresses as badly as a real one of that size."""
    side = 1500
    image = Image.frombytes("RGB", (side, side), Random(7).randbytes(3 * side * side))
    out = BytesIO()
    image.save(out, "JPEG", quality=90, subsampling=0)
    return out.getvalue()


@dataclass(frozen=True)
class Numbered:
    """The photo with a comment of its own, so that no two have the same bytes; a thousand share the other bytes."""

    photo: bytes
    number: int

    @property
    def head(self) -> bytes:
        comment = f"photo {self.number}".encode()
        return self.photo[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment

    def __len__(self) -> int:
        return len(self.head) + len(self.photo) - 2

    def sha256(self) -> str:
        digest = sha256(self.head)
        digest.update(memoryview(self.photo)[2:])
        return digest.hexdigest()

    async def chunks(self, until: int | None = None) -> AsyncIterator[bytes]:
        yield self.head
        for first in range(2, until or len(self.photo), CHUNK):
            yield self.photo[first : min(first + CHUNK, until or len(self.photo))]


@dataclass
class Program:
    """The API in a process of its own, which may be killed and started again on the same port."""

    settings: Settings
    port: int = field(default_factory=lambda: free_cluster_ports(1)[0])
    process: Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        names = ("database_url", "system_database_url", "redis_url", "data")
        told = {f"WAARBORG_{name.upper()}": str(getattr(self.settings, name)) for name in names}
        self.process = Popen(
            [sys.executable, "-m", "api.cli", "api", "--port", str(self.port)],
            cwd=ROOT,
            env=os.environ | told | {"WAARBORG_DEVELOPMENT": "1"},
            stdin=PIPE,
            stdout=DEVNULL,
            stderr=DEVNULL,
        )

    def kill(self) -> None:
        """End it and its children without a word."""
        assert self.process is not None
        family = [psutil.Process(self.process.pid)]
        family += family[0].children(recursive=True)
        for each in family:
            each.kill()
        self.process.communicate()

    def resident(self) -> int:
        """Bytes of memory of the process, without those of its decoders."""
        assert self.process is not None
        return int(psutil.Process(self.process.pid).memory_info().rss)


@dataclass
class Storm:
    """What was sent, and what was acknowledged."""

    program: Program
    http: httpx2.AsyncClient
    uploaders: list[str]
    incident: str
    photo: bytes
    random: Random = field(default_factory=lambda: Random(11))
    acknowledged: dict[str, str] = field(default_factory=dict)
    cut: int = 0
    lost_answers: int = 0
    is_on_its_way: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self, number: int, content: Numbered) -> Any:
        given = {
            "subjectId": self.incident,
            "name": "photo.jpg",
            "mediaType": "image/jpeg",
            "sizeBytes": len(content),
        }
        token = self.uploaders[number % len(self.uploaders)]
        asked = {"query": files.START, "variables": {"input": given}}
        headers = {"authorization": f"Bearer {token}"}
        while True:
            answer = await self.http.post("/graphql", json=asked, headers=headers)
            body = answer.json()
            if "data" in body:
                break
            code = body["errors"][0]["extensions"]["code"]
            assert answer.status_code in {408, 429, 503} or code == "TIMEOUT", body
            await asyncio.sleep(float(answer.headers.get("retry-after", 1)))
        started = body["data"]["startUpload"]
        assert "path" in started, started
        return started

    async def upload(self, number: int) -> None:
        """Upload one photo, however often that takes."""
        content = Numbered(self.photo, number)
        is_cut = self.random.random() < CUT
        while True:
            try:
                started = await self.start(number, content)
                if is_cut:
                    is_cut = False
                    await self._cut_off(started["path"], content)
                answer = await self.http.put(
                    started["path"],
                    content=content.chunks(),
                    headers={"content-length": str(len(content))},
                )
            except (httpx2.TransportError, ConnectionError):
                self.lost_answers += 1
                await asyncio.sleep(0.5)
                continue
            if answer.status_code == 201:
                told = answer.json()
                assert told["sha256"] == content.sha256()
                self.acknowledged[told["id"]] = told["sha256"]
                if len(self.acknowledged) >= UPLOADS / 4:
                    self.is_on_its_way.set()
                return
            assert answer.status_code in {409, 503}, answer.text

    async def _cut_off(self, path: str, content: Numbered) -> None:
        """Send half of the bytes, and hang up; the API may be killed, or refuse the upload, before that."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.program.port)
        head = f"PUT {path} HTTP/1.1\r\nhost: a\r\ncontent-length: {len(content)}\r\n\r\n"
        writer.write(head.encode())
        async for chunk in content.chunks(len(content) // 2):
            writer.write(chunk)
            await writer.drain()
        writer.transport.abort()
        self.cut += 1
        assert await reader.read() == b""


@asynccontextmanager
async def measured(program: Program, storm: Storm) -> AsyncIterator[dict[int, int]]:
    """Peaks of memory, by the half of the acknowledged uploads in which they were."""
    peaks = {0: 0, 1: 0}

    async def look() -> None:
        while True:
            try:
                half = int(len(storm.acknowledged) >= UPLOADS / 2)
                peaks[half] = max(peaks[half], program.resident())
            except psutil.Error:
                pass  # it was killed
            await asyncio.sleep(0.05)

    looking = asyncio.create_task(look())
    try:
        yield peaks
    finally:
        looking.cancel()


async def is_up(http: httpx2.AsyncClient) -> bool:
    try:
        return (await http.get("/livez")).status_code == 200
    except httpx2.TransportError:
        return False


async def answering(http: httpx2.AsyncClient) -> None:
    async with asyncio.timeout(240):
        while not await is_up(http):  # noqa: ASYNC110 - another process tells nobody here
            await asyncio.sleep(0.2)


async def uploaders(api: Api, office: Office) -> list[str]:
    """Tokens of dispatchers; nobody has more than a hundred uploads."""
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), build.T0)
        users = [
            await accounts.add_user(
                tx, email=f"sender{n}@example.org", name=f"Sender {n}", role=Role.DISPATCHER
            )
            for n in range(max(2, UPLOADS // 100))
        ]
    return [api.token(user.id) for user in users]


async def counts(make: Sessions, office: Office) -> tuple[int, int]:
    """Files that are available, and copies."""
    tenant_id = office.world.tenant.id
    async with make() as session:
        available = await session.scalar(
            select(func.count()).where(
                File.tenant_id == tenant_id, File.state == FileState.AVAILABLE
            )
        )
        copies = await session.scalar(select(func.count()).where(FileCopy.tenant_id == tenant_id))
    return available or 0, copies or 0


async def test_what_was_acknowledged_is_whole_and_of_the_rest_nothing_is_there(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    configured = asking.settings(database_url, redis_url, tmp_path)
    program = Program(configured)
    limits = httpx2.Limits(max_connections=UPLOADS)
    async with (
        asking.running(configured) as api,
        httpx2.AsyncClient(base_url=program.address, limits=limits, timeout=600) as http,
    ):
        office = await asking.office(api)
        incident = await build.incident(api.make, office.world)
        senders = await uploaders(api, office)
        storm = Storm(program, http, senders, ids.write("Incident", incident.id), noise())
        program.start()
        try:
            await answering(http)
            async with measured(program, storm) as peaks, asyncio.TaskGroup() as group:
                for number in range(UPLOADS):
                    group.create_task(storm.upload(number))
                await storm.is_on_its_way.wait()
                program.kill()
                program.start()
            sys.stdout.write(
                f"{UPLOADS} photos of {len(storm.photo):,} bytes: {storm.cut} cut off, "
                f"{storm.lost_answers} answers lost by the kill, memory {peaks[0] >> 20} MiB in the "
                f"first half, {peaks[1] >> 20} MiB in the second\n"
            )
            available, copies = await counts(api.make, office)
            assert len(storm.acknowledged) == UPLOADS
            assert UPLOADS <= available <= UPLOADS + storm.lost_answers  # stored, answer not heard
            assert copies == 3 * available
            for file_id, expected in storm.acknowledged.items():
                seen = await files.read(api, office.dispatcher, file_id)
                bytes_read = (await http.get(seen["originalPath"])).content
                assert sha256(bytes_read).hexdigest() == expected
                for path in (seen["downloadPath"], seen["thumbnailPath"]):
                    with Image.open(BytesIO((await http.get(path)).content)) as image:
                        image.load()
            assert peaks[1] < GROWTH * peaks[0]
            assert storm.cut > 0
            assert storm.lost_answers > 0
        finally:
            program.kill()
    folder = stored_files.incoming(configured)
    for each in folder.iterdir():  # of the process that was killed
        os.utime(each, (0, 0))
    stored_files.remove_left_behind(folder)
    assert not any(folder.iterdir())
