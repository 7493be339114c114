"""Files for the probes of the gate: one for clients, one internal, and one to be deleted."""

from typing import Any

from sqlalchemy import select

from domain import incidents
from domain.access import Actor, Tx
from domain.core.db import transaction
from domain.evidence import Grade
from domain.files import FileState, start_upload
from domain.files.model import File, FileAttachment, PhotoEvidence
from schema.core import ids
from tests import build
from tests.api.asking import Api, Office
from tests.build import T0


async def _file(api: Api, office: Office, *, internal: bool = False) -> tuple[File, Any]:
    """A file as it is after its upload, without bytes in the store."""
    system = Actor.system(office.world.tenant.id, "test")
    async with transaction(api.make) as session:
        incident = await session.scalar(
            select(incidents.Incident)
            .where(incidents.Incident.account_id == office.world.account.id)
            .order_by(incidents.Incident.id)
            .limit(1)
        )
        assert incident is not None
        file = await start_upload(
            Tx(session, system, T0), "Incident", incident.id, name="probe.jpg",
            media_type="image/jpeg", size_bytes=100, sha256="0" * 64, internal=internal,
        )  # fmt: skip
        file.state, file.stored_at, file.width_px, file.height_px = FileState.AVAILABLE, T0, 8, 6
        file.taken_at, file.taken_lat, file.taken_lon, file.camera = T0, 51.9, 4.5, "Fairphone"
        file.stated_at, file.clock_skew_s = T0, 1.5
        await session.flush()
        session.add(
            FileAttachment(
                tenant_id=file.tenant_id, account_id=file.account_id, file_id=file.id,
                subject_kind="Incident", subject_id=incident.id, attached_at=T0,
                attached_by=system.subject,
            )
        )  # fmt: skip
        session.add(
            PhotoEvidence(
                tenant_id=file.tenant_id, account_id=file.account_id, file_id=file.id,
                subject_kind="Incident", subject_id=incident.id, grade=Grade.D, graded_at=T0,
                verdicts=["place"], findings=[{"code": "outside", "figure": 1990.0, "allows": "D"}],
            )
        )  # fmt: skip
    return file, incident


async def furnish(api: Api, office: Office) -> None:
    """Put an internal file and one for the client on an incident."""
    await _file(api, office, internal=True)
    await _file(api, office)


async def _fresh(api: Api, office: Office) -> dict[str, Any]:
    file, _incident = await _file(api, office)
    return {"id": ids.write("File", file.id)}


async def _attached(api: Api, office: Office) -> dict[str, Any]:
    file, incident = await _file(api, office)
    return {"id": ids.write("File", file.id), "subjectId": ids.write("Incident", incident.id)}


async def _to_attach(api: Api, office: Office) -> dict[str, Any]:
    other = await build.incident(api.make, office.world)
    return {**await _fresh(api, office), "subjectId": ids.write("Incident", other.id)}


async def _started(api: Api, office: Office) -> dict[str, Any]:
    incident = await build.incident(api.make, office.world)
    return {
        "subjectId": ids.write("Incident", incident.id), "name": "probe.jpg", "sha256": None,
        "mediaType": "image/jpeg", "sizeBytes": 100, "internal": False,
        "takenAt": None, "sentAt": None,
    }  # fmt: skip


async def _to_hide(api: Api, office: Office) -> dict[str, Any]:
    return {**await _fresh(api, office), "internal": True}


DOABLE = {
    "attachFile": _to_attach,
    "changeFile": _to_hide,
    "deleteFile": _fresh,
    "detachFile": _attached,
    "startUpload": _started,
}
