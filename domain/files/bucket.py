"""Store of bytes in a bucket of an S3-compatible server, through obstore."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from domain.core import private_files
from domain.core.settings import Settings
from domain.files.blobs import CHUNK, incoming


class BucketStore:
    """Bytes as objects of a bucket. A server shows an object only once all of it is there."""

    def __init__(self, settings: Settings) -> None:
        from obstore.store import S3Store

        self._incoming = incoming(settings)
        options: dict[str, Any] = {"region": settings.files_region}
        if settings.files_endpoint:
            options |= {
                "endpoint": settings.files_endpoint,
                "virtual_hosted_style_request": False,
                "client_options": {"allow_http": settings.files_endpoint.startswith("http://")},
            }
        if settings.files_access_key:
            options |= {
                "access_key_id": settings.files_access_key,
                "secret_access_key": settings.files_secret_key.get_secret_value(),
            }
        self._store: Any = S3Store(settings.files_bucket, **options)

    async def put(self, address: str, source: Path) -> None:
        """Store the bytes of a file, completely or not at all; the same bytes may be there already."""
        with _as_os_error():
            await self._store.put_async(address, source)

    async def read(self, address: str, first: int, last: int) -> AsyncIterator[bytes]:
        """Read the bytes from `first` to `last`, both included, in chunks."""
        with _as_os_error():
            found = await self._store.get_async(address, options={"range": (first, last + 1)})
            async for chunk in found.stream(min_chunk_size=CHUNK):
                yield bytes(chunk)

    @asynccontextmanager
    async def on_disk(self, address: str) -> AsyncIterator[Path]:
        """Provide the bytes as a file on this machine, which must not be changed."""
        private_files.make_missing(self._incoming)
        with TemporaryDirectory(dir=self._incoming, prefix="fetched-") as folder:
            path = Path(folder) / "file"
            with _as_os_error(), path.open("wb") as file:
                found = await self._store.get_async(address)
                async for chunk in found.stream(min_chunk_size=CHUNK):
                    await asyncio.to_thread(file.write, chunk)
            yield path

    async def delete(self, address: str) -> None:
        """Delete the bytes; nothing happens when there are none."""
        with _as_os_error():
            await self._store.delete_async(address)


@contextmanager
def _as_os_error() -> Iterator[None]:
    """Raise what the server's client raises as `OSError`, as other stores do."""
    from obstore.exceptions import BaseError

    try:
        yield
    except BaseError as error:
        raise OSError(f"the bucket cannot be used: {type(error).__name__}") from error
