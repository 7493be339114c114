"""Files and addresses made to do harm: bombs, files of two kinds, tampered addresses, names that mislead, ranges."""

import asyncio
import io
import struct
import zipfile
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from PIL import Image, PngImagePlugin
from sqlalchemy import update

from domain.accounts import User
from domain.core.db import transaction
from domain.files.rules import name_of_download
from tests import build, files
from tests.api import asking
from tests.api.asking import Server

JPEG, PNG, WEBP, PDF = "image/jpeg", "image/png", "image/webp", "application/pdf"
MANY = 300_000_000


@pytest.fixture
async def server(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Server]:
    configured = asking.settings(database_url, redis_url, tmp_path)
    async with asking.serving(configured) as running:
        yield running


def swollen(byte: bytes, before: bytes = b"") -> bytes:
    """300 MB in 300 kB."""
    packer = zlib.compressobj(9)
    out = packer.compress(before)
    block = byte * 1_000_000
    for _ in range(MANY // len(block)):
        out += packer.compress(block)
    return out + packer.flush()


def with_chunk(kind: bytes, data: bytes) -> bytes:
    """A PNG image with one chunk more, behind its head."""
    image = files.photo(form="PNG")
    chunk = struct.pack(">I", len(data)) + kind + data
    chunk += struct.pack(">I", zlib.crc32(kind + data))
    head = 8 + 25
    return image[:head] + chunk + image[head:]


def swollen_pdf() -> bytes:
    """A document with its pages in a stream of objects that unpacks to 300 MB."""
    inner = {
        1: b"<</Type/Catalog/Pages 2 0 R>>",
        2: b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        3: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>",
    }
    index, body = b"", b""
    for number, each in inner.items():
        index += b"%d %d " % (number, len(body))
        body += each + b" "
    packed = swollen(b" ", index + body)
    out = b"%PDF-1.5\n"
    at_objects = len(out)
    out += b"5 0 obj<</Type/ObjStm/N 3/First %d/Filter/FlateDecode/Length %d>>stream\n" % (
        len(index),
        len(packed),
    )
    out += packed + b"\nendstream endobj\n"
    at_table = len(out)
    rows = [(0, 0, 0), (2, 5, 0), (2, 5, 1), (2, 5, 2), (0, 0, 0), (1, at_objects, 0)]
    rows.append((1, at_table, 0))
    table = b"".join(struct.pack(">BIH", *row) for row in rows)
    out += b"6 0 obj<</Type/XRef/W[1 4 2]/Size 7/Root 1 0 R/Length %d>>stream\n" % len(table)
    return out + table + b"\nendstream endobj\nstartxref\n%d\n%%%%EOF" % at_table


def endless_pdf() -> bytes:
    """A document that is a page of its own pages."""
    content = files.pdf(1)
    at = content.index(b"/Kids")
    end = content.index(b"]", at)
    number = content[: content.index(b"/Kids")].rsplit(b" 0 obj", 1)[0].rsplit(b"\n", 1)[-1]
    same = b"/Kids [ " + number + b" 0 R"
    return content[:at] + same.ljust(end - at) + content[end:]


def huge_webp() -> bytes:
    out = io.BytesIO()
    Image.new("L", (16_000, 4_000)).save(out, "WEBP", lossless=True, quality=0, method=0)
    return out.getvalue()


def with_text(words: str) -> bytes:
    told, out = PngImagePlugin.PngInfo(), io.BytesIO()
    told.add_text("Comment", words)
    Image.new("RGB", (8, 8)).save(out, "PNG", pnginfo=told)
    return out.getvalue()


def with_xmp(words: bytes) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "WEBP", xmp=words)
    return out.getvalue()


def with_exif(words: str) -> bytes:
    image, out = Image.new("RGB", (8, 8)), io.BytesIO()
    exif = image.getexif()
    exif[270] = words
    image.save(out, "JPEG", exif=exif)
    return out.getvalue()


def archived_pdf() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("run.js", "alert(1)")
    return files.pdf() + out.getvalue()


