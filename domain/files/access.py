"""Access rules of files: who sees which, who reads the camera data, and who uploads."""

from types import SimpleNamespace
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Text, Uuid, and_, column, or_, select, table

from domain.access import Actor, Right
from domain.access.declarations import AccessRules
from domain.access.own_work import at_site_of_own_work, of_incident_at_hand
from domain.access.rule import Rows

_ATTACHMENT = table(
    "file_attachment",
    *(column("file_id", Uuid), column("subject_kind", Text), column("subject_id", Uuid)),
)

_ENTRY = table(
    "occurrence_entry",
    *(column("id", Uuid), column("account_id", Uuid), column("site_id", Uuid)),
)

_FILE = table(
    "file", *(column("id", Uuid), column("uploaded_by", Text), column("internal", Boolean))
)


def _uploaded_by_self(actor: Actor, model: Any) -> ColumnElement[bool]:
    """Select the actor's own uploads, at accounts that the actor still reaches."""
    return and_(actor.scope(model), model.uploaded_by == actor.subject)


def _at_incident_at_hand(actor: Actor, attachment: Any) -> ColumnElement[bool]:
    """Select attachments of incidents that a guard works on."""
    incident = SimpleNamespace(incident_id=attachment.subject_id)
    return and_(attachment.subject_kind == "Incident", of_incident_at_hand(actor, incident))


def _at_entry_at_hand(actor: Actor, attachment: Any) -> ColumnElement[bool]:
    """Select attachments of entries of the occurrence log at sites of a guard's own work."""
    entries = select(_ENTRY.c.id).where(at_site_of_own_work(actor, _ENTRY.c))
    return and_(
        attachment.subject_kind == "OccurrenceEntry",
        attachment.subject_id.in_(entries.correlate_except(_ENTRY)),
    )


def _at_row_at_hand(actor: Actor, attachment: Any) -> ColumnElement[bool]:
    return or_(_at_incident_at_hand(actor, attachment), _at_entry_at_hand(actor, attachment))


def _own_files(actor: Actor, model: Any) -> ColumnElement[bool]:
    """Select the files of a guard: the own uploads, and those on incidents and log entries at hand."""
    attached = select(_ATTACHMENT.c.file_id).where(_at_row_at_hand(actor, _ATTACHMENT.c))
    return or_(
        model.uploaded_by == actor.subject, model.id.in_(attached.correlate_except(_ATTACHMENT))
    )


def _of_shown_file(evidence: Any) -> ColumnElement[bool]:
    """Select grades of files that are not hidden from clients."""
    shown = select(_FILE.c.id).where(~_FILE.c.internal).correlate_except(_FILE)
    found: ColumnElement[bool] = evidence.file_id.in_(shown)
    return found


def _of_own_files(actor: Actor, model: Any) -> ColumnElement[bool]:
    """Select grades of the files that a guard sees."""
    own = select(_FILE.c.id).where(_own_files(actor, _FILE.c)).correlate_except(_FILE)
    found: ColumnElement[bool] = model.file_id.in_(own)
    return found


ACCESS = AccessRules(
    rows={
        "file": Rows(
            (Right.READ_FILES,),
            "accessible accounts; always one's own uploads there",
            unless={Right.READ_EVIDENCE: lambda file: ~file.internal},
            own=_own_files,
            always=_uploaded_by_self,
        ),
        "file_attachment": Rows((Right.READ_FILES,), own=_at_row_at_hand),
        "photo_evidence": Rows(
            (Right.READ_FILES,), unless={Right.READ_EVIDENCE: _of_shown_file}, own=_of_own_files
        ),
    },
    row_texts={
        ("file", Right.READ_EVIDENCE): "files for the client",
        ("file", None): "the own uploads, and files on incidents and log entries at hand",
        ("file_attachment", None): "of incidents and log entries at hand",
        ("photo_evidence", Right.READ_EVIDENCE): "of files for the client",
        (
            "photo_evidence",
            None,
        ): "of the own uploads, and of files on incidents and log entries at hand",
    },
    never_shown=frozenset({"file_copy", "blob", "photo_trait"}),
    fields={
        "File": {
            None: "id name mediaType sizeBytes sha256 state internal uploadedBy startedAt storedAt deletedAt"
            " widthPx heightPx version account downloadPath thumbnailPath evidence",
            Right.READ_EVIDENCE: "takenAt takenLat takenLon camera statedAt clockSkewSeconds originalPath",
        },
        "PhotoEvidence": {None: "subjectId grade verdicts reasons gradedAt"},
        "FileUpload": {None: "path expiresAt file"},
        "Incident": {Right.READ_FILES: "files"},
    },
    facts={
        Right.READ_FILES: "file.attached file.changed file.deleted file.detached file.origin_erased"
        " file.photo_graded file.scanned file.stored file.upload_expired file.upload_started"
    },
    queries={"files": ()},
    mutations={
        Right.UPLOAD_FILES: "startUpload attachFile detachFile deleteFile",
        Right.HANDLE: "changeFile",
    },
    scopes={
        "files:read": frozenset({Right.READ_FILES}),
        "files:write": frozenset({Right.READ_FILES, Right.UPLOAD_FILES}),
        "evidence:read": frozenset({Right.READ_FILES, Right.READ_EVIDENCE}),
    },
)
