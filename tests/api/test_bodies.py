"""Packed request bodies: read, bounded, or refused with a status that says what is taken."""

import gzip
import json
import zlib

import pytest

from tests.api.asking import Api, Office

pytestmark = pytest.mark.anyio

ASK = json.dumps({"query": "{ viewer { role } }"}).encode()


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(ASK, mtime=0)),
        ("X-GZIP", gzip.compress(ASK[:10], mtime=0) + gzip.compress(ASK[10:], mtime=0)),
        ("deflate", zlib.compress(ASK)),
        ("deflate", raw_deflate(ASK)),
        ("identity", ASK),
    ],
    ids=["gzip", "two gzip members", "zlib", "raw deflate", "identity"],
)
async def test_a_packed_question_is_answered(
    api: Api, office: Office, coding: str, body: bytes
) -> None:
    headers = {
        "authorization": f"Bearer {office.client}",
        "content-type": "application/json",
        "content-encoding": coding,
    }
    answer = await api.http.post("/graphql", content=body, headers=headers)
    assert answer.json()["data"] == {"viewer": {"role": "CLIENT_ADMIN"}}


@pytest.mark.parametrize("path", ["/graphql", "/auth/login", "/ingest/positions"])
@pytest.mark.parametrize(
    ("coding", "body", "status"),
    [
        ("br", b"x", 415),
        ("zstd", b"x", 415),
        ("gzip", b"not packed", 400),
        ("gzip", gzip.compress(ASK, mtime=0)[:-9], 400),
        ("gzip", gzip.compress(b" " * 50_000_000, mtime=0), 413),
    ],
    ids=["br", "zstd", "not packed", "cut off", "unpacks to 50 MB"],
)
async def test_a_body_that_cannot_be_unpacked_or_is_too_much_is_refused(
    api: Api, office: Office, path: str, coding: str, body: bytes, status: int
) -> None:
    headers = {"content-type": "application/json", "content-encoding": coding}
    if path == "/ingest/positions":
        answer = await api.http.post(
            "/auth/devices",
            json={"name": "x"},
            headers={"authorization": f"Bearer {office.manager}"},
        )
        headers["authorization"] = f"Bearer {answer.json()['token']}"
    answer = await api.http.post(path, content=body, headers=headers)
    assert answer.status_code == status, answer.text
    if status == 415:
        assert "gzip" in answer.headers["accept-encoding"]
