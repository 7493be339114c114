"""Uploads that are refused, downloads in parts, and what a cut connection leaves: nothing."""

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pypdf import PdfWriter
from pypdf.generic import DictionaryObject, NameObject, PdfObject, TextStringObject
from sqlalchemy import func, select

from domain.files import incoming
from domain.files.model import Blob, FileCopy
from schema.core import ids
from tests import build, files
from tests.api import asking
from tests.api.asking import Api, Office, Server

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.fixture
async def server(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Server]:
    configured = asking.settings(database_url, redis_url, tmp_path)
    async with asking.serving(configured) as running:
        yield running


def archived() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("run.js", "alert(1)")
    return files.photo() + out.getvalue()


def bomb() -> bytes:
    """60 megapixels in 60 kB."""
    out = io.BytesIO()
    Image.new("1", (10_000, 6_000)).save(out, "PNG")
    return out.getvalue()


def animation() -> bytes:
    out = io.BytesIO()
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "navy")]
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:])
    return out.getvalue()


def active_pdf() -> bytes:
    writer, out = PdfWriter(), io.BytesIO()
    writer.add_blank_page(width=200, height=200)
    code: dict[str, PdfObject] = {
        "/S": NameObject("/JavaScript"),
        "/JS": TextStringObject("app.alert(1)"),
    }
    action = DictionaryObject({NameObject(key): value for key, value in code.items()})
    writer.root_object[NameObject("/OpenAction")] = action
    writer.write(out)
    return out.getvalue()


def packed_pdf() -> bytes:
    writer, out = PdfWriter(), io.BytesIO()
    writer.add_blank_page(width=200, height=200)
    writer.add_attachment("run.exe", b"MZ")
    writer.write(out)
    return out.getvalue()


JPEG, PNG, PDF = "image/jpeg", "image/png", "application/pdf"
REFUSED = {
    "svg": (SVG, PNG, "no JPEG"),
    "html": (b"<html><script>alert(1)</script></html>", JPEG, "no JPEG"),
    "an image of another type": (files.photo(form="PNG"), JPEG, "It is image/png"),
    "a program": (b"MZ" + bytes(500), PDF, "no JPEG"),
    "half an image": (files.photo()[:2000], JPEG, "cannot be decoded"),
    "a head without an image": (b"\xff\xd8\xff\xe0" + bytes(500), JPEG, "cannot be decoded"),
    "a script in a comment": (files.photo(comment=b"<script>alert(1)</script>"), JPEG, "markup"),
    "a page behind an image": (files.photo() + b"<html><body>", JPEG, "markup"),
    "bytes behind a png": (files.photo(form="PNG") + b"more", PNG, "follows the end"),
    "an archive behind an image": (archived(), JPEG, "an archive"),
    "a bomb": (bomb(), PNG, "megapixels"),
    "an animation": (animation(), PNG, "animation"),
    "a document with code": (active_pdf(), PDF, "contains code"),
    "a document with a file": (packed_pdf(), PDF, "another file"),
    "half a document": (files.pdf()[:200], PDF, "cannot be decoded"),
}


async def nothing_is_kept(api: Api, office: Office) -> bool:
    """Whether neither the tables nor the directory of uploads hold anything of the company's."""
    async with api.make() as session:
        counts = [
            await session.scalar(
                select(func.count()).where(kind.tenant_id == office.world.tenant.id)
            )
            for kind in (Blob, FileCopy)
        ]
    folder = incoming(api.state.settings)
    return counts == [0, 0] and (not folder.exists() or not any(folder.iterdir()))


async def test_what_is_not_accepted_is_refused_with_the_reason_and_leaves_nothing(
    server: Server,
) -> None:
    api = server.api
    office = await asking.office(api)
    incident = await build.incident(api.make, office.world)
    for label, (content, media_type, why) in REFUSED.items():
        started = await files.start(api, office.client, incident.id, content, mediaType=media_type)
        answer = await files.put(api, started["path"], content)
        told = answer.json()["errors"][0]["message"]
        assert (answer.status_code, why in told) == (422, True), (label, told)
    assert await nothing_is_kept(api, office)


async def test_documents_and_every_kind_of_image_are_accepted(server: Server) -> None:
    api = server.api
    office = await asking.office(api)
    incident = await build.incident(api.make, office.world)
    for content, media_type, size in (
        (files.pdf(2), PDF, None),
        (files.photo(form="PNG"), PNG, 600),
        (files.photo(form="WEBP"), "image/webp", 600),
    ):
        file_id = await files.upload(api, office.client, incident.id, content, mediaType=media_type)
        seen = await files.read(api, office.client, file_id)
        assert (seen["mediaType"], seen["widthPx"]) == (media_type, size)
        copy = await api.http.get(seen["downloadPath"])
        assert (copy.status_code, copy.headers["content-type"]) == (200, media_type)
        assert b"Fairphone" not in copy.content


@pytest.mark.parametrize(
    ("given", "argument"),
    [
        ({"name": "../../etc/passwd"}, "name"),
        ({"name": "..\\evil.jpg"}, "name"),
        ({"name": "a\x00b.jpg"}, "name"),
        ({"name": "gpj\u202e.exe"}, "name"),
        ({"name": ".."}, "name"),
        ({"name": "x" * 151}, "name"),
        ({"mediaType": "image/svg+xml"}, "mediaType"),
        ({"sizeBytes": 25_000_001}, "sizeBytes"),
        ({"sizeBytes": 0}, "sizeBytes"),
        ({"sha256": "ABC"}, "sha256"),
        ({"subjectId": "x"}, "subjectId"),
    ],
    ids=str,
)
async def test_an_upload_that_cannot_succeed_is_refused_at_once(
    server: Server, given: dict[str, Any], argument: str
) -> None:
    api = server.api
    office = await asking.office(api)
    incident = await build.incident(api.make, office.world)
    answer = await api.ask(
        office.client, files.START,
        input={
            "subjectId": ids.write("Incident", incident.id), "name": "a.jpg",
            "mediaType": JPEG, "sizeBytes": 100, **given,
        },
    )  # fmt: skip
    told = answer.get("data") and answer["data"]["startUpload"]
    told = told or answer["errors"][0]["extensions"]
    assert told["argument"] == argument


