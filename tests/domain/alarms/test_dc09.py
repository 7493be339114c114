"""Frames of alarm systems: real ones are read, every changed byte is found, and answers have the same form."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.alarms import AlarmKind, BrokenFrame, FrameAnswer, answer_frame, read_frame
from domain.alarms.dc09 import checksum, events_of

AT = datetime(2026, 9, 25, 14, 12, 4, tzinfo=UTC)
REAL = b'\n73580056"SIA-DCS"0002R1L232#78919[#78919|Nri1/BA012][X012W34.1][Y045N12.2]_14:12:04,09-25-2026\r'
"""A published example frame."""


def frame(text: str) -> bytes:
    body = text.encode()
    return b"\n" + checksum(body).encode() + f"{len(body):04X}".encode() + body + b"\r"


def test_published_frames_have_the_checksum_that_their_makers_state() -> None:
    read = read_frame(REAL)
    assert (read.token, read.sequence, read.receiver, read.line) == (
        "SIA-DCS",
        "0002",
        "R1",
        "L232",
    )
    assert (read.account, read.stamped_at) == ("78919", AT)
    [event] = events_of(read) or []
    assert (event.code, event.zone, event.kind) == ("BA", "012", AlarmKind.BURGLARY)
    assert checksum(b'"SIA-DCS"5268L0#AAA[Nri1/WA000]_08:40:47,07-08-2020') == "E9A4"


@given(place=st.integers(1, len(REAL) - 2), to=st.integers(0x20, 0x7E))
def test_every_changed_byte_is_found(place: int, to: int) -> None:
    changed = bytearray(REAL)
    was, changed[place] = changed[place], to
    if bytes([was]).lower() == bytes([to]).lower() and place < 9:
        assert read_frame(bytes(changed)) == read_frame(REAL)  # hexadecimal digits of either case
        return
    if was == to:
        return
    with pytest.raises(BrokenFrame):
        read_frame(bytes(changed))


@given(st.binary(max_size=200))
def test_nothing_crashes(raw: bytes) -> None:
    with pytest.raises(BrokenFrame):
        read_frame(raw)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("1110 00 129", ("1110", "129", AlarmKind.FIRE)),
        ("1130 01 005", ("1130", "005", AlarmKind.BURGLARY)),
        ("1120 01 005", ("1120", "005", AlarmKind.HOLD_UP)),
        ("1100 01 005", ("1100", "005", AlarmKind.MEDICAL)),
        ("1154 01 005", ("1154", "005", AlarmKind.WATER)),
        ("1151 01 005", ("1151", "005", AlarmKind.TECHNICAL)),
        ("3130 01 005", ("3130", "005", None)),
        ("1401 01 005", ("1401", "005", None)),
    ],
)
def test_contact_id_events_have_their_kind(
    data: str, expected: tuple[str, str, AlarmKind | None]
) -> None:
    read = read_frame(frame(f'"ADM-CID"9876R579BDFL789ABC#12345A[#12345A|{data}]'))
    assert read.account == "12345A"
    [event] = events_of(read) or []
    assert (event.code, event.zone, event.kind) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("Nri1CL0^VX FRONTE ^", [("CL", "0", None, "VX FRONTE")]),
        ("Nri0KR1^TAST. 001 ^", [("KR", "1", None, "TAST. 001")]),
        ("NFA129", [("FA", "129", AlarmKind.FIRE, None)]),
        ("Nri04/OP001", [("OP", "001", None, None)]),
        ("Nri1/BA01/FA02", [("BA", "01", AlarmKind.BURGLARY, None), ("FA", "02", AlarmKind.FIRE, None)]),
        ("Nti10:23ri1/PA7", [("PA", "7", AlarmKind.HOLD_UP, None)]),
    ],
)  # fmt: skip
def test_sia_events_are_read_each(
    data: str, expected: list[tuple[str, str, AlarmKind | None, str | None]]
) -> None:
    found = events_of(read_frame(frame(f'"SIA-DCS"0001L0#AAA[#AAA|{data}]')))
    assert [(each.code, each.zone, each.kind, each.text) for each in found or []] == expected


@pytest.mark.parametrize("text", ['"*SIA-DCS"0001L0#AAA[00FF', '"PIC-XX"0001L0#AAA[#AAA|N]'])
def test_encrypted_and_unknown_frames_are_not_understood(text: str) -> None:
    assert events_of(read_frame(frame(text))) is None


def test_a_test_of_the_link_has_no_events() -> None:
    assert events_of(read_frame(frame('"NULL"0000R0L0#AAA[]'))) == []


def test_a_frame_of_another_time_is_late_or_early_beyond_the_limits_of_the_standard() -> None:
    read = read_frame(REAL)
    second = timedelta(seconds=1)
    assert read.is_on_time(AT + 40 * second)
    assert not read.is_on_time(AT + 41 * second)
    assert read.is_on_time(AT - 20 * second)
    assert not read.is_on_time(AT - 21 * second)


def test_answers_name_the_sequence_and_have_a_right_checksum() -> None:
    read = read_frame(REAL)
    for answer, text in (
        (FrameAnswer.ACK, b'"ACK"0002R1L232#78919[]'),
        (FrameAnswer.DUH, b'"DUH"0002R1L232#78919[]'),
        (FrameAnswer.NAK, b'"NAK"0000R0L0A0[]_14:12:04,09-25-2026'),
    ):
        raw = answer_frame(answer, read, at=AT)
        assert raw == b"\n" + checksum(text).encode() + f"{len(text):04X}".encode() + text + b"\r"
