"""Classify bounced messages by cause: unknown recipient, mailbox, receiver's policy, or the message itself.

Status codes decide where a server gave one (RFC 3463 and the IANA registry, RFC 5321 replies), read only where codes
are written: an IP address in a sentence is no status. Words decide where there is no code, or only a generic one
(5.0.0). An unclear cause does not suppress the address.
"""

import re
from enum import StrEnum
from pathlib import Path


class BounceVerdict(StrEnum):
    """Cause of a failed delivery."""

    HARD = "hard"  # the recipient or the domain does not exist
    SOFT = "soft"  # the mailbox or its server cannot accept the message now
    POLICY = "policy"  # the receiver rejects it: blocked, not authenticated, classified as spam
    OURS = "ours"  # the sender's address or the message itself is faulty


_FIRST = re.compile(
    r"\s*[#<(\[\s]*(?:[245]\d\d[ \-]+)?[#<(\[\s]*([245])\.(\d{1,3})\.(\d{1,3})(?!\.?\d)"
)
_WITH_REPLY = re.compile(r"(?<![\d.])([245])\d\d[ \-]+[#(]*(\1)\.(\d{1,3})\.(\d{1,3})(?!\.?\d)")
_MARKED = re.compile(r"#(?:[245]\d\d[ \-]+)?([245])\.(\d{1,3})\.(\d{1,3})(?!\.?\d)")
_REPLY = re.compile(
    r"(?:^|[\n:>\"(]|said:?|responded:?|reply:?|error:?)\s*([245]\d\d)(?=[ \-]+[^\d\s.]|[ \-]+#?\d\.\d|\s*$)",
    re.IGNORECASE,
)
_TYPE = re.compile(r"^\s*[\w.-]{1,40}\s*;\s*")
_NO_WORDS = re.compile(r"<[^<>\s]*>|\S+@\S+|https?://\S+|\b[\w-]+(?:\.[\w-]+)+\b", re.IGNORECASE)

_Codes = list[tuple[int, int, int]]


def _phrases() -> dict[str, str]:
    """Compile the sections of `bounce_words.txt`, each to one regular expression."""
    sections: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in (Path(__file__).parent / "bounce_words.txt").read_text("utf-8").splitlines():
        if line.startswith("[") and line.endswith("]"):
            lines = sections.setdefault(line[1:-1], [])
        elif line and not line.startswith("#"):
            lines.append(line)
    return {name: "|".join(phrases) for name, phrases in sections.items()}


def _compiled() -> dict[BounceVerdict, re.Pattern[str]]:
    phrases = _phrases()
    found = {}
    for verdict in (
        BounceVerdict.OURS,
        BounceVerdict.POLICY,
        BounceVerdict.SOFT,
        BounceVerdict.HARD,
    ):
        pattern = phrases[verdict.value]
        for name in ("sender", "recipient"):
            pattern = pattern.replace(f"{{{name}}}", f"(?:{phrases[name]})")
        found[verdict] = re.compile(pattern)
    return found


_WORDS = _compiled()
"""The phrases, the more cautious classification first."""
_SPECIFIC = {  # subject.detail; other codes follow from the subject
    (1, 0): None,
    (1, 1): BounceVerdict.HARD,
    (1, 2): BounceVerdict.HARD,
    (1, 3): BounceVerdict.HARD,
    (1, 4): BounceVerdict.SOFT,
    (1, 5): BounceVerdict.SOFT,
    (1, 6): BounceVerdict.HARD,
    (1, 7): BounceVerdict.OURS,
    (1, 8): BounceVerdict.OURS,
    (1, 9): BounceVerdict.OURS,
    (1, 10): BounceVerdict.HARD,
    (1, 90): BounceVerdict.OURS,
    (2, 0): None,
    (2, 1): BounceVerdict.HARD,
    (2, 2): BounceVerdict.SOFT,
    (2, 3): BounceVerdict.OURS,
    (3, 0): None,
    (3, 3): BounceVerdict.OURS,
    (3, 4): BounceVerdict.OURS,
    (4, 0): None,
    (4, 1): None,
    (4, 4): None,
    (4, 310): BounceVerdict.HARD,
}
_SUBJECTS = {
    1: None,
    2: BounceVerdict.SOFT,
    3: BounceVerdict.SOFT,
    4: BounceVerdict.SOFT,
    5: None,
    6: BounceVerdict.OURS,
    7: BounceVerdict.POLICY,
}


