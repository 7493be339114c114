"""Real logs, through the command line into a real database; skipped, and said so, where the data is not there."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from api.embedded import Servers
from api.support import migrate
from tests.conftest import copied, login

ROOT = Path(__file__).parents[2]
REAL = Path(os.environ.get("WAARBORG_REAL_DATA", ROOT.parent / "shared" / "data"))

Waarborg = Callable[..., str]


@pytest.fixture(scope="session")
def owner_url(pair: Servers) -> str:
    """A database for the real logs alone: other tests would have to wade through half a million facts."""
    return copied(pair, f"waarborg_real_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}")


@pytest.fixture(scope="session")
def database_url(owner_url: str) -> str:
    """The same database, as the application's login."""
    return login(owner_url, migrate.APP_ROLE)


@pytest.fixture(scope="session")
def system_url(owner_url: str) -> str:
    """The same database, as the login that sees every company's rows."""
    return login(owner_url, "waarborg_system")


@pytest.fixture(scope="session")
def log() -> Callable[[str], Path]:
    """The path of a real log."""

    def find(name: str) -> Path:
        path = REAL / "sla" / name
        if not path.is_file():
            pytest.skip(f"the real log {path} is not on this machine (WAARBORG_REAL_DATA)")
        return path

    return find


@pytest.fixture(scope="session")
def waarborg(
    database_url: str,
    system_url: str,
    owner_url: str,
    redis_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Waarborg:
    """Run the program on this worker's database and give back what it printed."""
    data = tmp_path_factory.mktemp("data")

    def run(*arguments: str | Path, exit_code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "api.cli", *map(str, arguments), "--data", str(data)],
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            cwd=ROOT,
            env=os.environ
            | {
                "WAARBORG_DATABASE_URL": system_url,
                "WAARBORG_SYSTEM_DATABASE_URL": system_url,
                "WAARBORG_OWNER_DATABASE_URL": owner_url,
                "WAARBORG_REDIS_URL": redis_url,
            },
            timeout=600,
        )
        assert done.returncode == exit_code, done.stdout[-2_000:] + done.stderr[-4_000:]
        return done.stdout

    return run


@pytest.fixture(scope="session")
def imported(waarborg: Waarborg) -> Callable[..., dict[str, Any]]:
    """Import a file for a tenant of its own and give back the summary; the figures are printed too."""

    def run(file: Path, profile: str, tenant: str, *more: str | Path) -> dict[str, Any]:
        told = waarborg(
            "import", "incidents", file, "--profile", profile, "--tenant", tenant, "--json", *more
        )
        summary: dict[str, Any] = json.loads(told)
        sys.stdout.write(f"{profile}: {summary}\n")
        return summary

    return run
