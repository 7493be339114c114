"""The history of the tables leads to the models, and back."""

import ast
import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import make_url

import domain
from api.embedded import Servers
from api.support import migrate
from domain import metadata

REVISIONS = sorted((Path(__file__).parents[2] / "alembic" / "versions").glob("*.py"))
LIVE = {"api", "domain", "loadtests", "realtime", "schema", "tests", "workers"}
"""Packages that change with every release. What a revision does must not change with them."""


def imported(source: str) -> set[str]:
    """The top-level packages that a module imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return {name.partition(".")[0] for name in names}


@pytest.fixture
def empty_url(pair: Servers, owner_url: str) -> Iterator[str]:
    """A database of this test's own that no migration has seen."""
    owner = make_url(owner_url)
    superuser = make_url(pair.owner_url).set(
        drivername="postgresql", username="postgres", database="postgres"
    )
    name = f"{owner.database}_empty"

    async def run(*statements: str) -> None:
        connection = await asyncpg.connect(superuser.render_as_string(hide_password=False))
        for statement in statements:
            await connection.execute(statement)
        await connection.close()

    asyncio.run(
        run(f"DROP DATABASE IF EXISTS {name}", f"CREATE DATABASE {name} OWNER waarborg_owner")
    )
    yield owner.set(database=name).render_as_string(hide_password=False)
    asyncio.run(run(f"DROP DATABASE {name} WITH (FORCE)"))


def test_the_models_hold_nothing_that_the_migrations_do_not_make(owner_url: str) -> None:
    migrate.check(owner_url)


def test_the_history_has_one_end_and_the_names_of_the_files_say_which() -> None:
    scripts = ScriptDirectory.from_config(migrate.config(""))
    assert tuple(scripts.get_heads()) == migrate.heads()


@pytest.mark.parametrize("path", REVISIONS, ids=lambda path: path.stem[:4])
def test_a_revision_imports_no_live_code(path: Path) -> None:
    assert imported(path.read_text()) & LIVE == set(), (
        f"{path.name} imports code that changes after the revision was applied somewhere. Copy what it"
        " needs, as SQL, into the revision."
    )


def test_an_import_of_live_code_in_a_revision_is_found() -> None:
    assert len(REVISIONS) > 20
    for line in ("from domain.access import rls", "import domain.core.db", "import domain as live"):
        assert imported(f"def upgrade():\n    {line}\n") & LIVE == {"domain"}


def test_every_revision_goes_up_and_down_and_up_again(empty_url: str) -> None:
    migrate.upgrade(empty_url)
    migrate.downgrade(empty_url, "base")
    left = asyncio.run(_tables(empty_url))
    migrate.upgrade(empty_url)
    migrate.check(empty_url)
    assert left == {"alembic_version"}


def test_two_deployments_at_once_take_turns(empty_url: str) -> None:
    program = [
        sys.executable,
        "-c",
        "import sys; from api.support import migrate; migrate.upgrade(sys.argv[1])",
    ]
    both = [subprocess.Popen([*program, empty_url]) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    migrate.check(empty_url)


def test_the_application_owns_no_table(owner_url: str) -> None:
    async def owners() -> set[str]:
        connection = await asyncpg.connect(_plain(owner_url))
        rows = await connection.fetch(
            "SELECT tableowner FROM pg_tables WHERE schemaname = 'public'"
        )
        await connection.close()
        return {row["tableowner"] for row in rows}

    assert asyncio.run(owners()) == {"waarborg_owner"}


async def _tables(url: str) -> set[str]:
    connection = await asyncpg.connect(_plain(url))
    rows = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    await connection.close()
    return {row["tablename"] for row in rows}


def _plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def test_every_module_with_a_table_is_compared_with_the_database() -> None:
    known = {Path(module.__file__ or "") for module in metadata.MODELS}
    tables = {
        path
        for path in Path(domain.__file__).parent.rglob("*.py")
        if re.search(r"^    __tablename__ = ", path.read_text(), re.MULTILINE)
    }
    assert len(tables) > 20
    assert tables <= known, "name its module in domain/metadata.py, or call it model.py"
