"""Read frames of alarm systems as ANSI/SIA DC-09 describes them, and write the answers. Values in, values out.

`<LF>crc 0LLL "token"seq[Rrcvr]Lpref#acct[data][extended…]_HH:MM:SS,MM-DD-YYYY<CR>`. The checksum (CRC-16 with the
reversed polynomial A001, from 0) and the length count from the first quotation mark up to the carriage return.
Encrypted frames (`"*…"`) are answered with DUH.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from domain.alarms.model import AlarmKind

LATE, EARLY = timedelta(seconds=40), timedelta(seconds=20)
"""How far behind and ahead of ours the stated time of a frame may be."""
MOST_BYTES = 2_048
_POLYNOMIAL = 0xA001
_FRAME = re.compile(r"\n?([0-9A-Fa-f]{4})([0-9A-Fa-f]{4})(\".*)", re.DOTALL)
_BODY = re.compile(
    r'"(?P<token>\*?[A-Z0-9-]+)"(?P<sequence>\d{4})(?P<receiver>R[0-9A-Fa-f]{1,6})?'
    r"(?P<line>L[0-9A-Fa-f]{1,6})(?:#(?P<account>[0-9A-Fa-f]{3,16}))?\[(?P<data>[^\]]*)\]?"
    r"(?P<extended>(?:\[[^\]]*\])*)(?:_(?P<stamp>\d\d:\d\d:\d\d,\d\d-\d\d-\d{4}))?"
)
_CONTACT_ID = re.compile(r"(?P<qualifier>[136])(?P<code>\d{3}) (?P<group>\w{2}) (?P<zone>\w{3})")
_SIA_EVENT = re.compile(r"/?(?P<code>[A-Z]{2})(?P<zone>[0-9A-F]*)[^/|\^]*(?:\^(?P<text>[^\^]*)\^)?")
_SIA_MODIFIERS = re.compile(r"(?:(?:ti[\d:]+|(?:id|ri|pi)\d+)/?)*")
_SIA_KINDS = {
    **dict.fromkeys(("BA", "BV", "TA", "UA"), AlarmKind.BURGLARY),
    **dict.fromkeys(("HA", "HV", "PA"), AlarmKind.HOLD_UP),
    **dict.fromkeys(("FA", "KA"), AlarmKind.FIRE),
    **dict.fromkeys(("MA", "QA"), AlarmKind.MEDICAL),
    "WA": AlarmKind.WATER,
    **dict.fromkeys(("GA", "ZA"), AlarmKind.TECHNICAL),
}
_CONTACT_ID_KINDS = (
    (110, AlarmKind.MEDICAL),
    (120, AlarmKind.FIRE),
    (130, AlarmKind.HOLD_UP),
    (150, AlarmKind.BURGLARY),
)
"""The first code after those of a kind."""
_WATER_CODES = (154, 113)


class FrameAnswer(StrEnum):
    """Answer to a frame: taken, of a wrong time, or not understood."""

    ACK = "ACK"
    NAK = "NAK"
    DUH = "DUH"


class BrokenFrame(Exception):
    """The bytes are no frame, or were changed on the way: the standard has it that nobody answers."""


@dataclass(frozen=True, slots=True)
class FrameEvent:
    """An event in a frame. `kind` is None for what needs no response: openings, restorals, tests."""

    code: str
    zone: str | None
    kind: AlarmKind | None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class SystemFrame:
    """A frame with a right checksum and length. `account` is empty where the frame names none."""

    token: str
    sequence: str
    receiver: str
    line: str
    account: str
    data: str
    stamped_at: datetime | None

    @property
    def sent_as(self) -> str:
        """What the sender numbers it with: the same again when the frame is sent again."""
        return f"{self.receiver}{self.line}#{self.account}:{self.sequence}:{checksum(self.data.encode())}"

    def is_on_time(self, at: datetime) -> bool:
        """Return whether the stated time fits ours; a frame without one fits."""
        return self.stamped_at is None or at - LATE <= self.stamped_at <= at + EARLY


def checksum(body: bytes) -> str:
    """Return the checksum of a body, as four hexadecimal digits."""
    crc = 0
    for byte in body:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ _POLYNOMIAL if crc & 1 else crc >> 1
    return f"{crc:04X}"


def read_frame(raw: bytes) -> SystemFrame:
    """Read a frame; raises `BrokenFrame` for a wrong checksum, a wrong length, and what is none."""
    if len(raw) > MOST_BYTES:
        raise BrokenFrame(f"A frame has at most {MOST_BYTES} bytes.")
    try:
        found = _FRAME.fullmatch(raw.decode("latin-1").rstrip("\r\n"))
    except UnicodeDecodeError:  # pragma: no cover - latin-1 reads every byte
        found = None
    if found is None:
        raise BrokenFrame("This is no frame: send <LF>, checksum, length and the quoted token.")
    crc, length, text = found.groups()
    body = text.encode("latin-1")
    if int(length, 16) != len(body):
        raise BrokenFrame(f"The frame says {int(length, 16)} bytes and has {len(body)}.")
    if crc.upper() != checksum(body):
        raise BrokenFrame("The checksum is wrong.")
    parts = _BODY.fullmatch(text)
    if parts is None:
        raise BrokenFrame("The frame has a right checksum, and its fields cannot be read.")
    return _frame_of(parts)


def _frame_of(parts: re.Match[str]) -> SystemFrame:
    stamp = parts["stamp"]
    try:
        stamped_at = stamp and datetime.strptime(stamp, "%H:%M:%S,%m-%d-%Y").replace(tzinfo=UTC)
    except ValueError:
        raise BrokenFrame(f"{stamp} is no time.") from None
    data = parts["data"]
    named, bar, rest = data.partition("|")
    account = parts["account"] or named.removeprefix("#") if bar else parts["account"] or ""
    return SystemFrame(
        token=parts["token"],
        sequence=parts["sequence"],
        receiver=parts["receiver"] or "",
        line=parts["line"],
        account=account.upper(),
        data=rest if bar else data,
        stamped_at=stamped_at or None,
    )


def events_of(frame: SystemFrame) -> list[FrameEvent] | None:
    """Return the events of a frame, none for a test of the link; None: the frame is not understood."""
    if frame.token == "NULL":  # noqa: S105 - the name of a kind of frame
        return []
    if frame.token == "ADM-CID":  # noqa: S105
        return _contact_id(frame.data)
    if frame.token == "SIA-DCS":  # noqa: S105
        return _sia(frame.data)
    return None


def _contact_id(data: str) -> list[FrameEvent] | None:
    found = _CONTACT_ID.fullmatch(data.strip())
    if found is None:
        return None
    code = int(found["code"])
    kind = None
    if found["qualifier"] == "1" and 100 <= code < 200:
        kind = next((kind for end, kind in _CONTACT_ID_KINDS if code < end), AlarmKind.TECHNICAL)
        kind = AlarmKind.WATER if code in _WATER_CODES else kind
    return [FrameEvent(found["qualifier"] + found["code"], found["zone"], kind)]


def _sia(data: str) -> list[FrameEvent] | None:
    if not data.startswith("N"):
        return None
    rest = data[1:]
    modifiers = _SIA_MODIFIERS.match(rest)
    at = modifiers.end() if modifiers else 0
    found = []
    while at < len(rest):
        each = _SIA_EVENT.match(rest, at)
        if each is None:
            return None
        kind = _SIA_KINDS.get(each["code"])
        words = (each["text"] or "").strip()
        found.append(FrameEvent(each["code"], each["zone"] or None, kind, words or None))
        at = each.end()
    return found or None


def answer_frame(answer: FrameAnswer, frame: SystemFrame, *, at: datetime) -> bytes:
    """Write the answer to a frame; NAK states our time, so that the system can put its clock right."""
    if answer is FrameAnswer.NAK:
        text = f'"NAK"0000R0L0A0[]_{at:%H:%M:%S,%m-%d-%Y}'
    else:
        account = f"#{frame.account}" if frame.account else ""
        text = f'"{answer}"{frame.sequence}{frame.receiver}{frame.line}{account}[]'
    body = text.encode("latin-1")
    return b"\n" + checksum(body).encode() + f"{len(body):04X}".encode() + body + b"\r"
