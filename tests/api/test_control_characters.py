"""Control characters in addresses, headers and texts: refused in words, never a 500."""

import asyncio

import pytest

from tests.api.asking import Api, Office, Server

pytestmark = pytest.mark.anyio

PATHS = ["/u/{0}", "/{0}", "/reports/{0}.pdf", "/auth/devices/{0}", "/console/{0}", "/graphql{0}"]


@pytest.mark.parametrize(
    "character", ["%00", "%1b%5b2J", "%0a16:00:00%20worker", "%0d%0a", "%7f", "%c2%9b"]
)
@pytest.mark.parametrize("path", PATHS)
async def test_a_path_with_control_characters_leads_nowhere(
    api: Api, path: str, character: str
) -> None:
    for method in ("GET", "POST"):
        answer = await api.http.request(method, path.format("abcdefghijkl" + character))
        assert answer.status_code == 404


@pytest.mark.parametrize("path", ["/graphql?query={{a{0}}}", "/ingest/osmand?id=a{0}", "/?x={0}"])
async def test_a_nul_in_a_query_is_refused(api: Api, path: str) -> None:
    answer = await api.http.get(path.format("%00"))
    assert 400 <= answer.status_code < 500


async def test_a_header_with_a_control_character_is_refused(
    server: Server,
) -> None:
    names = ("Authorization: Bearer a", "Accept: a", "traceparent: a", "X-Forwarded-For: a")
    for name in names:
        for byte in (b"\x00", b"\x1b", b"\x07", b"\x7f"):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(b"GET /livez HTTP/1.1\r\nHost: a\r\n" + name.encode() + byte)
            writer.write(b"b\r\nConnection: close\r\n\r\n")
            line = await asyncio.wait_for(reader.readline(), 10)
            writer.close()
            assert line.split()[1:2] == [b"400"], (name, byte)


@pytest.mark.parametrize("character", ["\\u0000", "\\ud800"])
async def test_a_text_that_cannot_be_kept_is_refused_by_every_verb_and_filter(
    api: Api, office: Office, character: str
) -> None:
    asked = [
        (
            "mutation($input: AddContactInput!) { addContact(input: $input) { __typename ... on Refusal { code } } }",
            f'{{"accountId": "{office.account}", "name": "An{character}", "email": "a@b.nl"}}',
        ),
        (
            "mutation($input: ResubscribeContactInput!) { resubscribeContact(input: $input) { __typename } }",
            f'{{"contactId": "a{character}", "topic": "b{character}"}}',
        ),
    ]
    for query, given in asked:
        answer = await api.http.post(
            "/graphql",
            content=f'{{"query": "{query}", "variables": {{"input": {given}}}}}',
            headers={
                "content-type": "application/json",
                "authorization": f"Bearer {office.manager}",
            },
        )
        assert "INTERNAL" not in answer.text, answer.text
        assert answer.status_code < 500
