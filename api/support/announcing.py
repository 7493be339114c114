"""Triggers of wake-ups: `migrate --revise` writes into the revision those that the schedule of the worker lacks."""

from collections.abc import Collection
from typing import Any

from alembic.autogenerate import renderers
from alembic.operations import ops
from sqlalchemy import text

from api.support.row_security import render_statements

_FOUND = text(
    "SELECT encode(tgargs, 'escape') FROM pg_trigger"
    " WHERE tgfoid = to_regproc('announce_change') AND NOT tgisinternal"
)


class AnnounceOp(ops.ExecuteSQLOp):
    """Announce that a row of a table is added, or that it falls due earlier by one of its columns."""

    def __init__(self, message: str) -> None:
        table, _, column = message.partition(".")
        call = f"EXECUTE FUNCTION announce_change('{message}')"
        added = (
            f"CREATE TRIGGER announce_{column or 'row'}_set AFTER INSERT ON {table} FOR EACH ROW "
        )
        if column:
            added += f"WHEN (NEW.{column} IS NOT NULL) "
        self.statements: list[tuple[str, ...]] = [(added, call)]
        if column:
            self.statements += [
                (
                    f"CREATE TRIGGER announce_{column}_earlier AFTER UPDATE OF {column} ON {table} FOR EACH ROW ",
                    f"WHEN (NEW.{column} < OLD.{column} OR OLD.{column} IS NULL AND NEW.{column} IS NOT NULL) ",
                    call,
                ),
            ]
        super().__init__("; ".join("".join(each) for each in self.statements))


renderers.dispatch_for(AnnounceOp)(render_statements)


def announce_due_columns(context: Any, _revision: Any, scripts: list[ops.MigrationScript]) -> None:
    """Add the triggers that the schedule waits for and the database does not have."""
    from workers.schedule import messages

    found = {each.split("\\000")[0] for each in context.connection.scalars(_FOUND)}
    add_triggers(messages() - found, scripts)


def add_triggers(missing: Collection[str], scripts: list[ops.MigrationScript]) -> None:
    """Add the triggers of these messages at the end of a generated revision; dropped tables take theirs with them."""
    for script in scripts:
        for upgrade in script.upgrade_ops_list:
            upgrade.ops += [AnnounceOp(each) for each in sorted(missing)]
