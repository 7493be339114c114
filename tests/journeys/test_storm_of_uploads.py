"""Many photos at a time, of which some are cut off, and an API that is killed meanwhile: nothing half, nothing lost.

`WAARBORG_UPLOADS=1000` uploads a thousand photos instead of a hundred; that takes longer than pytest's own limit for a
test that hangs (`-o faulthandler_timeout=0`) and 11 GB of disk, which the test gives back.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import file_digest, sha256
from io import BytesIO
from pathlib import Path
from random import Random
from shutil import rmtree
from time import monotonic
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
from domain.files.model import File, FileCopy, FileState
from schema.core import ids
from tests import build, files
from tests.api import asking
from tests.api.asking import Api, Office
from tests.uploading import Numbered, Program, noise

pytestmark = pytest.mark.slow

UPLOADS = int(os.environ.get("WAARBORG_UPLOADS", "100"))
CUT_EVERY = 20
"""One upload of so many is cut off once: 5 %."""
GROWTH = 1.25
"""How much more memory the second half may need than the first, at the most; a process that keeps 1 % of the bytes of
500 photos would need 25 MB more."""


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
    busy: int = 0
    slow: int = 0
    started_again: int = 0
    began: float = field(default_factory=monotonic)
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
        """Upload one photo, however often that takes, to the same address for as long as it is valid."""
        content = Numbered(self.photo, number)
        is_cut = number % CUT_EVERY == 0
        started = None
        while True:
            try:
                if started is None:
                    started = await self.start(number, content)
                if is_cut:
                    await self._cut_off(started["path"], content)
                    is_cut = False
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
            assert answer.status_code in {408, 409, 410, 503}, answer.text
            if answer.status_code in {408, 503}:
                self.slow += answer.status_code == 408  # this process, which sends all of them
                self.busy += answer.status_code == 503
                await asyncio.sleep(float(answer.headers.get("retry-after", 1)))
            else:  # stored although nobody heard it, or the address has expired
                self.started_again += 1
                started = None

    async def _cut_off(self, path: str, content: Numbered) -> None:
        """Send half of the bytes, and hang up; a connection that the API ended before that is not counted."""
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


async def addresses(make: Sessions, office: Office) -> dict[str, tuple[str, int]]:
    """Hash and size of every stored copy, by its address."""
    async with make() as session:
        rows = await session.execute(
            select(FileCopy.address, FileCopy.sha256, FileCopy.size_bytes).where(
                FileCopy.tenant_id == office.world.tenant.id
            )
        )
        return {address: (digest, size) for address, digest, size in rows}


def some(storm: Storm) -> list[tuple[str, str]]:
    """A hundred of the acknowledged photos; of all of them the copies on the disk were hashed before."""
    found = sorted(storm.acknowledged.items())
    return storm.random.sample(found, min(100, len(found)))


async def read_back(
    api: Api, http: httpx2.AsyncClient, office: Office, file_id: str, expected: str
) -> None:
    """Download a photo with its copies, as whoever may."""
    seen = await files.read(api, office.dispatcher, file_id)
    bytes_read = (await http.get(seen["originalPath"])).content
    assert sha256(bytes_read).hexdigest() == expected
    for path in (seen["downloadPath"], seen["thumbnailPath"]):
        with Image.open(BytesIO((await http.get(path)).content)) as image:
            image.load()


async def whole_copies(make: Sessions, office: Office, blobs: Path) -> tuple[int, int]:
    """Hash every stored copy on the disk; return how many are whole, and how many files there are that no row names."""
    known = await addresses(make, office)

    def look() -> tuple[int, int]:
        whole = 0
        for address, (digest, size) in known.items():
            with (blobs / address).open("rb") as file:
                is_whole = file_digest(file, "sha256").hexdigest() == digest
            whole += is_whole and (blobs / address).stat().st_size == size
        on_disk = {str(each.relative_to(blobs)) for each in blobs.rglob("*") if each.is_file()}
        assert known.keys() <= on_disk
        return whole, len(on_disk - known.keys())

    return await asyncio.to_thread(look)


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


async def stored(make: Sessions, office: Office) -> tuple[dict[str, str | None], int]:
    """Files that are available with their hashes, and the number of copies."""
    tenant_id = office.world.tenant.id
    mine = (File.tenant_id == tenant_id, File.state == FileState.AVAILABLE)
    async with make() as session:
        rows = await session.execute(select(File.id, File.sha256).where(*mine))
        available = {ids.write("File", row_id): digest for row_id, digest in rows}
        copies = await session.scalar(select(func.count()).where(FileCopy.tenant_id == tenant_id))
    return available, copies or 0


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
            before = program.resident()
            async with measured(program, storm) as peaks, asyncio.TaskGroup() as group:
                for number in range(UPLOADS):
                    group.create_task(storm.upload(number))
                await storm.is_on_its_way.wait()
                program.kill()
                program.start()
            took, after = monotonic() - storm.began, program.resident()
            available, copies = await stored(api.make, office)
            blobs = configured.data / "files" / "blobs"
            whole, unnamed = await whole_copies(api.make, office, blobs)
            sys.stdout.write(
                f"\n{UPLOADS} photos of {len(storm.photo):,} bytes in {took:.0f} s: {storm.cut} cut off,"
                f" {storm.lost_answers} connections lost, {storm.busy} times busy,"
                f" {storm.slow} too slow, {storm.started_again} started again;"
                f" acknowledged {len(storm.acknowledged)}, stored {len(available)}, copies {copies}, different"
                f" and whole {whole}, bytes without a row {unnamed};"
                f" memory {before >> 20} MiB before, {peaks[0] >> 20} at most in the"
                f" first half, {peaks[1] >> 20} in the second, {after >> 20} after\n"
            )
            assert len(storm.acknowledged) == UPLOADS
            assert storm.acknowledged.items() <= available.items()
            assert len(available) <= UPLOADS + storm.lost_answers  # stored, answer not heard
            assert copies == 3 * len(available)
            assert whole == len(await addresses(api.make, office)) > 2 * UPLOADS
            await asyncio.gather(*(read_back(api, http, office, *each) for each in some(storm)))
            assert peaks[1] < GROWTH * peaks[0]
            assert storm.cut == len(range(0, UPLOADS, CUT_EVERY))
            assert storm.lost_answers > 0
        finally:
            program.kill()
            rmtree(configured.data / "files" / "blobs", ignore_errors=True)
    folder = stored_files.incoming(configured)
    for each in folder.iterdir():  # of the process that was killed
        os.utime(each, (0, 0))
    stored_files.remove_left_behind(folder)
    assert not any(folder.iterdir())
