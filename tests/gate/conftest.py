"""An API of one's own: in this process, or under uvicorn."""

from tests.api.conftest import api, office, server

__all__ = ["api", "office", "server"]
