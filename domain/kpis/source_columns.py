"""Columns that the SELECTs of all KPIs have in common."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Select,
    case,
    cast,
    func,
    literal,
    select,
)

from domain.accounts.model import Account


def fact(
    kind: str,
    row: Any,
    site: Any,
    at: Any,
    numerator: Any,
    denominator: Any,
    *,
    subject: Any = None,
    own: Any = None,
) -> Select[Any]:
    """Select the facts of a KPI in the columns that all of them have; `kind` is the type of the subject.

    The subject is the row, or `subject`; the fact itself is `own` where one subject has several.
    """
    return select(
        row.tenant_id.label("tenant_id"),
        row.account_id.label("account_id"),
        site.label("site_id"),
        at.label("at"),
        literal(kind).label("kind"),
        (row.id if subject is None else subject).label("subject_id"),
        (row.id if own is None else own).label("fact_id"),
        numerator.label("numerator"),
        denominator.label("denominator"),
    )


def whole(number: int) -> ColumnElement[int]:
    """Return a constant."""
    return cast(literal(number), BigInteger)


def hit(condition: Any) -> ColumnElement[int]:
    """Return 1 where a condition holds, else 0."""
    return case((condition, whole(1)), else_=whole(0))


def microseconds(length: Any) -> ColumnElement[int]:
    """Return the length of an interval in microseconds."""
    return cast(func.extract("epoch", length) * 1_000_000, BigInteger)


def local_midnight(day: Any) -> ColumnElement[Any]:
    """Return the beginning of a local day of the account."""
    found: ColumnElement[Any] = func.timezone(Account.time_zone, cast(day, DateTime()))
    return found
