"""Mapping profiles: what the columns of somebody else's file mean, written in TOML and read strictly."""

import tomllib
from collections.abc import Iterator
from datetime import date, datetime
from importlib import resources
from pathlib import Path
from typing import Literal, dataclass_transform
from zoneinfo import ZoneInfo, available_timezones

import msgspec

from domain.agreements.model import Priority, PromiseKind, TicketKind
from domain.calendars.rules import CalendarSpec
from domain.errors import Code, Refused

Column = str | list[str]
"""A column's name, or several names of which the first that the file has is meant (sources rename)."""

Told = Literal[
    "incident.acknowledged",
    "incident.work_started",
    "incident.arrived",
    "incident.resolved",
    "incident.closed",
]
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
    """An unknown key is an error: a misspelt one would silently change what is imported."""


class Value(_Strict):
    """What a column says, translated by `map`; `otherwise` stands for what is empty or not in the map."""

    column: Column
    map: dict[str, str] = {}
    otherwise: str | None = None


class Ticket(_Strict):
    """Where the fields of a ticket come from; plain text is meant as it stands."""

    summary: str | Value
    opened_at: Column | None = None  # None: the first row of the ticket opens it
    agreed_at: Column | None = None  # the date promised for this very ticket
    kind: str | Value = str(TicketKind.INCIDENT)
    category: str | Value | None = None
    priority: str | Value = str(Priority.MEDIUM)
    source: str | Value = "client"
    reporter: str | Value = "import"


class FactColumn(_Strict):
    """One fact of the ticket: its instant stands in column `at` of the rows where `when` holds."""

    kind: Told
    at: Column
    when: dict[str, str | list[str]] = {}
    pick: Literal["every", "first", "last"] = "every"
    optional: bool = False  # the file may lack the column


class UpdateColumn(_Strict):
    """Something said on the ticket at an instant."""

    at: Column
    body: str | Value
    client_visible: bool = False
    when: dict[str, str | list[str]] = {}


class Log(_Strict):
    """An event log: every row says how the ticket stood from `at` on; `order` breaks ties of instants.

    `priority_change` = "retroactive" lets a changed priority hold from the opening on, as systems do that restart
    their clock at the ticket's creation; "from_then_on" lets it hold from the row's instant.
    """

    at: Column
    order: Column | None = None
    state: Column | None = None
    priority_change: Literal["from_then_on", "retroactive"] = "from_then_on"


class TargetSpec(_Strict):
    """How long is allowed: elapsed seconds on the calendar, or whole business days."""

    elapsed_s: int | None = None
    business_days: int | None = None


class PromiseSpec(_Strict):
    """One promise to sign when the agreement is not there yet."""

    name: str
    kind: PromiseKind
    calendar: str
    targets: dict[Priority, TargetSpec]
    category: str | None = None
    ticket_kinds: list[TicketKind] = []
    objective_ppm: int = 990_000
    pausable: bool = True


class AgreementSpec(_Strict):
    """What was promised to the client, for tickets opened from `in_force_from` on."""

    reference: str
    title: str
    signed_on: date
    in_force_from: datetime
    promises: list[PromiseSpec]


class Into(_Strict):
    """Whose tickets these are; what does not exist yet is made."""

    tenant: str
    account: str
    site: str
    city: str | None = None
    country: str = "NL"


class Profile(_Strict):
    """Everything that is to know about one kind of file."""

    name: str  # also the tickets' external source
    title: str
    time_zone: str  # of wall clocks without a zone
    key: Column
    into: Into
    ticket: Ticket
    facts: list[FactColumn] = []
    updates: list[UpdateColumn] = []
    log: Log | None = None
    states: dict[str, Meaning] = {}
    calendars: dict[str, dict[str, object]] = {}
    agreement: AgreementSpec | None = None
    formats: list[str] = []  # of instants, besides ISO 8601 (strptime)
    nulls: list[str] = msgspec.field(default_factory=lambda: [""])
    encoding: str = "utf-8"
    delimiter: str | None = None  # None: the one that the header line uses most
    skew_tolerance_s: int = 0  # a fact this little before the opening is a clock that ran slow

    def specs(self) -> dict[str, CalendarSpec]:
        """The calendars by name."""
        return {name: CalendarSpec.from_dict(stored) for name, stored in self.calendars.items()}