def judge(text: str, *, status: str = "") -> BounceVerdict:
    """Classify a bounce or a refused recipient.

    `status` is the status field of a delivery notice; `text` the other server's response, or the text of a notice
    without fields.
    """
    text = _TYPE.sub("", text)
    stated = _codes(text)
    own = [tuple(map(int, match.groups())) for match in [_FIRST.match(status)] if match is not None]
    codes: _Codes = [*stated, *(each for each in own if len(each) == 3)]
    reply = None if stated else _REPLY.search(text)
    if any(code[0] == 4 for code in codes) or (reply is not None and reply[1][0] == "4"):
        return BounceVerdict.SOFT
    if (5, 4, 1) in codes and "recipient address rejected" in text.lower():
        # The text of Exchange Online when its directory has no such recipient.
        return BounceVerdict.HARD
    found = {verdict for verdict in map(_of_code, codes) if verdict is not None}
    if found - {BounceVerdict.HARD}:
        return next(
            each
            for each in (BounceVerdict.OURS, BounceVerdict.POLICY, BounceVerdict.SOFT)
            if each in found
        )
    verdict = _of_words(text)
    if found:
        return _unless_contradicted(text, verdict)
    if verdict is not None:
        return verdict
    return _without_words(codes, None if reply is None else reply[1])


def is_hard_bounce(text: str, *, status: str = "") -> bool:
    """Return whether the recipient does not exist."""
    return judge(text, status=status) is BounceVerdict.HARD


def is_failure(text: str) -> bool:
    """Return whether a text without fields reports a failed delivery: by a code, a reply or a phrase."""
    return bool(_codes(text) or _REPLY.search(text) or _of_words(text) is not None)


def _codes(text: str) -> _Codes:
    """Return the enhanced status codes at the positions where servers write them."""
    found = [_FIRST.match(text), *_WITH_REPLY.finditer(text), *_MARKED.finditer(text)]
    codes: _Codes = []
    for match in found:
        if match is not None:
            kind, subject, detail = match.groups()[-3:]
            codes.append((int(kind), int(subject), int(detail)))
    return codes


def _of_code(code: tuple[int, int, int]) -> BounceVerdict | None:
    """Classify a permanent code alone; None when it is not specific."""
    _, subject, detail = code
    if (subject, detail) in _SPECIFIC:
        return _SPECIFIC[subject, detail]
    return _SUBJECTS.get(subject)


def _of_words(text: str) -> BounceVerdict | None:
    """Classify by phrases, the more cautious first; addresses, hosts and links are ignored."""
    words = _NO_WORDS.sub(" ", text.lower())
    for verdict, pattern in _WORDS.items():
        if pattern.search(words):
            return verdict
    return None


def _unless_contradicted(text: str, verdict: BounceVerdict | None) -> BounceVerdict:
    """Return hard, as the code says, unless the text names another cause and no missing recipient."""
    if verdict in {None, BounceVerdict.HARD} or _WORDS[BounceVerdict.HARD].search(
        _NO_WORDS.sub(" ", text.lower())
    ):
        return BounceVerdict.HARD
    return verdict or BounceVerdict.HARD


def _without_words(codes: _Codes, reply: str | None) -> BounceVerdict:
    """Classify by codes and reply when the text gives no reason."""
    if any((subject, detail) == (1, 0) for _, subject, detail in codes):
        return BounceVerdict.HARD
    if any(subject == 5 for _, subject, _ in codes):
        return BounceVerdict.OURS
    return BounceVerdict.SOFT if reply == "552" else BounceVerdict.POLICY
