"""Rules of meetings: their times, and when the agenda and the summary are due."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from domain.core.errors import Code, Refused

AGENDA_BEFORE = timedelta(hours=24)
SUMMARY_AFTER = timedelta(hours=24)
LONGEST = timedelta(days=14)


def agenda_due_at(starts_at: datetime) -> datetime:
    """Return the latest time at which the agenda is sent in time."""
    return starts_at - AGENDA_BEFORE


def summary_due_at(ends_at: datetime) -> datetime:
    """Return the latest time at which the summary is sent in time."""
    return ends_at + SUMMARY_AFTER


def must_be_zone(name: str) -> None:
    """Refuse a time zone that is not in the IANA database."""
    if name not in available_timezones():
        raise Refused(
            Code.INVALID,
            "timeZone must be an IANA time zone such as Europe/Amsterdam.",
            argument="timeZone",
        )


def must_be_times(
    starts_at: datetime, ends_at: datetime, *, whole_day: bool, zone: str, now: datetime
) -> None:
    """Refuse a beginning that is not later than now, an end before it, and whole days that are not whole."""
    if starts_at <= now:
        raise Refused(Code.TIME_REVERSED, "startsAt must be later than now.", argument="startsAt")
    if not starts_at < ends_at <= starts_at + LONGEST:
        raise Refused(
            Code.TIME_REVERSED,
            f"endsAt must be later than startsAt, by at most {LONGEST.days} days.",
            argument="endsAt",
        )
    if not whole_day:
        return
    for argument, at in (("startsAt", starts_at), ("endsAt", ends_at)):
        if at.astimezone(ZoneInfo(zone)).time() != time():
            raise Refused(
                Code.INVALID,
                f"{argument} of a meeting of whole days must be a midnight in {zone}.",
                argument=argument,
            )
