"""Validate a profile beyond unknown keys: words, formats, calendars, and columns that belong together."""

from collections.abc import Iterator
from zoneinfo import available_timezones

import msgspec

from domain.agreements.model import Priority, TicketKind
from domain.calendars import CalendarSpec
from domain.imports import formats
from domain.imports.mapping import FactColumn, Profile, Value


def problems(profile: Profile) -> Iterator[str]:
    """Yield each problem with the key that has it."""
    if profile.time_zone not in available_timezones():
        yield f"time_zone: unknown time zone {profile.time_zone!r}"
    if not 0 <= profile.skew_tolerance_s <= 31 * 86_400:
        yield "skew_tolerance_s: 0 to 31 days"
    yield from (f"formats: {problem}" for problem in formats.problems(profile.formats))
    yield from _of_csv(profile)
    if profile.log is None and profile.ticket.opened_at is None:
        yield "ticket.opened_at: needed, for there is no [log]"
    if profile.log is not None and profile.log.state is not None and not profile.states:
        yield "states: needed, for log.state names a column"
    if b"\\u0000" in msgspec.json.encode(profile):
        yield "a NUL character in a text"
    for number, fact in enumerate(profile.facts):
        yield from (f"facts[{number}]: {problem}" for problem in _of_fact(profile, fact))
    yield from _of_words(profile)
    yield from _of_agreement(profile)


def _of_csv(profile: Profile) -> Iterator[str]:
    for name in ("delimiter", "quote"):
        mark = getattr(profile, name)
        if mark is not None and (len(mark) != 1 or mark in "\r\n\0\ufeff "):
            yield f"{name}: one character"
    if profile.delimiter == profile.quote:
        yield "quote: another character than the delimiter"
    try:
        "".encode(profile.encoding)
    except (LookupError, UnicodeError):
        yield f"encoding: unknown encoding {profile.encoding!r}"


def _of_fact(profile: Profile, fact: FactColumn) -> Iterator[str]:
    if (fact.at is None) == (fact.after is None):
        yield "at or after, one of the two"
    if fact.after is not None and profile.ticket.opened_at is None:
        yield "after: needs ticket.opened_at"
    if (fact.kind == "incident.prioritised") != (fact.priority is not None):
        yield "priority: needed by incident.prioritised, and only there"
    if (fact.kind == "incident.reassigned") != (fact.to is not None):
        yield "to: needed by incident.reassigned, and only there"
    if fact.cause is not None and fact.kind != "incident.paused":
        yield "cause: only of incident.paused"
    if fact.reason is not None and fact.kind not in {"incident.reopened", "incident.prioritised"}:
        yield "reason: only of incident.reopened and incident.prioritised"


def _of_words(profile: Profile) -> Iterator[str]:
    from domain.incidents.model import PauseCause, Source

    ticket = profile.ticket
    words: list[tuple[str, str | Value | None, list[str]]] = [
        ("ticket.kind", ticket.kind, list(TicketKind)),
        ("ticket.priority", ticket.priority, list(Priority)),
        ("ticket.source", ticket.source, list(Source)),
    ]
    for number, fact in enumerate(profile.facts):
        words.append((f"facts[{number}].cause", fact.cause, list(PauseCause)))
        words.append((f"facts[{number}].priority", fact.priority, list(Priority)))
    for where, value, allowed in words:
        if value is None:
            continue
        said = [value] if isinstance(value, str) else [*value.map.values(), value.otherwise]
        for word in said:
            if word is not None and word not in allowed:
                yield f"{where}: {word!r} is none of {', '.join(allowed)}"


def _of_agreement(profile: Profile) -> Iterator[str]:
    for name, stored in profile.calendars.items():
        try:
            CalendarSpec.from_dict(stored)
        except ValueError as error:
            yield f"calendars.{name}: {error}"
    if profile.agreement is None:
        return
    if not isinstance(profile.into.account, str):
        yield "agreement: needs one account, but into.account names a column"
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
