"""Which channel, and when: preferences, urgency, and wall clocks that jump."""

from datetime import UTC, datetime, time
from typing import Any

import pytest

from domain.accounts import Channel
from domain.messages import Urgency
from domain.messages.channel_selection import channels, e164, not_before

EVERYWHERE = [Channel.EMAIL, Channel.SMS, Channel.PUSH, Channel.CHAT]
NIGHT = {"quiet_from": time(22, 0), "quiet_until": time(7, 0)}


def chosen(urgency: Urgency, preferred: Channel, reachable: Any = EVERYWHERE, **more: Any) -> str:
    return " ".join(channels(urgency, preferred, reachable, **more))


def test_what_somebody_prefers_comes_first_and_the_rest_stands_in() -> None:
    assert chosen(Urgency.NORMAL, Channel.EMAIL) == "email push chat sms"
    assert chosen(Urgency.NORMAL, Channel.SMS) == "sms email push chat"
    assert chosen(Urgency.LOW, Channel.CHAT, [Channel.EMAIL, Channel.CHAT]) == "chat email"


def test_what_is_critical_goes_by_a_channel_that_rings() -> None:
    assert chosen(Urgency.CRITICAL, Channel.EMAIL) == "push sms chat email"
    assert chosen(Urgency.CRITICAL, Channel.CHAT) == "chat email push sms"
    assert chosen(Urgency.CRITICAL, Channel.EMAIL, [Channel.EMAIL]) == "email"


def test_a_long_read_is_a_letter_or_nothing() -> None:
    assert chosen(Urgency.LOW, Channel.SMS, email_only=True) == "email"
    assert chosen(Urgency.LOW, Channel.SMS, [Channel.SMS], email_only=True) == ""


def test_who_prefers_what_does_not_reach_them_is_reached_otherwise() -> None:
    assert chosen(Urgency.NORMAL, Channel.WEBHOOK, [Channel.SMS]) == "sms"
    assert chosen(Urgency.NORMAL, Channel.EMAIL, []) == ""


def waits(at: datetime, *, zone: str = "Europe/Amsterdam", **hours: Any) -> str | None:
    urgency = hours.pop("urgency", Urgency.NORMAL)
    found = not_before(at, urgency=urgency, time_zone=zone, **(NIGHT | hours))
    return None if found is None else found.isoformat()


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("at", "until"),
    [
        (utc(2026, 1, 10, 20, 59), None),  # 21:59 in Amsterdam
        (utc(2026, 1, 10, 21, 0), "2026-01-11T06:00:00+00:00"),
        (utc(2026, 1, 10, 23, 30), "2026-01-11T06:00:00+00:00"),  # after midnight there
        (utc(2026, 1, 11, 5, 59), "2026-01-11T06:00:00+00:00"),
        (utc(2026, 1, 11, 6, 0), None),
        (utc(2026, 3, 28, 21, 30), "2026-03-29T05:00:00+00:00"),  # the night that is an hour short
        (utc(2026, 10, 24, 20, 30), "2026-10-25T06:00:00+00:00"),  # the night that is an hour long
    ],
)
def test_quiet_hours_end_on_the_readers_wall_clock(at: datetime, until: str | None) -> None:
    assert waits(at) == until


def test_an_end_that_the_wall_clock_skips_is_as_long_after_what_it_shows() -> None:
    until: dict[str, Any] = {"quiet_until": time(2, 30)}
    assert waits(utc(2026, 3, 28, 23, 0), **until) == "2026-03-29T01:30:00+00:00"  # 03:30 there


def test_an_end_that_the_wall_clock_shows_twice_is_the_first_that_is_not_over() -> None:
    until: dict[str, Any] = {"quiet_until": time(2, 30)}
    assert waits(utc(2026, 10, 24, 22, 0), **until) == "2026-10-25T00:30:00+00:00"
    assert waits(utc(2026, 10, 25, 1, 10), **until) == "2026-10-25T01:30:00+00:00"


def test_hours_within_a_day_and_other_zones() -> None:
    noon: dict[str, Any] = {"quiet_from": time(12, 0), "quiet_until": time(13, 0)}
    assert waits(utc(2026, 1, 5, 17, 30), zone="America/New_York", **noon) == (
        "2026-01-05T18:00:00+00:00"
    )
    assert waits(utc(2026, 1, 5, 11, 30), zone="America/New_York", **noon) is None


def test_what_is_critical_waits_for_nothing_and_without_hours_nobody_does() -> None:
    assert waits(utc(2026, 1, 10, 23, 0), urgency=Urgency.CRITICAL) is None
    assert waits(utc(2026, 1, 10, 23, 0), quiet_from=None) is None
    assert waits(utc(2026, 1, 10, 23, 0), quiet_until=None) is None


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("06 12345678", "+31612345678"),
        ("+32 470 12 34 56", "+32470123456"),
        ("0031-6-12345678", "+31612345678"),
        ("112", None),
        ("bel maar", None),
        (None, None),
    ],
)
def test_telephone_numbers_are_written_the_one_way_that_providers_take(
    given: str | None, found: str | None
) -> None:
    assert e164(given) == found
