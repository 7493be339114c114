"""An API of one's own under uvicorn."""

from tests.api.conftest import server

__all__ = ["server"]
