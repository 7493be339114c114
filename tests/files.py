"""Images and documents for tests, and the upload of one as clients do it."""

from io import BytesIO
from typing import Any

import httpx2
from PIL import Image
from pypdf import PdfWriter

from schema.core import ids
from tests.api.asking import Api

START = """mutation ($input: StartUploadInput!) { startUpload(input: $input) {
  ... on FileUpload { path expiresAt file { id state } } ... on Refusal { code message argument } } }"""
FILE = """query ($id: ID!) { node(id: $id) { ... on File { id name mediaType sizeBytes sha256 state internal
  uploadedBy widthPx heightPx takenAt takenLat takenLon camera downloadPath thumbnailPath originalPath } } }"""


def photo(
    width: int = 800, height: int = 600, *, form: str = "JPEG", seed: str = "navy", **saved: Any
) -> bytes:
    """A photo with what a phone writes into one: time, place, camera, and that it lies on its side."""
    image = Image.new("RGB", (width, height), seed)
    exif = image.getexif()
    exif[271], exif[272], exif[274] = "Fairphone", "FP5", 6
    exif.get_ifd(0x8769).update({36867: "2026:03:02 10:00:00", 36881: "+01:00"})
    exif.get_ifd(0x8825).update(
        {1: "N", 2: (51.0, 55.0, 12.0), 3: "E", 4: (4.0, 28.0, 48.0)},
    )
    out = BytesIO()
    image.save(out, form, exif=exif, **saved)
    return out.getvalue()


def pdf(pages: int = 1, *, padding: int = 1) -> bytes:
    """A document of empty pages, and of so many bytes at least."""
    writer, out = PdfWriter(), BytesIO()
    for _ in range(pages):
        writer.add_blank_page(width=200, height=200)
    writer.add_metadata({"/Subject": "x" * padding})
    writer.write(out)
    return out.getvalue()


async def start(api: Api, token: str, incident_id: Any, content: bytes, **more: Any) -> Any:
    """Start an upload on an incident, and return what was answered."""
    given = {
        "subjectId": ids.write("Incident", incident_id),
        "name": "photo.jpg",
        "mediaType": "image/jpeg",
        "sizeBytes": len(content),
    }
    return (await api.data(token, START, input=given | more))["startUpload"]


async def put(api: Api, path: str, content: bytes, **more: Any) -> httpx2.Response:
    """Send the bytes."""
    return await api.http.put(path, content=content, **more)


async def upload(api: Api, token: str, incident_id: Any, content: bytes, **more: Any) -> str:
    """Upload a file, and return its id."""
    started = await start(api, token, incident_id, content, **more)
    answer = await put(api, started["path"], content)
    assert answer.status_code == 201, answer.text
    found: str = started["file"]["id"]
    return found


async def read(api: Api, token: str, file_id: str) -> Any:
    """What somebody sees of a file; None for nothing."""
    return (await api.data(token, FILE, id=file_id))["node"]
