"""Values at the edges of every scalar, put one at a time into otherwise fitting arguments."""

import copy
from collections.abc import Iterator
from typing import Any, NamedTuple

from graphql import (
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    get_named_type,
    get_nullable_type,
)

TEXTS = [
    "",
    " ",
    "\x00",
    "\ud800",
    "a\x00b",
    "__init__",
    "x" * 50_000,
    "%s'\"\\",
    "../..",
    "\u2028",
]
EDGES: dict[str, list[Any]] = {
    "DateTime": [
        "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00", "1989-12-31T23:59:59Z", "2101-01-01T00:00:00Z",
        "1990-01-01T00:00:00Z", "2100-12-31T23:59:59Z",
    ],
    "Date": ["0001-01-01", "9999-12-31", "1989-12-31", "2101-01-01", "1990-01-01", "2100-12-31"],
    "Time": ["12:00:00+02:00", "24:00", "23:59:59.999999", "00:00"],
    "Int": [-1, 0, 2_147_483_647, -2_147_483_648],
    "Long": [-1, 0, 2**53 - 1, -(2**53 - 1)],
    "Float": [1e308, -1e308, -1.0, 90.0001, 181.0, 1e-320, 0.0],
    "String": TEXTS,
    "ID": ["", "\ud800", "\x00", "Tm9kZTox", "SW5jaWRlbnQ6"],
    "JSON": [{}, [], "x", 1, {"a": {"b": [None] * 50}}, {"\x00": "\x00"}],
    "UUID": ["00000000-0000-0000-0000-000000000000"],
}  # fmt: skip
IMPOSSIBLE = {
    *("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1989-12-31T23:59:59Z", "0001-01-01"),
    *("2101-01-01T00:00:00Z", "9999-12-31", "1989-12-31", "2101-01-01", "12:00:00+02:00", "a\x00b"),
}
"""Of these the answer names the argument, whatever it is."""


GIVEN: dict[str, dict[str, Any]] = {
    "defineCalendar": {
        "name": "Days", "alwaysOpen": False, "zone": "Europe/Amsterdam", "subdivision": None,
        "hours": [{"day": "mon", "fromTime": "09:00", "untilTime": "17:00"}], "country": "NL",
        "holidaysLeftOut": ["Good Friday"], "closures": ["2026-12-24"],
    },
    "openIncident": {
        "priority": "HIGH", "summary": "Window", "source": "GUARD", "reporter": "Jan",
        "agreedAt": None, "externalId": "1", "externalSource": "PAC",
    },
    "chooseCompensationPolicy": {
        "approvalAboveCents": 5_000, "vatCategory": "S", "vatRateBps": 2_100,
    },
    "setReportPlan": {
        "cadence": "DAILY", "enabled": False, "localTime": "09:00", "weekday": 2,
    },
    "deliverService": {"rateCode": "patrol"},
    "planService": {"rateCode": "patrol"},
    "fenceSite": {"radiusM": 100.0},
    "changeContact": {"email": "other@example.org"},
    "endAgreement": {"endedAt": "2090-01-01T00:00:00Z"},
    "setQualityPolicy": {"tier": None, "riskLimitBps": 500},
    "simulateTerms": {"fromAt": None, "untilAt": None, "seed": 0},
}  # fmt: skip
"""Input that fits better than what the schema alone suggests."""


LEFT_OUT = {
    *("businessDays", "mentions", "expiresAt", "outline", "warnPercents", "remedies", "creditId"),
    *("feeBps", "unitsMilli", "rateCode", "leastCents", "mostCents", "expectedVersion"),
    *("registrationNumber", "vatNumber", "internal", "bands"),
}
"""Given only as an edge: beside the other arguments they do not fit."""


def fitting(value: Any) -> Any:
    """The same without what does not fit beside the rest."""
    if isinstance(value, list):
        return [fitting(each) for each in value]
    if isinstance(value, dict):
        return {key: fitting(each) for key, each in value.items() if key not in LEFT_OUT}
    return value


class Leaf(NamedTuple):
    """One place in an argument, and the values to put there."""

    path: tuple[str | int, ...]
    values: list[Any]

    @property
    def name(self) -> str:
        """The name on the wire of what holds the value."""
        return [str(step) for step in self.path if isinstance(step, str)][-1]


def leaves(kind: GraphQLInputType, path: tuple[str | int, ...]) -> Iterator[Leaf]:
    """Every place inside an argument of this type."""
    inside = get_nullable_type(kind)
    if isinstance(inside, GraphQLList):
        yield Leaf(path, [[], "2000 times", "twice"])
        yield from leaves(inside.of_type, (*path, 0))
    elif isinstance(inside, GraphQLInputObjectType):
        for name, field in inside.fields.items():
            yield from leaves(field.type, (*path, name))
    else:
        values = EDGES.get(get_named_type(kind).name, [])
        yield Leaf(path, [None, *values] if inside is kind else values)


def changed(variables: dict[str, Any], leaf: Leaf, value: Any) -> dict[str, Any] | None:
    """The variables with another value at one place; None when nothing is there to hold it."""
    made = copy.deepcopy(variables)
    holder: Any = made
    for step in leaf.path[:-1]:
        try:
            holder = holder[step]
        except (KeyError, IndexError, TypeError):
            return None
        if holder is None:
            return None
    last = leaf.path[-1]
    if value in ("2000 times", "twice") and isinstance(value, str):
        items = holder.get(last) if isinstance(holder, dict) else None
        if not items:
            return None
        value = items * (2000 if value == "2000 times" else 2)
    try:
        holder[last] = value
    except (IndexError, TypeError):
        return None
    return made
