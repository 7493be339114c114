"""The schema is asked through the API, as clients do."""

from tests.api.conftest import api, office, server

__all__ = ["api", "office", "server"]