def shipped() -> list[str]:
    """The names of the profiles that come with Waarborg."""
    folder = resources.files("domain.imports") / "profiles"
    return sorted(
        f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml")
    )


def load(name: str) -> Profile:
    """Read a shipped profile by its name, or any by its path; refused with file and key when it does not fit."""
    if name in shipped():
        text = (resources.files("domain.imports") / "profiles" / f"{name}.toml").read_text("utf-8")
        return parse(text, where=f"profile {name}")
    path = Path(name)
    if not path.is_file():
        known = ", ".join(shipped())
        raise _no(f"There is no profile {name!r}: neither a file nor one of {known}.")
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise _no(f"{path}: {error}") from error
    return parse(text, where=str(path))


def parse(text: str, *, where: str) -> Profile:
    """Decode a profile; every complaint names `where` and the key."""
    try:
        profile = msgspec.convert(tomllib.loads(text), Profile)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise _no(f"{where}: {error}") from error
    for problem in _problems(profile):
        raise _no(f"{where}: {problem}")
    return profile


def _no(message: str) -> Refused:
    return Refused(Code.INVALID, message, argument="profile")


def _problems(profile: Profile) -> Iterator[str]:
    if profile.time_zone not in available_timezones():
        yield f"time_zone: unknown time zone {profile.time_zone!r}"
    if profile.skew_tolerance_s < 0:
        yield "skew_tolerance_s: at least 0"
    if profile.delimiter is not None and len(profile.delimiter) != 1:
        yield "delimiter: one character"
    if profile.log is None and profile.ticket.opened_at is None:
        yield "ticket.opened_at: needed, for there is no [log]"
    if profile.log is not None and profile.log.state is not None and not profile.states:
        yield "states: needed, for log.state names a column"
    try:
        "".encode(profile.encoding)
    except LookupError:
        yield f"encoding: unknown encoding {profile.encoding!r}"
    yield from _unfit_words(profile)
    yield from _unfit_agreement(profile)


def _unfit_words(profile: Profile) -> Iterator[str]:
    from domain.incidents.model import Source

    words: tuple[tuple[str, type[TicketKind | Priority | Source]], ...] = (
        ("kind", TicketKind),
        ("priority", Priority),
        ("source", Source),
    )
    for field, allowed in words:
        value = getattr(profile.ticket, field)
        said = [value] if isinstance(value, str) else [*value.map.values(), value.otherwise]
        for word in said:
            if word is not None and word not in list(allowed):
                yield f"ticket.{field}: {word!r} is none of {', '.join(allowed)}"


def _unfit_agreement(profile: Profile) -> Iterator[str]:
    for name, stored in profile.calendars.items():
        try:
            CalendarSpec.from_dict(stored)
        except ValueError as error:
            yield f"calendars.{name}: {error}"
    if profile.agreement is None:
        return
    if profile.agreement.in_force_from.tzinfo is None:
        yield "agreement.in_force_from: needs a zone, such as 2020-01-01T00:00:00Z"
    for number, promise in enumerate(profile.agreement.promises):
        where = f"agreement.promises[{number}]"
        if promise.calendar not in profile.calendars:
            yield f"{where}.calendar: there is no [calendars.{promise.calendar}]"
        if not promise.targets:
            yield f"{where}.targets: at least one priority"
        for priority, target in promise.targets.items():
            if (target.elapsed_s is None) == (target.business_days is None):
                yield f"{where}.targets.{priority}: elapsed_s or business_days, one of the two"


def zone_of(profile: Profile) -> ZoneInfo:
    """The zone of wall clocks without one."""
    return ZoneInfo(profile.time_zone)
