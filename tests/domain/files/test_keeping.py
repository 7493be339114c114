"""What is kept of a file: after scanning, erasure, deletion and retention, in a directory and in a bucket."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer
from sqlalchemy import select, update

from domain import privacy
from domain.access import Actor, Tx
from domain.core.db import transaction
from domain.core.ledger import LedgerRow
from domain.files import CopyKind, FileState, store_of, unscanned
from domain.files.blobs import CHUNK
from domain.files.model import Blob, File, FileCopy
from schema.core import ids
from tests import build, files, guards
from tests.api import asking
from tests.api.asking import Api, Office
from workers import files as work
from workers.periodic import WorkContext

SCANNER = """sh -c '! grep -q EICAR "$0"'"""


async def row(api: Api, file_id: str) -> File:
    async with api.make() as session:
        return await session.get_one(File, ids.wanted(file_id, "File", "id"))


async def copies(api: Api, file_id: str) -> dict[CopyKind, str]:
    """The addresses of a file's copies."""
    async with api.make() as session:
        found = await session.scalars(
            select(FileCopy).where(FileCopy.file_id == ids.wanted(file_id, "File", "id"))
        )
        return {each.kind: each.address for each in found}


async def keep(api: Api, office: Office, *, days: int) -> None:
    """Do the workers' periodic work as if everything of the company had happened `days` earlier."""
    async with transaction(api.make) as session:
        for kind, columns in (
            (Blob, ("reserved_at",)),
            (File, ("started_at", "expires_at", "stored_at")),
        ):
            found: Any = await session.scalars(
                select(kind).where(kind.tenant_id == office.world.tenant.id)
            )
            for each in found:
                for column in columns:
                    if (was := getattr(each, column)) is not None:
                        setattr(each, column, was - timedelta(days=days))
    await work.keep_files(WorkContext(api.make, api.state.settings), 100)


def bytes_of(data: Path) -> set[str]:
    root = data / "files" / "blobs"
    return {str(each.relative_to(root)) for each in root.rglob("*") if each.is_file()}


