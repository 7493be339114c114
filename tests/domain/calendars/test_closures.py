"""Free days from iCalendar files: repeated, moved, cancelled, and files that are none."""

from datetime import date

import pytest

from domain.calendars import closures_of

ZONE = "Europe/Amsterdam"


def calendar(*events: str) -> str:
    parts = [f"BEGIN:VEVENT\nUID:{n}\n{event}\nEND:VEVENT" for n, event in enumerate(events)]
    return "\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:test", *parts, "END:VCALENDAR"])


@pytest.mark.parametrize(
    ("event", "days"),
    [
        ("DTSTART;VALUE=DATE:20261225", ["2026-12-25"]),
        ("DTSTART;VALUE=DATE:20261225\nDTEND;VALUE=DATE:20261227", ["2026-12-25", "2026-12-26"]),
        ("DTSTART;VALUE=DATE:20261225\nDURATION:P2D", ["2026-12-25", "2026-12-26"]),
        (
            "DTSTART;VALUE=DATE:20240427\nRRULE:FREQ=YEARLY;UNTIL=20270427\nEXDATE;VALUE=DATE:20250427",
            ["2024-04-27", "2026-04-27", "2027-04-27"],
        ),
        (
            "DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=YEARLY;COUNT=2\nRDATE;VALUE=DATE:20260601",
            ["2026-01-01", "2026-06-01", "2027-01-01"],
        ),
        (
            "DTSTART;VALUE=DATE:20261126\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH;COUNT=2",
            ["2026-11-26", "2027-11-25"],
        ),
        ("DTSTART:20261230T230000Z\nDTEND:20261231T230000Z", ["2026-12-31"]),
        ("DTSTART:20261231T000000\nDTEND:20270101T120000", ["2026-12-31"]),
        ("STATUS:CANCELLED\nDTSTART;VALUE=DATE:20261225", []),
    ],
)
def test_the_whole_days_of_an_event_are_closures(event: str, days: list[str]) -> None:
    assert closures_of(calendar(event), ZONE).days == tuple(map(date.fromisoformat, days))


def test_a_rule_without_end_reaches_to_the_end_of_the_century() -> None:
    days = closures_of(calendar("DTSTART;VALUE=DATE:20260427\nRRULE:FREQ=YEARLY"), ZONE).days
    assert (len(days), days[-1]) == (74, date(2099, 4, 27))


def test_one_occurrence_that_was_moved_is_where_it_was_moved_to() -> None:
    series = "DTSTART;VALUE=DATE:20250427\nRRULE:FREQ=YEARLY;COUNT=2"
    moved = "DTSTART;VALUE=DATE:20250426\nRECURRENCE-ID;VALUE=DATE:20250427"
    text = calendar(series, moved).replace("UID:1", "UID:0")
    assert closures_of(text, ZONE).days == (date(2025, 4, 26), date(2026, 4, 27))


def test_part_of_a_day_is_no_closure_and_is_named() -> None:
    found = closures_of(
        calendar("SUMMARY:Lunch\nDTSTART:20261224T100000Z\nDTEND:20261224T110000Z"), ZONE
    )
    assert found == ((), ("Lunch",))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no VCALENDAR"),
        ("date,name\n2026-12-25,Christmas", "not an iCalendar file"),
        (calendar("SUMMARY:No start"), "No start"),
        (calendar("DTSTART:soon"), "without a name|0"),
        (calendar("DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=SECONDLY"), "SECONDLY"),
        (calendar("DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=DAILY;INTERVAL=0"), "interval"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        closures_of(text, ZONE)
