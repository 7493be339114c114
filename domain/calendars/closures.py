"""Read closures from iCalendar files (RFC 5545): public holidays and other days without work."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import islice, takewhile
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

FIRST, LAST = date(1970, 1, 1), date(2099, 12, 31)
LARGEST_CHARACTERS = 5_000_000
MOST_DAYS = 20_000
_FREQUENCIES = {"YEARLY", "MONTHLY", "WEEKLY", "DAILY"}
_NOT_OF_DAYS = {"UNTIL", "BYHOUR", "BYMINUTE", "BYSECOND"}
_DAY = timedelta(days=1)


class Closures(NamedTuple):
    """Whole days of a file, and the names of its events that do not cover whole days."""

    days: tuple[date, ...]
    left_out: tuple[str, ...]


def closures_of(text: str, zone: str) -> Closures:
    """Read the whole days of all events, repeated ones up to 2099; ValueError when it is no iCalendar text.

    A timed event counts when it covers whole local days of `zone`. Cancelled events are no closures.
    """
    from icalendar import Calendar

    if len(text) > LARGEST_CHARACTERS:
        raise ValueError(f"an iCalendar file of more than {LARGEST_CHARACTERS:,} characters")
    try:
        found = Calendar.from_ical(text.lstrip("\ufeff"), multiple=True)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise ValueError(f"not an iCalendar file: {error}") from error
    if not any(each.name == "VCALENDAR" for each in found):
        raise ValueError("not an iCalendar file: there is no VCALENDAR")
    days: set[date] = set()
    left_out: list[str] = []
    events: list[Any] = [event for each in found for event in each.walk("VEVENT")]
    moved = {
        (str(event.get("UID")), _day(event["RECURRENCE-ID"].dt, zone))
        for event in events
        if "RECURRENCE-ID" in event
    }
    for event in events:
        try:
            covered = set(_days(event, zone, moved))
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            raise ValueError(f"event {_name(event)!r}: {error}") from error
        if not covered and str(event.get("STATUS", "")).upper() != "CANCELLED":
            left_out.append(_name(event))
        days |= covered
        if len(days) > MOST_DAYS:
            raise ValueError(f"more than {MOST_DAYS:,} days")
    return Closures(tuple(sorted(days)), tuple(left_out))


def _name(event: Any) -> str:
    return str(event.get("SUMMARY", "") or event.get("UID", "") or "without a name")[:80]


def _days(event: Any, zone: str, moved: set[tuple[str, date]]) -> Iterator[date]:
    """The whole local days of an event and of its repetitions."""
    if str(event.get("STATUS", "")).upper() == "CANCELLED":
        return
    first, length = _stretch(event, zone)
    uid, is_moved = str(event.get("UID")), "RECURRENCE-ID" in event
    for start in _starts(event, first, zone):
        if not is_moved and (uid, start) in moved:
            continue
        for number in range(length):
            day = start + number * _DAY
            if FIRST <= day <= LAST:
                yield day


def _stretch(event: Any, zone: str) -> tuple[date, int]:
    """The first whole day of the event and how many there are."""
    begins = event["DTSTART"].dt
    if "DTEND" in event:
        ends = event["DTEND"].dt
    elif "DURATION" in event:
        ends = begins + event["DURATION"].dt
    else:
        ends = begins if isinstance(begins, datetime) else begins + _DAY
    if not isinstance(begins, datetime):
        return begins, min(max((_day(ends, zone) - begins).days, 1), MOST_DAYS)
    begins, ends = _local(begins, zone), _local(ends, zone)
    first = begins.date() if begins.time() == time() else begins.date() + _DAY
    return first, min(max((ends.date() - first).days, 0), MOST_DAYS)


def _starts(event: Any, first: date, zone: str) -> Iterator[date]:
    """The first day of each repetition, by the rule, the additional dates and the exceptions."""
    from dateutil.rrule import rrulestr

    excluded = set(_dates(event, "EXDATE", zone))
    found = {first, *_dates(event, "RDATE", zone)}
    rules = event.get("RRULE", [])
    for rule in rules if isinstance(rules, list) else [rules]:
        frequency = str(next(iter(rule.get("FREQ", [])), "")).upper()
        if frequency not in _FREQUENCIES:
            raise ValueError(f"it is repeated {frequency or 'without a frequency'}")
        if any(int(each) < 1 for each in rule.get("INTERVAL", [])):
            raise ValueError("it is repeated with an interval below 1")
        plain = {key: value for key, value in rule.items() if key not in _NOT_OF_DAYS}
        until = [_day(each, zone) for each in rule.get("UNTIL", [])]
        last = min([LAST, *until])
        text = type(rule)(plain).to_ical().decode()
        starts = rrulestr(text, dtstart=datetime.combine(first, time()))
        days: Iterator[date] = (start.date() for start in starts)
        found |= set(islice(takewhile(last.__ge__, days), MOST_DAYS * 3))
    yield from sorted(found - excluded)


def _dates(event: Any, key: str, zone: str) -> Iterator[date]:
    given = event.get(key, [])
    for each in given if isinstance(given, list) else [given]:
        for value in each.dts:
            start = value.dt[0] if isinstance(value.dt, tuple) else value.dt
            yield _day(start, zone)


def _day(when: date | datetime, zone: str) -> date:
    return _local(when, zone).date() if isinstance(when, datetime) else when


def _local(when: datetime, zone: str) -> datetime:
    """The wall clock of `zone`; a floating time is of that zone already."""
    if when.tzinfo is None:
        return when
    return when.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
