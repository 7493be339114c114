"""An attached photo is graded by a worker; staff read all of it, clients no figure that the camera wrote."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

from domain import accounts
from domain.access import Actor, Tx
from domain.core.db import transaction
from schema.core import ids
from tests import build, files
from tests.api import asking
from tests.gate import victims
from tests.photos import LAT, LON, METRE, Camera, jpeg, scene
from tests.workers.conftest import Working

READ = """query ($id: ID!) { node(id: $id) { ... on File { statedAt clockSkewSeconds evidence {
  subjectId grade verdicts reasons { code figure allows text } } } } }"""
LEDGER = "{ ledger(first: 100) { nodes { kind body } } }"
ATTACH = """mutation ($input: AttachFileInput!) { attachFile(input: $input) {
  ... on File { id } ... on Refusal { code } } }"""


async def test_a_photo_is_graded_for_each_incident_and_clients_read_no_camera_data(
    database_url: str, redis_url: str, tmp_path: Path, working: Working
) -> None:
    configured = asking.settings(database_url, redis_url, tmp_path)
    async with asking.serving(configured) as server, working():
        api = server.api
        api.http.timeout = 60.0  # a decoder and a whole worker beside it
        office = await asking.office(api)
        async with transaction(api.make) as session:
            tx = Tx(session, Actor.system(office.world.tenant.id, "test"), build.T0)
            await accounts.change_site(
                tx, office.world.site.id, lat=LAT, lon=LON, fence_radius_m=100
            )
        incident = await build.incident(api.make, office.world)
        other = await build.incident(api.make, office.world)
        now = api.state.now()
        elsewhere = Camera(taken_at=now - timedelta(minutes=40), lat=LAT + 2_090 * METRE)
        stated = {"takenAt": (now - timedelta(minutes=40)).isoformat()}
        sent = stated | {"sentAt": now.isoformat()}
        content = jpeg(scene("elsewhere"), elsewhere)
        file_id = await files.upload(api, office.dispatcher, incident.id, content, **sent)
        hidden = await files.upload(
            api, office.dispatcher, incident.id, jpeg(scene("hidden"), None), internal=True
        )

        async def graded(token: str, file: str, times: int = 1) -> Any:
            async with asyncio.timeout(60):
                while True:
                    seen = (await api.data(token, READ, id=file))["node"]
                    if seen is None or len(seen["evidence"]) >= times:
                        return seen
                    await asyncio.sleep(0.05)

        staff = await graded(office.dispatcher, file_id)
        [grade] = staff["evidence"]
        assert grade["subjectId"] == ids.write("Incident", incident.id)
        assert (grade["grade"], grade["verdicts"]) == ("D", ["TIME", "PLACE"])
        figures = {each["code"]: each["figure"] for each in grade["reasons"]}
        assert figures["OUTSIDE"] == 1_990
        assert 2_399 <= figures["PHOTO_DELAY"] < 2_700
        assert abs(staff["clockSkewSeconds"]) < 60

        client = await graded(office.client, file_id)
        [shown] = client["evidence"]
        assert client["statedAt"] is client["clockSkewSeconds"] is None
        assert (shown["grade"], shown["verdicts"]) == ("D", ["TIME", "PLACE"])
        assert {each["figure"] for each in shown["reasons"]} == {None}
        texts = {each["code"]: each["text"] for each in shown["reasons"]}
        assert texts["OUTSIDE"] == "The position is outside the geofence of the site."
        assert await graded(office.client, hidden) is None
        assert (await graded(office.dispatcher, hidden))["evidence"][0]["grade"] == "D"
        assert await graded(await victims.neighbour(api, office), file_id) is None

        given = {"id": file_id, "subjectId": ids.write("Incident", other.id)}
        await api.data(office.dispatcher, ATTACH, input=given)
        second = (await graded(office.dispatcher, file_id, 2))["evidence"][1]
        assert second["verdicts"] == ["TIME", "PLACE", "SAME_FILE"]

        told = (await api.data(office.client, LEDGER))["ledger"]["nodes"]
        facts = [each["body"] for each in told if each["kind"] == "file.photo_graded"]
        assert [each["verdicts"] for each in facts] == [
            ["time", "place"],
            ["time", "place", "same_file"],
        ]
        private = [
            reason["figure"]
            for each in facts
            for reason in each["reasons"]
            if reason["code"] in {"photo_delay", "outside"}
        ]
        assert private == [None] * 4


async def test_times_of_a_phone_that_cannot_be_are_refused(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    configured = asking.settings(database_url, redis_url, tmp_path)
    async with asking.running(configured) as api:
        office = await asking.office(api)
        incident = await build.incident(api.make, office.world)
        now, content = api.state.now(), files.photo()
        for given, code, argument in (
            ({"takenAt": now, "sentAt": now - timedelta(1)}, "TIME_REVERSED", "takenAt"),
            ({"takenAt": now - timedelta(400)}, "INVALID", "takenAt"),
            ({"sentAt": now + timedelta(400)}, "INVALID", "sentAt"),
        ):
            told = {name: at.isoformat() for name, at in given.items()}
            no = await files.start(api, office.dispatcher, incident.id, content, **told)
            assert (no["code"], no["argument"]) == (code, argument)