async def test_too_many_too_few_packed_and_other_bytes_are_refused_and_the_path_still_works(
    server: Server,
) -> None:
    api = server.api
    office = await asking.office(api)
    incident = await build.incident(api.make, office.world)
    content = files.photo()

    async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
        for each in parts:
            yield each

    started = await files.start(api, office.client, incident.id, content, sha256="0" * 64)
    assert (await files.put(api, started["path"], content)).status_code == 422
    started = await files.start(api, office.client, incident.id, content)
    path = started["path"]
    for body, status in (
        (content + b"1", 413),
        (content[:-1], 400),
        (pieces(content, b"1"), 413),
        (pieces(content[:-1]), 400),
    ):
        assert (await api.http.put(path, content=body)).status_code == status
    packed = await files.put(api, path, content, headers={"content-encoding": "gzip"})
    assert packed.status_code == 415
    for wrong in (path.replace("signature=", "signature=x"), path.split("?", maxsplit=1)[0]):
        assert (await files.put(api, wrong, content)).status_code == 403
    assert await nothing_is_kept(api, office)
    assert (await files.put(api, path, content)).status_code == 201


async def test_a_cut_connection_leaves_nothing_and_the_upload_can_be_repeated(
    server: Server,
) -> None:
    api = server.api
    office = await asking.office(api)
    incident = await build.incident(api.make, office.world)
    content = files.photo()
    path = (await files.start(api, office.client, incident.id, content))["path"]
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    head = f"PUT {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(content)}\r\n\r\n"
    writer.write(head.encode() + content[: len(content) // 2])
    await writer.drain()
    async with asyncio.timeout(30):
        folder = incoming(api.state.settings)
        while not folder.exists() or not any(folder.iterdir()):  # noqa: ASYNC110 - a server receives it
            await asyncio.sleep(0.02)
        writer.close()
        while not await nothing_is_kept(api, office):  # noqa: ASYNC110 - a server removes it
            await asyncio.sleep(0.02)
    assert (await files.put(api, path, content)).status_code == 201


async def test_uploads_that_send_nothing_delay_those_of_nobody_else(server: Server) -> None:
    api = server.api
    office, other = await asking.office(api), await asking.office(api)
    incident = await build.incident(api.make, office.world)
    elsewhere = await build.incident(api.make, other.world)
    content = files.photo()
    writers = []
    for _ in range(70):
        path = (await files.start(api, office.client, incident.id, content))["path"]
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        head = f"PUT {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(content)}\r\n\r\n"
        writer.write(head.encode())
        await writer.drain()
        writers.append(writer)
    path = (await files.start(api, other.client, elsewhere.id, content))["path"]
    async with asyncio.timeout(15):  # an upload may send nothing for 20 s
        assert (await files.put(api, path, content)).status_code == 201
    for writer in writers:
        writer.close()


async def test_a_download_is_sent_in_the_parts_that_are_asked_for(server: Server) -> None:
    api = server.api
    office = await asking.office(api)
    incident = await build.incident(api.make, office.world)
    content = files.pdf(3)
    size = len(content)
    file_id = await files.upload(api, office.client, incident.id, content, mediaType=PDF)
    path = (await files.read(api, office.client, file_id))["downloadPath"]
    whole = await api.http.get(path)
    etag = whole.headers["etag"]
    assert (whole.content, whole.headers["accept-ranges"]) == (content, "bytes")
    for asked, status, sent in (
        ("bytes=0-9", 206, content[:10]),
        ("bytes=10-", 206, content[10:]),
        ("bytes=-5", 206, content[-5:]),
        (f"bytes=5-{size * 2}", 206, content[5:]),
        ("bytes=0-1,4-5", 200, content),
        ("bytes=9-3", 200, content),
        ("lines=1-2", 200, content),
    ):
        part = await api.http.get(path, headers={"range": asked})
        assert (part.status_code, part.content) == (status, sent), asked
        if status == 206:
            begin = content.index(sent) if sent != content[-5:] else size - 5
            assert part.headers["content-range"] == f"bytes {begin}-{begin + len(sent) - 1}/{size}"
    beyond = await api.http.get(path, headers={"range": f"bytes={size}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
    other = {"range": "bytes=0-9", "if-range": '"other"'}
    assert (await api.http.get(path, headers=other)).status_code == 200
    same = await api.http.get(path, headers={"if-none-match": etag})
    assert (same.status_code, same.content) == (304, b"")
    head = await api.http.head(path)
    assert (head.status_code, head.headers["content-length"]) == (200, str(size))
    for wrong in (path.replace("/client?", "/original?"), path.replace("expires=1", "expires=2")):
        assert (await api.http.get(wrong)).status_code == 403


async def test_an_address_that_has_expired_is_refused(server: Server) -> None:
    api = server.api
    office = await asking.office(api)
    incident = await build.incident(api.make, office.world)
    content = files.photo()
    path = (await files.start(api, office.client, incident.id, content))["path"]
    now = api.state.now
    api.state.now = lambda: now() + build.minutes(16)
    assert (await files.put(api, path, content)).status_code == 410
