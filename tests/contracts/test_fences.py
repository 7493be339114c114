"""Every table that holds a company's rows is fenced in PostgreSQL, and the login of requests cannot climb over."""

import asyncpg
import pytest
from sqlalchemy import make_url

from domain import metadata
from domain.core.base import Base, Owned

OF_NOBODY = {"ledger_shard", "ledger_epoch"}
"""Tables without a single company's data; whoever adds a name here says why it may be read by all."""


async def rows(url: str, query: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(
        make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    )
    try:
        return await connection.fetch(query)
    finally:
        await connection.close()


async def test_every_table_of_the_models_is_fenced_for_everybody_its_owner_too(
    owner_url: str,
) -> None:
    found = await rows(
        owner_url,
        "SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity AS forced,"
        " coalesce(string_agg(pg_get_expr(p.polqual, p.polrelid), ';'), '') AS says,"
        " bool_and(p.polcmd = '*' AND p.polroles = '{0}' AND p.polwithcheck IS NULL) AS whole"
        " FROM pg_class c LEFT JOIN pg_policy p ON p.polrelid = c.oid"
        " WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace GROUP BY c.oid",
    )
    fenced = {
        row["relname"]
        for row in found
        if row["forced"] and row["whole"] and "fence_tenant()" in row["says"]
    }
    tables = {row["relname"] for row in found} - {"alembic_version"}
    assert tables - fenced == OF_NOBODY


async def test_every_table_of_rows_that_clients_see_is_fenced_by_account_too(
    owner_url: str,
) -> None:
    found = await rows(
        owner_url,
        "SELECT c.relname AS name, p.oid IS NOT NULL AS fenced FROM pg_class c LEFT JOIN pg_policy p"
        " ON p.polrelid = c.oid AND pg_get_expr(polqual, polrelid) LIKE '%fence_accounts()%'"
        " WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace",
    )
    owned = {
        str(mapper.local_table)
        for mapper in Base.registry.mappers
        if issubclass(mapper.class_, Owned) and metadata.MODELS
    } | {"account", "ledger"}
    open_to_all = {row["name"] for row in found if not row["fenced"]}
    assert len(owned) > 10
    assert owned & open_to_all == set()


@pytest.mark.parametrize("kind", ["v", "m"])
async def test_there_is_no_view_that_would_pass_the_fence(owner_url: str, kind: str) -> None:
    views = await rows(
        owner_url,
        f"SELECT relname FROM pg_class WHERE relkind = '{kind}'"
        " AND relnamespace = 'public'::regnamespace",
    )
    assert views == []


async def test_only_the_systems_login_passes_the_fence(owner_url: str) -> None:
    found = await rows(
        owner_url,
        "SELECT rolname, rolsuper, rolbypassrls, pg_has_role('waarborg_app', oid, 'MEMBER') AS app"
        " FROM pg_roles WHERE rolname LIKE 'waarborg%'",
    )
    passes = {row["rolname"] for row in found if row["rolsuper"] or row["rolbypassrls"]}
    becomes = {row["rolname"] for row in found if row["app"]}
    assert (passes, becomes) == ({"waarborg_system"}, {"waarborg_app"})
