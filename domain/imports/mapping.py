"""Mapping profiles: what the columns of another system's file mean."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Literal, dataclass_transform, get_args
from zoneinfo import ZoneInfo

import msgspec

from domain.agreements.model import Priority, PromiseKind, TicketKind
from domain.calendars import CalendarSpec

Column = str | list[str]
"""A column's name, or several names of which the first one in the file is used (sources rename columns)."""

ImportedKind = Literal[
    "incident.acknowledged",
    "incident.work_started",
    "incident.arrived",
    "incident.resolved",
    "incident.closed",
    "incident.reopened",
    "incident.paused",
    "incident.resumed",
    "incident.prioritised",
    "incident.reassigned",
]
Pick = Literal["once", "every", "first", "last"]
ONCE = frozenset(get_args(ImportedKind)[:5])
"""Facts that an incident has once, until it is reopened."""

Meaning = Literal[
    "new",
    "acknowledged",
    "in_progress",
    "waiting_on_client",
    "access_denied",
    "force_majeure",
    "resolved",
    "closed",
    "ignore",
]


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(msgspec.field,))
class _Strict(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Base that refuses unknown keys: a misspelt key would silently change what is imported."""


class Value(_Strict):
    """Value of a column, translated by `map`; `otherwise` is for values that are empty or not in the map."""

    column: Column
    map: dict[str, str] = {}
    otherwise: str | None = None


class IncidentSpec(_Strict):
    """Sources of an incident's fields; plain text is a constant."""

    summary: str | Value
    opened_at: Column | None = None  # None: the first row of the incident opens it
    agreed_at: Column | None = None  # the date agreed for this incident
    kind: str | Value = str(TicketKind.INCIDENT)
    category: str | Value | None = None
    service: str | Value | None = None
    priority: str | Value = str(Priority.MEDIUM)
    source: str | Value = "client"
    reporter: str | Value = "import"


class FactColumn(_Strict):
    """One fact of the incident, in the rows where `when` applies.

    Its time is in column `at`, or column `after` gives the duration after the opening.
    """

    kind: ImportedKind
    at: Column | None = None
    after: Column | None = None
    unit: Literal["seconds", "minutes", "hours", "days"] = "minutes"  # of plain numbers in `after`
    when: dict[str, str | list[str]] = {}
    pick: Pick | None = None  # None: one for facts that occur once, all in an event log
    cause: str | Value | None = None  # of a pause
    priority: str | Value | None = None  # of a changed priority
    to: str | Value | None = None  # of a reassignment
    reason: str | Value | None = None
    optional: bool = False  # the file may lack the column

    def picked(self, *, is_log: bool) -> Pick:
        """Return which of several times of this fact counts."""
        return self.pick or ("once" if self.kind in ONCE and not is_log else "every")


class UpdateColumn(_Strict):
    """An update of the incident at a time."""

    at: Column
    body: str | Value
    client_visible: bool = False
    when: dict[str, str | list[str]] = {}


class LogSpec(_Strict):
    """An event log: every row gives the state of the incident from `at` on; `order` breaks ties of times.

    `priority_change` = "retroactive" applies a changed priority from the opening on, as in systems that restart their
    clock at the incident's creation; "from_then_on" applies it from the row's time on.
    """

    at: Column
    order: Column | None = None
    state: Column | None = None
    priority_change: Literal["from_then_on", "retroactive"] = "from_then_on"


class TargetSpec(_Strict):
    """Allowed time: elapsed seconds on the calendar, or whole business days."""

    elapsed_s: int | None = None
    business_days: int | None = None


class PromiseSpec(_Strict):
    """One promise to sign when the agreement does not exist yet."""

    name: str
    kind: PromiseKind
    calendar: str
    targets: dict[Priority, TargetSpec]
    category: str | None = None
    services: list[str] = []
    ticket_kinds: list[TicketKind] = []
    objective_ppm: int = 990_000
    pausable: bool = True


class AgreementSpec(_Strict):
    """The promises to the client, for incidents opened from `in_force_from` on."""

    reference: str
    title: str
    signed_on: date
    in_force_from: datetime
    promises: list[PromiseSpec]


class Into(_Strict):
    """The account and site of the incidents. An account or a site that is named here is created when missing.

    One that a column names is looked up by its name, its id or (an account) its KvK number; rows with an unknown one
    are refused.
    """

    tenant: str
    account: str | Value
    site: str | Value
    city: str | None = None
    country: str = "NL"


class Profile(_Strict):
    """A mapping profile for one kind of file."""

    name: str  # also the incidents' external source
    title: str
    time_zone: str  # of wall clocks without a zone
    key: Column
    into: Into
    ticket: IncidentSpec
    facts: list[FactColumn] = []
    updates: list[UpdateColumn] = []
    log: LogSpec | None = None
    states: dict[str, Meaning] = {}
    calendars: dict[str, dict[str, object]] = {}
    agreement: AgreementSpec | None = None
    formats: list[str] = []  # of times, besides ISO 8601 (strptime)
    nulls: list[str] = msgspec.field(default_factory=lambda: [""])
    encoding: str = "utf-8"
    delimiter: str | None = None  # None: the one that the header line uses most
    quote: str = '"'
    skew_tolerance_s: int = (
        0  # a fact shortly before the opening counts as the fault of a slow clock
    )

    def specs(self) -> dict[str, CalendarSpec]:
        """The calendars by name."""
        return {name: CalendarSpec.from_dict(stored) for name, stored in self.calendars.items()}


def columns_of(profile: Profile) -> set[str]:
    """The names of all columns that the profile reads, in lower case."""
    return {name.strip().lower() for name in _columns(profile)}


def _columns(part: object) -> Iterator[str]:
    if isinstance(part, list | tuple):
        for each in part:
            yield from _columns(each)
    elif isinstance(part, msgspec.Struct):
        for name in part.__struct_fields__:
            value = getattr(part, name)
            if name in _COLUMNS and value is not None:
                yield from [value] if isinstance(value, str) else value
            elif name == "when":
                yield from value
            else:
                yield from _columns(value)


_COLUMNS = {"key", "column", "at", "after", "opened_at", "agreed_at", "order", "state"}


def zone_of(profile: Profile) -> ZoneInfo:
    """Return the zone of wall clocks without one."""
    return ZoneInfo(profile.time_zone)
