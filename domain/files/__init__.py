"""Files: photos and documents of incidents, by signed addresses; clients get copies without camera data."""

from domain.files.actions import PhoneTimes, attach, change, delete, detach, start_upload
from domain.files.blobs import BlobStore, incoming
from domain.files.decoding import DecoderBusy, Unacceptable
from domain.files.grading import grade_photo_of
from domain.files.links import LinkSigner, is_over
from domain.files.model import CopyKind, File, FileAttachment, FileCopy, FileState, PhotoEvidence
from domain.files.reads import Download, download_of
from domain.files.receiving import (
    ReceivedFile,
    WrongSize,
    folder_of_upload,
    receive,
    remove_left_behind,
)
from domain.files.retention import (
    delete_blob,
    erase_origin,
    expire_file,
    expire_uploads,
    old_files,
    unneeded_blobs,
)
from domain.files.rules import MAX_BYTES, name_of_download
from domain.files.scanning import SCANS, SCANS_DUE, scan, unscanned
from domain.files.stores import store_of
from domain.files.storing import awaited, store
from domain.files.subjects import SUBJECTS

__all__ = [
    "MAX_BYTES",
    "SCANS",
    "SCANS_DUE",
    "SUBJECTS",
    "BlobStore",
    "CopyKind",
    "DecoderBusy",
    "Download",
    "File",
    "FileAttachment",
    "FileCopy",
    "FileState",
    "LinkSigner",
    "PhoneTimes",
    "PhotoEvidence",
    "ReceivedFile",
    "Unacceptable",
    "WrongSize",
    "attach",
    "awaited",
    "change",
    "delete",
    "delete_blob",
    "detach",
    "download_of",
    "erase_origin",
    "expire_file",
    "expire_uploads",
    "folder_of_upload",
    "grade_photo_of",
    "incoming",
    "is_over",
    "name_of_download",
    "old_files",
    "receive",
    "remove_left_behind",
    "scan",
    "start_upload",
    "store",
    "store_of",
    "unneeded_blobs",
    "unscanned",
]