async def test_equal_bytes_are_stored_once_in_a_company_and_apart_from_another_companys(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    async with asking.running(asking.settings(database_url, redis_url, tmp_path)) as api:
        office, other = await asking.office(api), await asking.office(api)
        content = files.photo()
        incident = await build.incident(api.make, office.world)
        elsewhere = await build.incident(api.make, other.world)
        first = await files.upload(api, office.client, incident.id, content)
        second = await files.upload(api, office.client, incident.id, content)
        apart = await files.upload(api, other.client, elsewhere.id, content)
        mine, same, theirs = [await copies(api, each) for each in (first, second, apart)]
        assert mine == same
        assert not set(mine.values()) & set(theirs.values())
        assert bytes_of(tmp_path) == {*mine.values(), *theirs.values()}

        delete = "mutation ($id: ID!) { deleteFile(input: {id: $id}) { __typename } }"
        await api.data(office.client, delete, id=first)
        await keep(api, office, days=1)
        assert bytes_of(tmp_path) == {*mine.values(), *theirs.values()}  # the second has them
        await api.data(office.client, delete, id=second)
        await keep(api, office, days=1)
        assert bytes_of(tmp_path) == {*theirs.values()}


async def test_a_file_is_deleted_after_its_retention_and_an_upload_that_never_came_before(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    async with asking.running(asking.settings(database_url, redis_url, tmp_path)) as api:
        office = await asking.office(api)
        incident = await build.incident(api.make, office.world)
        content = files.photo()
        kept = await files.upload(api, office.client, incident.id, content)
        awaited = (await files.start(api, office.client, incident.id, content))["file"]["id"]
        await keep(api, office, days=729)
        assert (await row(api, kept)).state is FileState.AVAILABLE
        assert await files.read(api, office.client, awaited) is None
        await keep(api, office, days=2)
        gone = await row(api, kept)
        assert (gone.state, gone.name, gone.camera) == (FileState.DELETED, "erased", None)
        await keep(api, office, days=1)
        assert bytes_of(tmp_path) == set()
        async with api.make() as session:
            facts = await session.scalars(
                select(LedgerRow).where(
                    LedgerRow.tenant_id == office.world.tenant.id, LedgerRow.kind.like("file.%")
                )
            )
            last = {each.kind: each for each in facts}
        assert last["file.deleted"].body["reason"] == "retention"
        assert "file.upload_expired" in last


async def test_a_file_can_be_downloaded_only_when_the_scanner_passed_it(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    configured = asking.settings(database_url, redis_url, tmp_path, files_scan_command=SCANNER)
    async with asking.running(configured) as api:
        office = await asking.office(api)
        incident = await build.incident(api.make, office.world)
        good = await files.upload(api, office.client, incident.id, files.photo())
        bad = await files.upload(api, office.client, incident.id, files.photo(comment=b"EICAR"))
        for each in (good, bad):
            seen = await files.read(api, office.client, each)
            assert (seen["state"], seen["downloadPath"]) == ("STORED", None)
        await work.scan_files(WorkContext(api.make, configured), 100)
        states = [(await files.read(api, office.client, each))["state"] for each in (good, bad)]
        assert states == ["AVAILABLE", "REJECTED"]
        assert await copies(api, bad) == {}
        path = (await files.read(api, office.client, good))["downloadPath"]
        assert (await api.http.get(path)).status_code == 200


async def test_erasing_a_user_leaves_what_clients_get_and_nothing_of_the_uploader(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    async with asking.running(asking.settings(database_url, redis_url, tmp_path)) as api:
        office = await asking.office(api)
        guard = await guards.on_duty(api.make, office.world, site=office.world.site)
        incident = await build.incident(api.make, office.world)
        user_id = guard.duty.user_id
        file_id = await files.upload(
            api, api.token(user_id), incident.id, files.photo(), name="jan.jpg"
        )
        before = await copies(api, file_id)
        system = Actor.system(office.world.tenant.id, "test")
        async with transaction(api.make) as session:
            tx = Tx(session, system, api.state.now())
            _row, told = await privacy.export(tx, privacy.Person.USER, user_id)
            await privacy.erase(tx, privacy.Person.USER, user_id)
        assert [(each["name"], each["camera"]) for each in told["files"]] == [
            ("jan.jpg", "Fairphone FP5")
        ]
        left = await row(api, file_id)
        assert (left.name, left.camera, left.taken_at, left.taken_lat) == ("erased",) + (None,) * 3
        after = await copies(api, file_id)
        assert before.keys() - after.keys() == {CopyKind.ORIGINAL}
        await keep(api, office, days=1)
        assert bytes_of(tmp_path) == set(after.values())
        seen = await files.read(api, office.client, file_id)
        assert (await api.http.get(seen["downloadPath"])).status_code == 200


@pytest.fixture
def bucket() -> Iterator[dict[str, Any]]:
    """A bucket of an S3-compatible server on this machine."""
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    client = boto3.client(
        "s3", endpoint_url=address, region_name="us-east-1", aws_access_key_id="key",
        aws_secret_access_key="secret",
    )  # fmt: skip
    client.create_bucket(Bucket="photos")
    try:
        yield {
            "files_bucket": "photos", "files_endpoint": address, "files_access_key": "key",
            "files_secret_key": "secret",
        }  # fmt: skip
    finally:
        server.stop()


async def test_a_bucket_keeps_serves_and_deletes_files(
    database_url: str, redis_url: str, tmp_path: Path, bucket: dict[str, Any]
) -> None:
    configured = asking.settings(
        database_url, redis_url, tmp_path, files_scan_command=SCANNER, **bucket
    )
    async with asking.running(configured) as api:
        office = await asking.office(api)
        incident = await build.incident(api.make, office.world)
        content = files.pdf(padding=2 * CHUNK)
        file_id = await files.upload(
            api, office.client, incident.id, content, mediaType="application/pdf"
        )
        await work.scan_files(WorkContext(api.make, configured), 100)
        path = (await files.read(api, office.client, file_id))["downloadPath"]
        assert (await api.http.get(path)).content == content
        part = await api.http.get(path, headers={"range": "bytes=5-300000"})
        assert (part.status_code, part.content) == (206, content[5:300_001])
        assert bytes_of(tmp_path) == set()

        [address] = set((await copies(api, file_id)).values())
        await keep(api, office, days=731)
        await keep(api, office, days=1)
        with pytest.raises(OSError, match=r"bucket|not found"):
            _ = [chunk async for chunk in store_of(configured).read(address, 0, 9)]
        assert (await api.http.get(path)).status_code == 404


async def test_files_of_one_company_wait_for_the_scanner_beside_those_of_another(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    async with asking.running(asking.settings(database_url, redis_url, tmp_path)) as api:
        busy, other = await asking.office(api), await asking.office(api)
        uploads = []
        for office, count in ((busy, 3), (other, 1)):
            incident = await build.incident(api.make, office.world)
            for n in range(count):
                content = files.photo(comment=str(n).encode())
                uploads.append(await files.upload(api, office.client, incident.id, content))
        companies = {busy.world.tenant.id, other.world.tenant.id}
        async with transaction(api.make) as session:
            waiting = update(File).where(File.tenant_id.in_(companies))
            await session.execute(waiting.values(state=FileState.STORED))
        async with api.make() as session:
            first = await unscanned(session, at=datetime.now(UTC), limit=2)
        assert len(uploads) == 4
        assert {each.tenant_id for each in first} == companies
