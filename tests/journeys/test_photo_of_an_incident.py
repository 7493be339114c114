"""A guard uploads a photo; the client sees it without what the camera wrote; nobody else sees that it exists."""

from hashlib import sha256
from io import BytesIO
from pathlib import Path

from PIL import Image

from domain import accounts
from domain.access import Actor, Role, Tx
from domain.core.db import transaction
from schema.core import ids
from tests import build, files, guards
from tests.api import asking
from tests.gate import victims

FILES = """query ($id: ID!) { node(id: $id) { ... on Incident { files {
  id name mediaType takenAt camera downloadPath thumbnailPath originalPath uploadedBy } } } }"""
LIST = "query ($id: ID) { files(subjectId: $id) { nodes { id } } }"
ATTACH = """mutation ($input: AttachFileInput!) { attachFile(input: $input) {
  ... on File { id } ... on Refusal { code } } }"""
DELETE = """mutation ($input: DeleteFileInput!) { deleteFile(input: $input) {
  ... on File { state name downloadPath } ... on Refusal { code } } }"""
LEDGER = "{ ledger(first: 100) { nodes { kind actor body } } }"


async def test_a_photo_goes_from_the_guard_to_the_client_and_to_nobody_else(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    configured = asking.settings(database_url, redis_url, tmp_path)
    async with asking.serving(configured) as server:
        api = server.api
        office = await asking.office(api)
        guard = await guards.on_duty(api.make, office.world, site=office.world.site)
        token = api.token(guard.duty.user_id)
        incident = await build.incident(api.make, office.world)
        content = files.photo(1600, 1200)

        file_id = await files.upload(api, token, incident.id, content, name="broken window.jpg")

        of_incident = {"id": ids.write("Incident", incident.id)}
        [shown] = (await api.data(office.client, FILES, **of_incident))["node"]["files"]
        assert (shown["id"], shown["name"]) == (file_id, "broken window.jpg")
        assert shown["takenAt"] is shown["camera"] is shown["originalPath"] is None
        assert shown["uploadedBy"].startswith("guard:")
        [listed] = (await api.data(office.client, LIST, **of_incident))["files"]["nodes"]
        assert listed == {"id": file_id}

        small = await api.http.get(shown["thumbnailPath"])
        with Image.open(BytesIO(small.content)) as thumbnail:
            assert thumbnail.size == (360, 480)  # as it is shown: the phone lay on its side
        copy = await api.http.get(shown["downloadPath"])
        with Image.open(BytesIO(copy.content)) as image:
            assert image.size == (1200, 1600)
            assert not image.getexif()
        assert b"Fairphone" not in copy.content
        assert "broken%20window.jpg" in copy.headers["content-disposition"]

        seen = await files.read(api, office.dispatcher, file_id)
        assert (seen["takenAt"], seen["camera"]) == ("2026-03-02T09:00:00Z", "Fairphone FP5")
        assert (round(seen["takenLat"], 4), round(seen["takenLon"], 4)) == (51.92, 4.48)
        original = await api.http.get(seen["originalPath"])
        assert sha256(original.content).hexdigest() == seen["sha256"]
        assert original.content == content

        neighbour = await victims.neighbour(api, office)
        other = await asking.office(api)
        for stranger in (neighbour, other.client, other.manager):
            assert await files.read(api, stranger, file_id) is None
            given = {"id": file_id, "subjectId": of_incident["id"]}
            refused = (await api.data(stranger, ATTACH, input=given))["attachFile"]
            assert refused == {"code": "NOT_FOUND"}
            gone = (await api.data(stranger, DELETE, input={"id": file_id}))["deleteFile"]
            assert gone == {"code": "NOT_FOUND"}


async def test_an_address_is_used_once_and_a_deleted_file_is_gone(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    configured = asking.settings(database_url, redis_url, tmp_path)
    async with asking.serving(configured) as server:
        api = server.api
        office = await asking.office(api)
        incident = await build.incident(api.make, office.world)
        content = files.photo()
        started = await files.start(api, office.client, incident.id, content)
        assert (await files.put(api, started["path"], content)).status_code == 201
        again = await files.put(api, started["path"], content)
        assert (again.status_code, again.json()["errors"][0]["extensions"]["code"]) == (
            409, "ALREADY_DONE",
        )  # fmt: skip

        file_id = started["file"]["id"]
        shown = await files.read(api, office.client, file_id)
        deleted = (await api.data(office.client, DELETE, input={"id": file_id}))["deleteFile"]
        assert deleted == {"state": "DELETED", "name": "erased", "downloadPath": None}
        for path in (shown["downloadPath"], shown["thumbnailPath"]):
            assert (await api.http.get(path)).status_code == 404

        facts = (await api.data(office.manager, LEDGER))["ledger"]["nodes"]
        kinds = [each["kind"] for each in facts if each["kind"].startswith("file.")]
        assert set(kinds) <= {
            "file.upload_started", "file.stored", "file.attached", "file.deleted",
        }  # fmt: skip


async def test_a_client_sees_no_internal_file_and_a_guard_of_the_incident_does(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    configured = asking.settings(database_url, redis_url, tmp_path)
    async with asking.running(configured) as api:
        office = await asking.office(api)
        guard = await guards.on_duty(api.make, office.world, site=office.world.site)
        incident = await build.incident(api.make, office.world)
        content = files.photo()
        secret = await files.upload(
            api, office.dispatcher, incident.id, content, internal=True, name="secret.jpg"
        )
        system = Actor.system(office.world.tenant.id, "test")
        async with transaction(api.make) as session:
            idle = await accounts.add_user(
                Tx(session, system, build.T0),
                email="idle@example.org",
                name="Idle",
                role=Role.GUARD,
            )
        assert await files.read(api, office.client, secret) is None
        assert await files.read(api, api.token(idle.id), secret) is None
        assert (await files.read(api, api.token(guard.duty.user_id), secret))["internal"] is True
        refused = await files.start(api, office.client, incident.id, content, internal=True)
        assert refused["code"] == "NOT_ALLOWED"
