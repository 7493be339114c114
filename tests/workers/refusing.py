"""Let a company's rows fail in the database, as an absurd value would."""

from uuid import UUID, uuid4

from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool


async def refuse(owner_url: str, tenant_id: UUID, table: str, when: str) -> None:
    """Raise whenever a row of the company is written `when`: INSERT, UPDATE or DELETE."""
    name = f"refuse_{uuid4().hex}"
    row = "OLD" if when == "DELETE" else "NEW"
    engine = create_async_engine(make_url(owner_url).set(username="postgres"), poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.execute(
            text(
                f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS"
                f" $$ BEGIN IF {row}.tenant_id = '{tenant_id}' THEN"
                f" RAISE EXCEPTION 'value out of int64 range'; END IF; RETURN {row}; END $$"
            )
        )
        await connection.execute(
            text(
                f'CREATE TRIGGER {name} BEFORE {when} ON "{table}"'
                f" FOR EACH ROW EXECUTE FUNCTION {name}()"
            )
        )
    await engine.dispose()
