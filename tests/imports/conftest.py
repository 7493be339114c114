"""An importer for a tenant of its own."""

from pathlib import Path

import pytest

from domain.core.db import Sessions
from tests.imports.importing import Importer


@pytest.fixture
def importer(make: Sessions, tmp_path: Path) -> Importer:
    return Importer(make, tmp_path)
