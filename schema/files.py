"""Files of incidents and log entries: the list, signed addresses to upload and download them, and the mutations."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry
from sqlalchemy import exists, false

from domain import accounts, evidence, files
from domain.access import Right
from domain.core.errors import Code, Refused
from domain.evidence import Grade, PhotoVerdict
from domain.files import CopyKind, FileState, LinkSigner
from schema.accounts import Account
from schema.core import ids
from schema.core.actor_name import shown
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import AccountFilter, Rows, lists, visible
from schema.core.mutations import ExpectedVersion, GlobalIdOf, MutationContext, mutation
from schema.core.relations import to_one
from schema.core.roots import mutation_fields, query_fields
from schema.core.types import RESTRICTED, enum, from_row, resolver
from schema.evidence import EvidenceReason

enum(
    FileState,
    "FileState",
    awaited="The upload was started, the bytes have not come.",
    stored="All bytes are stored; the virus scanner has not passed them yet.",
    available="It can be downloaded.",
    rejected="The virus scanner did not pass it; the bytes are gone.",
    deleted="It was deleted; the bytes are gone.",
)

enum(
    PhotoVerdict,
    "PhotoVerdict",
    ok="Nothing speaks against it.",
    time="It was taken at another time, or the clock of the camera or the phone was wrong.",
    place="It was taken elsewhere than at the site.",
    same_file="The same file was used before.",
    near_duplicate="Nearly the same image was used before, for something else.",
    no_metadata="Camera data are missing, or cannot be relied on: the image was edited, or they were copied.",
)

Row = strawberry.Parent[files.File]
EvidenceRow = strawberry.Parent[files.PhotoEvidence]
FileId = Annotated[UUID, GlobalIdOf("File")]
SubjectId = Annotated[
    strawberry.ID, "What it belongs to: an incident, or an entry of the occurrence log."
]


@dataclass(frozen=True, slots=True)
class Started:
    """Row of a started upload."""

    row: files.File


@from_row(files.PhotoEvidence)
class PhotoEvidence:
    """Grade of a photo as evidence of what it was attached to; nothing in it says what the camera wrote to clients."""

    grade: Annotated[Grade, "Grade of the photo: the worst that one of its reasons allows."]
    graded_at: Annotated[datetime, "Time at which it was graded."]

    @resolver(strawberry.ID)
    @staticmethod
    def subject_id(row: EvidenceRow) -> strawberry.ID:
        """What it is evidence of: an incident, or an entry of the occurrence log."""
        return strawberry.ID(ids.write(row.subject_kind, row.subject_id))

    @resolver(list[PhotoVerdict])
    @staticmethod
    def verdicts(row: EvidenceRow) -> list[PhotoVerdict]:
        """What speaks against the photo; OK alone when nothing does."""
        return row.found

    @resolver(list[EvidenceReason])
    @staticmethod
    def reasons(row: EvidenceRow, info: Info) -> list[evidence.EvidenceReason]:
        """Reasons for the grade; figures that tell what the camera wrote are null for clients."""
        all_of_it = info.context.actor.may(Right.READ_EVIDENCE)
        return row.reasons if all_of_it else [each.for_clients for each in row.reasons]


@from_row(files.File)
class File(Node):
    """Photo or document of an incident or an entry of the occurrence log."""

    name: Annotated[str, "Name of the file, as the uploader gave it; `erased` when it was erased."]
    media_type: Annotated[str, "Kind of content, found by decoding it, such as `image/jpeg`."]
    size_bytes: Annotated[int, "Size of the original."]
    sha256: Annotated[
        str | None, "SHA-256 of the original; until it is stored, what the uploader announced."
    ]
    state: Annotated[FileState, "State of the file; it can be downloaded when it is AVAILABLE."]
    internal: Annotated[bool, "Whether it is hidden from clients."]
    started_at: Annotated[datetime, "Time at which the upload was started."]
    stored_at: Annotated[datetime | None, "Time at which all bytes were stored; null before."]
    deleted_at: Annotated[datetime | None, "Time at which it was deleted; null before."]
    width_px: Annotated[int | None, "Width of the image as it is shown; null for documents."]
    height_px: Annotated[int | None, "Height of the image as it is shown; null for documents."]
    taken_at: Annotated[datetime | None, "Time that the camera wrote into the image.", RESTRICTED]
    taken_lat: Annotated[float | None, "Latitude that the camera wrote into it.", RESTRICTED]
    taken_lon: Annotated[float | None, "Longitude that the camera wrote into it.", RESTRICTED]
    camera: Annotated[str | None, "Make and model of the camera, as it wrote them.", RESTRICTED]
    stated_at: Annotated[
        datetime | None, "Time at which it was taken, as the phone stated it.", RESTRICTED
    ]
    clock_skew_s: Annotated[
        float | None, "Seconds by which the phone's clock was behind when it sent that.", RESTRICTED
    ]
    version: Annotated[int, "Version of the row, raised by every change."]

    @resolver(list[PhotoEvidence])
    @staticmethod
    async def evidence(row: Row, info: Info) -> list[files.PhotoEvidence]:
        """Grades of a photo, one for each row it was attached to; empty for documents, and until it is graded."""
        graded = files.PhotoEvidence
        order = (graded.graded_at, graded.id)
        return await info.context.children(graded.file_id, row.id, order=order)

    @resolver(str)
    @staticmethod
    def uploaded_by(row: Row, info: Info) -> Any:
        """Uploader: `user:…` or `key:…`. Clients see staff of the company as `guard:<number>` or `staff`."""
        return shown(info, row.account_id, row.uploaded_by)

    account = to_one(
        Account, accounts.Account, "account_id", "Account of the client that the file concerns."
    )

    @resolver(str | None)
    @staticmethod
    def download_path(row: Row, info: Info) -> str | None:
        """Signed path of the file without camera data, valid for 15 minutes; null unless AVAILABLE."""
        return _path(row, info, CopyKind.CLIENT)

    @resolver(str | None)
    @staticmethod
    def thumbnail_path(row: Row, info: Info) -> str | None:
        """Signed path of a small image (JPEG, 480 pixels), valid for 15 minutes; null for documents."""
        return _path(row, info, CopyKind.THUMBNAIL) if row.width_px is not None else None

    @resolver(str | None)
    @staticmethod
    def original_path(row: Row, info: Info) -> str | None:
        """Signed path of the original with camera data, valid for 15 minutes. Null for clients."""
        return _path(row, info, CopyKind.ORIGINAL)


StartedRow = strawberry.Parent[Started]


@from_row(Started)
class FileUpload:
    """Started upload: send the bytes with `PUT` to the path, once."""

    @resolver(str)
    @staticmethod
    def path(started: StartedRow, info: Info) -> str:
        """Signed path; `PUT` the bytes there, as they are, before it expires."""
        signer = LinkSigner(info.context.secret)
        return signer.upload_path(started.row.id, started.row.expires_at)

    @resolver(datetime)
    @staticmethod
    def expires_at(started: StartedRow) -> datetime:
        """Time at which the path expires."""
        return started.row.expires_at

    @resolver(File)
    @staticmethod
    def file(started: StartedRow) -> files.File:
        """File that was announced; it is AWAITED until its bytes are stored."""
        return started.row


@query_fields
class FileQuery:
    """Queries of files."""

    @lists(File, files.File.started_at, files.File.id, descending=True)
    @staticmethod
    def files(
        info: Info,
        account_id: AccountFilter = None,
        subject_id: Annotated[strawberry.ID | None, "Only files attached to this row."] = None,
    ) -> Rows:
        """Photos and documents, newest first; clients do not see internal ones."""
        query = visible(info, files.File, account_id)
        if subject_id is None:
            return query
        subject = ids.read(subject_id)
        if subject is None or subject[0] not in files.SUBJECTS:
            return query.where(false())
        kind, row_id = subject
        attachment = files.FileAttachment
        attached = exists().where(
            attachment.file_id == files.File.id,
            attachment.subject_kind == kind,
            attachment.subject_id == row_id,
        )
        return query.where(attached)


@mutation_fields
class FileMutation:
    """Mutations of files."""

    @mutation(FileUpload, again=Started)
    @staticmethod
    async def start_upload(
        ask: MutationContext,
        subject_id: SubjectId,
        name: Annotated[str, "Name of the file, without folders."],
        media_type: Annotated[
            str, "Kind of content: `image/jpeg`, `image/png`, `image/webp` or `application/pdf`."
        ],
        size_bytes: Annotated[int, "Size in bytes, at most 25,000,000."],
        sha256: Annotated[
            str | None, "SHA-256 in lower-case hexadecimal digits, to be checked on arrival."
        ] = None,
        internal: Annotated[bool, "Whether to hide it from clients. Not for clients."] = False,
        taken_at: Annotated[
            datetime | None, "Time at which the photo was taken, by the clock of the phone."
        ] = None,
        sent_at: Annotated[
            datetime | None, "Time of this call by the same clock, which shows how wrong it is."
        ] = None,
    ) -> Started:
        """Announce a file; the response has the signed path to which its bytes are sent, once, within 15 minutes."""
        file = await files.start_upload(
            ask.tx,
            *_subject(subject_id),
            name=name,
            media_type=media_type,
            size_bytes=size_bytes,
            sha256=sha256,
            internal=internal,
            phone=files.PhoneTimes(taken_at, sent_at),
        )
        return Started(file)

    @mutation(File)
    @staticmethod
    async def attach_file(
        ask: MutationContext,
        id: Annotated[FileId, "File to be attached."],
        subject_id: SubjectId,
    ) -> files.File:
        """Attach a stored file to another incident or log entry of the same client."""
        return await files.attach(ask.tx, id, *_subject(subject_id))

    @mutation(File)
    @staticmethod
    async def detach_file(
        ask: MutationContext,
        id: Annotated[FileId, "File to be detached."],
        subject_id: SubjectId,
    ) -> files.File:
        """Detach a file from an incident or log entry; only its uploader, and who handles incidents, may do so."""
        return await files.detach(ask.tx, id, *_subject(subject_id))

    @mutation(File)
    @staticmethod
    async def change_file(
        ask: MutationContext,
        id: Annotated[FileId, "File to be changed."],
        internal: Annotated[bool, "Whether to hide it from clients."],
        expected_version: ExpectedVersion = None,
    ) -> files.File:
        """Hide a file from clients, or show it to them; for who handles incidents."""
        return await files.change(ask.tx, id, internal=internal, expected_version=expected_version)

    @mutation(File)
    @staticmethod
    async def delete_file(
        ask: MutationContext, id: Annotated[FileId, "File to be deleted."]
    ) -> files.File:
        """Delete the bytes, name and camera data of a file; only its uploader, and who handles incidents, may do so."""
        return await files.delete(ask.tx, id)


def _subject(text: str) -> tuple[str, UUID]:
    found = ids.read(text)
    if found is None or found[0] not in files.SUBJECTS:
        kinds = " or ".join(files.SUBJECTS)
        raise Refused(Code.NOT_FOUND, f"No such {kinds}.", argument="subjectId")
    return found


def _path(row: files.File, info: Info, kind: CopyKind) -> str | None:
    if row.state is not FileState.AVAILABLE:
        return None
    return LinkSigner(info.context.secret).download_path(row.id, kind, at=info.context.at)
