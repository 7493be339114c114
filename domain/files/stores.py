"""The store of bytes that the settings name: a directory, or a bucket of an S3-compatible server."""

from functools import lru_cache

from domain.core.settings import Settings
from domain.files.blobs import BlobStore, DirectoryStore


@lru_cache(maxsize=4)
def store_of(settings: Settings) -> BlobStore:
    """Return the store that the settings name; a directory beside the other data when they name no bucket."""
    if settings.files_bucket:
        from domain.files.bucket import BucketStore

        return BucketStore(settings)
    return DirectoryStore(settings.data / "files" / "blobs")