REFUSED = {
    "a text of 300 MB": (with_chunk(b"zTXt", b"Comment\0\0" + swollen(b"x")), PNG),
    "a colour profile of 300 MB": (with_chunk(b"iCCP", b"icc\0\0" + swollen(b"x")), PNG),
    "objects of 300 MB": (swollen_pdf(), PDF),
    "pages without end": (endless_pdf(), PDF),
    "64 megapixels of WebP": (huge_webp(), WEBP),
    "a document in a comment": (files.photo(comment=b"%PDF-1.4\n1 0 obj"), JPEG),
    "an archive behind a document": (archived_pdf(), PDF),
    "a page before a document": (b"%PDF-1.7 <html><script>alert(1)</script>" + files.pdf(), PDF),
    "a script in a text of a PNG": (with_text("<?php system($_GET[1]);"), PNG),
    "a script in a WebP": (with_xmp(b"<x><script>alert(1)</script></x>"), WEBP),
    "a script in camera data": (with_exif("<script>alert(1)</script>"), JPEG),
    "a handler in a comment": (files.photo(comment=b"<SVG/onload=alert(1)>"), JPEG),
    "a handler in a text": (with_text("<img src=x\nonerror = alert(1)>"), PNG),
    "a picture that runs": (b"GIF89a/*" + bytes(20) + b"*/=1;alert(1)", JPEG),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_a_hostile_file_is_refused_and_nothing_of_it_is_kept(
    server: Server, case: str
) -> None:
    api = server.api
    office = await asking.office(api)
    incident = await build.incident(api.make, office.world)
    content, media_type = REFUSED[case]
    started = await files.start(api, office.client, incident.id, content, mediaType=media_type)
    async with asyncio.timeout(60):
        answer = await files.put(api, started["path"], content)
    assert answer.status_code == 422, answer.text
    seen = await files.read(api, office.dispatcher, started["file"]["id"])
    assert seen is None or seen["downloadPath"] is seen["originalPath"] is None
    folder = api.state.settings.data / "files"
    assert not [each for each in folder.rglob("*") if each.is_file()]


async def test_plain_words_in_a_photo_are_no_markup(server: Server) -> None:
    api = server.api
    office = await asking.office(api)
    incident = await build.incident(api.make, office.world)
    for words in (b"on=1 <3 <body of water> a < b", b"scripted <svgs> once = 1"):
        await files.upload(api, office.client, incident.id, files.photo(comment=words))


async def test_a_signature_opens_its_own_path_until_its_own_end_and_no_other(
    server: Server,
) -> None:
    api = server.api
    office, other = await asking.office(api), await asking.office(api)
    mine = await build.incident(api.make, office.world)
    theirs = await build.incident(api.make, other.world)
    content = files.photo()
    file_id = await files.upload(api, office.client, mine.id, content)
    foreign_id = await files.upload(api, other.client, theirs.id, content)
    path = (await files.read(api, office.client, file_id))["downloadPath"]
    foreign = (await files.read(api, other.client, foreign_id))["downloadPath"]
    awaited = (await files.start(api, office.client, mine.id, content))["path"]
    plain, query = path.split("?")
    foreign_plain = foreign.split("?")[0]
    upload, upload_query = awaited.split("?")
    expires, signature = (each.split("=")[1] for each in query.split("&"))
    tampered = (
        f"{foreign_plain}?{query}",
        plain.replace("/client", "/original") + f"?{query}",
        plain.replace("/client", "/thumbnail") + f"?{query}",
        upload.replace("/uploads/", "/files/") + f"/original?{upload_query}",
        f"{path}&expires={int(expires) + 900}",
        f"{plain}?expires={int(expires) + 900}&signature={signature}",
        f"{plain}?expires=0{expires}&signature={signature}",
        f"{plain}?expires=%2B{expires}&signature={signature}",
        f"{plain}?expires={expires}&signature=%F0%9F%92%A3",
        f"{plain}?expires={expires}",
        f"{plain}?signature={signature}",
        plain,
    )
    for each in tampered:
        assert (await api.http.get(each)).status_code == 403, each
        assert (await api.http.get(each)).json()["errors"][0]["extensions"]["code"] == "NOT_ALLOWED"
    assert (
        await api.http.get(f"{path}%00")
    ).status_code == 400  # no address has control characters
    for each in (f"{upload}?{query}", f"/uploads/{uuid4()}?{upload_query}"):
        assert (await files.put(api, each, content)).status_code == 403, each
    for each in (
        f"/files/..%2f..%2f..%2f..%2fetc%2fpasswd/client?{query}",
        f"/files/../../etc/passwd?{query}",
        f"{plain}/..%2foriginal?{query}",
        f"{plain}%00?{query}",
        f"/uploads/..%2f..%2fx?{upload_query}",
    ):
        assert (await api.http.get(each)).status_code in {400, 403, 404, 405}, each
    assert (await api.http.post(path)).status_code == 405
    assert (await api.http.get(awaited)).status_code == 405

    now = api.state.now
    api.state.now = lambda: now() + build.minutes(17)
    late = await api.http.get(path)
    assert (late.status_code, late.json()["errors"][0]["extensions"]["code"]) == (410, "EXPIRED")


async def test_of_two_uploads_to_one_address_at_once_one_is_stored(server: Server) -> None:
    api = server.api
    office = await asking.office(api)
    incident = await build.incident(api.make, office.world)
    content = files.photo()
    started = await files.start(api, office.client, incident.id, content)
    answers = await asyncio.gather(*(files.put(api, started["path"], content) for _ in range(4)))
    assert sorted(each.status_code for each in answers) == [201, 409, 409, 409]
    seen = await files.read(api, office.client, started["file"]["id"])
    assert (await api.http.get(seen["downloadPath"])).status_code == 200


async def test_an_address_of_a_user_whose_access_ended_takes_nothing(server: Server) -> None:
    api = server.api
    office = await asking.office(api)
    incident = await build.incident(api.make, office.world)
    content = files.photo()
    path = (await files.start(api, office.client, incident.id, content))["path"]
    async with transaction(api.make) as session:
        await session.execute(
            update(User)
            .where(User.tenant_id == office.world.tenant.id)
            .values(disabled_at=api.state.now())
        )
    assert (await files.put(api, path, content)).status_code == 404


async def test_a_name_misleads_nobody_and_nothing_that_is_sent_runs(server: Server) -> None:
    api = server.api
    office = await asking.office(api)
    incident = await build.incident(api.make, office.world)
    for name, told in (
        ("invoice.html", "invoice.html.jpg"),
        ("photo.JPEG", "photo.JPEG"),
        ("no ending", "no%20ending.jpg"),
        ("a;b=c, d'e.jpg", "a%3Bb%3Dc%2C%20d%27e.jpg"),
        ("日本.jpg", "%E6%97%A5%E6%9C%AC.jpg"),
    ):
        content = files.photo()
        file_id = await files.upload(api, office.dispatcher, incident.id, content, name=name)
        seen = await files.read(api, office.dispatcher, file_id)
        for path in (seen["downloadPath"], seen["originalPath"], seen["thumbnailPath"]):
            answer = await api.http.get(path)
            headers = answer.headers
            kind = headers["content-disposition"].split(";")[0]
            assert kind == ("attachment" if "/original?" in path else "inline")
            assert headers["content-disposition"].endswith(f"filename*=UTF-8''{told}")
            assert headers["content-type"] == JPEG
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["content-security-policy"] == "default-src 'none'; sandbox"


@pytest.mark.parametrize(
    ("name", "media_type", "told"),
    [
        ("a.pdf", PDF, "a.pdf"),
        ("a.pdf", JPEG, "a.pdf.jpg"),
        ("a.exe", PDF, "a.exe.pdf"),
        ("a.png", JPEG, "a.png.jpg"),
        (".jpg", JPEG, ".jpg"),
    ],
)
def test_a_name_ends_as_its_type_does(name: str, media_type: str, told: str) -> None:
    assert name_of_download(name, media_type) == told


async def test_ranges_that_ask_for_too_much_or_for_nothing(server: Server) -> None:
    api = server.api
    office = await asking.office(api)
    incident = await build.incident(api.make, office.world)
    content = files.pdf(2)
    size = len(content)
    file_id = await files.upload(api, office.client, incident.id, content, mediaType=PDF)
    path = (await files.read(api, office.client, file_id))["downloadPath"]
    for asked, status, sent in (
        ("bytes=0-0", 206, content[:1]),
        (f"bytes={size - 1}-", 206, content[-1:]),
        (f"bytes=-{size * 9}", 206, content),
        ("bytes=-0", 416, None),
        (f"bytes={'9' * 18}-", 416, None),
        (f"bytes={'9' * 40}-", 200, content),
        ("bytes=" + ",".join(f"{n}-" for n in range(1_300)), 200, content),
        ("bytes=-", 200, content),
        ("bytes=--5", 200, content),
        ("bytes=0x0-5", 200, content),
        ("bytes=１-５", 200, content),
    ):
        part = await api.http.get(path, headers={b"range": asked.encode()})
        assert part.status_code == status, asked
        if sent is not None:
            assert part.content == sent, asked
    head = await api.http.head(path, headers={"range": "bytes=0-9"})
    assert (head.status_code, head.headers["content-length"], head.content) == (206, "10", b"")
    any_one = await api.http.get(path, headers={"if-none-match": "*", "range": "bytes=0-9"})
    assert any_one.status_code == 304


@pytest.mark.parametrize(("name", "value"), [("MOST_WAITING", 5), ("TURN_S", 0.3)])
async def test_an_upload_that_would_wait_too_long_is_told_when_to_come_again(
    server: Server, monkeypatch: pytest.MonkeyPatch, name: str, value: float
) -> None:
    monkeypatch.setattr(f"api.endpoints.files.{name}", value)
    api = server.api
    office = await asking.office(api)
    incident = await build.incident(api.make, office.world)
    content = files.photo()
    writers = []
    for _ in range(9):  # four hold the turns of their uploader, and five wait
        path = (await files.start(api, office.client, incident.id, content))["path"]
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        head = f"PUT {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(content)}\r\n\r\n"
        writer.write(head.encode())
        await writer.drain()
        writers.append(writer)
    path = (await files.start(api, office.client, incident.id, content))["path"]
    async with asyncio.timeout(15):
        while (busy := await files.put(api, path, content)).status_code == 201:
            path = (await files.start(api, office.client, incident.id, content))["path"]
    assert (busy.status_code, busy.headers["connection"]) == (503, "close")
    assert 5 <= int(busy.headers["retry-after"]) <= 20
    assert busy.json()["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
    for writer in writers:
        writer.close()
    async with asyncio.timeout(30):
        while (again := await files.put(api, path, content)).status_code == 503:  # noqa: ASYNC110 - a server does it
            await asyncio.sleep(0.05)
    assert again.status_code == 201
