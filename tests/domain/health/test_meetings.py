"""Planned meetings count for health as observed ones do: attendance, executives, and what the client cancels."""

from domain.health.signals import SignalKey
from domain.health.warning_conditions import meetings_cancelled, reactive_only
from domain.health.warning_input import WarningInput
from tests.domain.health.test_signals import AN, BO, Log, value
from tests.domain.health.test_signals import K as KIND


def held(log: Log, days_ago: float, invited: int, *contacts: str) -> None:
    log.add(
        "meeting.held",
        days_ago,
        invited=invited,
        attended=len(contacts),
        contact_ids=[*contacts],
        user_ids=[],
    )


def test_attendance_is_of_those_invited_and_a_cancelled_meeting_has_none() -> None:
    log = Log()
    held(log, 40, 4, AN, BO)
    log.saw(KIND.MEETING, 30, 3, 3)
    log.add("meeting.cancelled", 20, by_client=True)
    log.add("meeting.cancelled", 10, by_client=False)  # ours: it says nothing about the client
    found = log.read(SignalKey.MEETING_ATTENDANCE)
    assert found.figure == 5 / 8
    assert found.evidence == (1, 2, 3)


def test_a_meeting_with_an_executive_counts_as_access() -> None:
    log = Log()
    held(log, 400, 1, BO)
    assert log.read(SignalKey.EXECUTIVE_ACCESS).figure is None
    held(log, 90, 2, AN, BO)  # the one of decision power 5
    assert log.read(SignalKey.EXECUTIVE_ACCESS).figure == 90
    assert value(log.read(SignalKey.EXECUTIVE_ACCESS)) == 100


def test_a_champion_who_attends_was_met() -> None:
    log = Log()
    log.saw(KIND.CHAMPION, 60, 1, contact=AN)
    held(log, 14, 2, AN)
    assert log.read(SignalKey.CHAMPION_CONTACT).figure == 14


def test_two_of_four_cancelled_or_missed_by_the_client_are_a_warning() -> None:
    log = Log()
    held(log, 50, 2, AN)
    held(log, 40, 2)  # nobody of the client came
    log.add("meeting.cancelled", 30, by_client=False)
    assert meetings_cancelled(WarningInput(log.known())) == []
    log.add("meeting.cancelled", 20, by_client=True)
    assert meetings_cancelled(WarningInput(log.known())) == [2, 4]
    for days_ago in (9, 8, 7):
        held(log, days_ago, 2, AN)
    assert meetings_cancelled(WarningInput(log.known())) == []


def test_a_meeting_is_a_contact_that_the_company_made() -> None:
    log = Log()
    log.saw(KIND.CLIENT_WROTE, 10, 90)
    assert reactive_only(WarningInput(log.known())) == [1]
    held(log, 5, 2, AN)
    assert reactive_only(WarningInput(log.known())) == []
