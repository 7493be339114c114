"""Jobs about photos."""

from uuid import UUID

from domain import files
from workers.jobs import JobContext


async def grade_photo(job: JobContext) -> None:
    """Grade a photo that was attached to a row as evidence of it, once."""
    body = job.fact.body
    kind = body["attached_kind"]
    subject_id = body[files.SUBJECTS[kind].fact_field]
    await files.grade_photo_of(job.tx, job.fact.subject_id, kind, UUID(str(subject_id)))
