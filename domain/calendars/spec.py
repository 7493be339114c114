"""Specification of working time: hours, holidays and closures, and its JSON form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.calendars.hours import WEEKDAYS, Week, clock, week_of

NEVER: Week = ((),) * 7
_COUNTRY = re.compile("[A-Z]{2,3}")


class CalendarError(ValueError):
    """Error in a part of a calendar; `part` names which."""

    def __init__(self, part: str, why: str) -> None:
        super().__init__(why)
        self.part = part


@dataclass(frozen=True, slots=True)
class CalendarSpec:
    """Specification of working time. Immutable and hashable: an amended calendar is a new version.

    A time is working time iff its local wall clock lies inside one of the day's intervals and the day is neither a
    holiday nor a closure. So daylight saving needs no special case: a boundary in the hour that does not exist moves to
    the switch, and an interval inside the hour that happens twice counts both times.
    """

    zone: str
    hours: Week = NEVER
    country: str | None = None  # ISO 3166, holidays of the `holidays` library
    subdivision: str | None = None
    holiday_categories: tuple[str, ...] = ("public",)
    holidays_left_out: tuple[
        str, ...
    ] = ()  # English names of holidays that are working days, e.g. "Good Friday"
    closures: tuple[date, ...] = ()
    always_open: bool = False

    def __post_init__(self) -> None:
        """Refuse an invalid specification with a ValueError that names the part."""
        _check_zone(self.zone)
        _check_hours(self.hours, self.always_open)
        if self.always_open and (self.country or self.closures):
            raise CalendarError(
                "always_open", "a calendar that is always open cannot have holidays or closures"
            )
        if self.country is None:
            if self.subdivision or self.holidays_left_out or self.holiday_categories != ("public",):
                raise CalendarError("country", "holiday options need a country")
        else:
            _check_holidays(self)

    @classmethod
    def from_dict(cls, stored: Mapping[str, object]) -> Self:
        """Parse the JSON form; ValueError on unknown keys or invalid values."""
        unknown = sorted(set(stored) - set(cls.__dataclass_fields__))
        if unknown:
            raise ValueError(f"unknown calendar keys: {', '.join(unknown)}")
        if "zone" not in stored:
            raise ValueError("a calendar needs a zone")
        always = stored.get("always_open", False)
        if always not in (True, False):
            raise ValueError("always_open must be true or false")
        return cls(
            zone=_text(stored, "zone") or "",
            hours=week_of(stored.get("hours", {})),
            country=_text(stored, "country"),
            subdivision=_text(stored, "subdivision"),
            holiday_categories=_texts(stored, "holiday_categories", ("public",)),
            holidays_left_out=_texts(stored, "holidays_left_out", ()),
            closures=tuple(sorted({_date(day) for day in _texts(stored, "closures", ())})),
            always_open=bool(always),
        )

    def to_dict(self) -> dict[str, object]:
        """Return the JSON form, which `from_dict` parses."""
        return {
            "zone": self.zone,
            "hours": {
                day: [[clock(start), clock(end)] for start, end in spans]
                for day, spans in zip(WEEKDAYS, self.hours, strict=True)
                if spans
            },
            "country": self.country,
            "subdivision": self.subdivision,
            "holiday_categories": list(self.holiday_categories),
            "holidays_left_out": list(self.holidays_left_out),
            "closures": [day.isoformat() for day in self.closures],
            "always_open": self.always_open,
        }


def _check_zone(zone: str) -> None:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise CalendarError("zone", f"unknown time zone: {zone!r}") from error


def _check_hours(hours: Week, always_open: bool) -> None:
    if len(hours) != 7:
        raise ValueError("hours must be seven days, Monday first")
    if always_open == any(hours):
        raise ValueError("a calendar either has hours or is always open")
    for day, spans in zip(WEEKDAYS, hours, strict=True):
        edge = 0
        for start, end in spans:
            if not edge <= start < end <= 1440:
                raise ValueError(f"{day}: intervals must be sorted, disjoint, within 00:00-24:00")
            edge = end


def _check_holidays(spec: CalendarSpec) -> None:
    if not _COUNTRY.fullmatch(spec.country or ""):  # the library would look up any name it is given
        raise CalendarError("country", "country must be an ISO 3166 code such as NL")
    try:
        known = public_holidays(spec, 2000, 2030)
    except (NotImplementedError, ValueError, TypeError, AttributeError) as error:
        part = "subdivision" if spec.subdivision else "country"
        raise CalendarError(part, f"no such holidays: {error}") from error
    names = {name.casefold() for _, names in known for name in names}
    for name in spec.holidays_left_out:
        if name.casefold() not in names:
            raise CalendarError(
                "holidays_left_out",
                f"{spec.country} has no holiday {name!r}: {', '.join(sorted(names))}",
            )


def _date(stored: str) -> date:
    try:
        return date.fromisoformat(stored)
    except ValueError as error:
        raise CalendarError(
            "closures", f"a closure must be a date like 2026-12-24: {stored!r}"
        ) from error


def _text(stored: Mapping[str, object], key: str) -> str | None:
    value = stored.get(key)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{key} must be text: {value!r}")
    return value


def _texts(stored: Mapping[str, object], key: str, default: tuple[str, ...]) -> tuple[str, ...]:
    value = stored.get(key, default)
    if not isinstance(value, list | tuple) or not all(isinstance(v, str) for v in value):
        raise ValueError(f"{key} must be a list of texts: {value!r}")
    return tuple(value)


def public_holidays(spec: CalendarSpec, first: int, last: int) -> list[tuple[date, list[str]]]:
    """List the holidays of years, with their English names."""
    import holidays  # 110 ms, only when a calendar is expanded or checked

    listed = holidays.country_holidays(
        spec.country or "",
        subdiv=spec.subdivision,
        years=range(first, last + 1),
        categories=spec.holiday_categories,
        language="en_US",
    )
    return [(day, listed.get_list(day)) for day in listed]
