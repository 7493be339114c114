"""`waarborg-verify`: check that nobody rewrote the audit trail, without trusting whoever keeps it.

This one file needs Python 3.11 and the package `cryptography`, nothing else of ours: copy it, read it, run it
(`python verify.py bundle.jsonl`). Trees and proofs are those of RFC 6962 (checked as RFC 9162 §2.1.3 and §2.1.4 say),
checkpoints are those of https://c2sp.org/tlog-checkpoint, signed with Ed25519.

Exit codes: 0 everything holds · 1 something does not · 2 wrong use · 3 something could not be read or is missing.
"""

import argparse
import email
import email.policy
import hashlib
import hmac
import json
import os
import re
import sys
import urllib.error
import urllib.request
from base64 import b64decode
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

HOLDS, BROKEN, USAGE, UNREADABLE = 0, 1, 2, 3
COMMITMENT = "sha256:"
PAGE = 100
NOTE = re.compile(
    r"(?m)^(\S+)\n(0|[1-9]\d*)\n([A-Za-z0-9+/]{43}=)\n((?:[^\n]+\n)*)\n((?:— \S+ \S+\n?)+)"
)
TOO_LARGE = 64 * 1024 * 1024


class Unreadable(Exception):
    """Data that a check needs is missing, so there is no result."""


class CheckFailed(Exception):
    """A check failed."""


class VerifiedCheckpoint(NamedTuple):
    """A verified statement: this tree of this company has so many facts and this root."""

    origin: str
    size: int
    root: bytes
    epoch: str = ""
    """Which history of the ledger, begun anew when a backup is restored; empty in older checkpoints."""


# Trees -----------------------------------------------------------------------------------------------------------


def leaf_hash(content: bytes) -> bytes:
    """RFC 6962 §2.1: the hash of a leaf."""
    return hashlib.sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 6962 §2.1: the hash of two subtrees put together."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_by_inclusion(place: int, size: int, leaf: bytes, hashes: Sequence[bytes]) -> bytes | None:
    """RFC 9162 §2.1.3.2: the root that a proof leads to; None when the proof does not fit the place and size."""
    if not 0 <= place < size:
        return None
    fn, sn, root = place, size - 1, leaf
    for each in hashes:
        if sn == 0:
            return None
        if fn & 1 or fn == sn:
            root = node_hash(each, root)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            root = node_hash(root, each)
        fn, sn = fn >> 1, sn >> 1
    return root if sn == 0 else None


def is_consistent(
    old: int, new: int, old_root: bytes, new_root: bytes, hashes: Sequence[bytes]
) -> bool:
    """RFC 9162 §2.1.4.2: whether the tree of `new` leaves begins with the tree of `old` leaves."""
    if not 0 <= old <= new:
        return False
    if old in {0, new}:
        return not hashes and (old == 0 or old_root == new_root)
    if old & (old - 1) == 0:
        hashes = [old_root, *hashes]
    if not hashes:
        return False
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    before = after = hashes[0]
    for each in hashes[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            before, after = node_hash(each, before), node_hash(each, after)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            after = node_hash(after, each)
        fn, sn = fn >> 1, sn >> 1
    return before == old_root and after == new_root and sn == 0


@dataclass
class Growing:
    """A tree that is built leaf by leaf; only the roots of its complete subtrees are kept."""

    size: int = 0
    peaks: list[bytes] = field(default_factory=list)

    def add(self, leaf: bytes) -> None:
        """Append one leaf hash."""
        self.peaks.append(leaf)
        self.size += 1
        merges = self.size
        while merges & 1 == 0:
            right, left = self.peaks.pop(), self.peaks.pop()
            self.peaks.append(node_hash(left, right))
            merges >>= 1

    @property
    def root(self) -> bytes:
        """The root as it is now."""
        if not self.peaks:
            return hashlib.sha256(b"").digest()
        *rest, root = self.peaks
        for peak in reversed(rest):
            root = node_hash(peak, root)
        return root


# Notes -----------------------------------------------------------------------------------------------------------


def key_of(text: str) -> tuple[str, bytes, Ed25519PublicKey]:
    """The name, id and public key in a verifier key `<name>+<id>+<key>`; `Unreadable` when it is none."""
    name, _, rest = text.strip().partition("+")
    key_id, _, encoded = rest.partition("+")
    with suppress(ValueError):
        raw = b64decode(encoded, validate=True)
        expected = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
        if name and len(raw) == 33 and raw[0] == 1 and bytes.fromhex(key_id) == expected:
            return name, expected, Ed25519PublicKey.from_public_bytes(raw[1:])
    raise Unreadable(f"This is no Ed25519 verifier key: {text.strip()[:80]}")


def opened(note: str, verifier_key: str) -> str:
    """The text of a signed note; `Broken` unless the key signed it."""
    name, key_id, public = key_of(verifier_key)
    text, blank, signatures = note.rpartition("\n\n")
    if not blank:
        raise Unreadable("A signed note has a blank line before its signatures.")
    text += "\n"
    for line in signatures.splitlines():
        dash, _, rest = line.partition(" ")
        signer, _, encoded = rest.partition(" ")
        raw = b""
        with suppress(ValueError):
            raw = b64decode(encoded, validate=True)
        if dash != "—" or signer != name or raw[:4] != key_id:
            continue  # signed by somebody we do not know: says nothing
        try:
            public.verify(raw[4:], text.encode())
        except InvalidSignature:
            raise CheckFailed(f"the signature of {name} is not over this text") from None
        return text
    raise CheckFailed(f"it is not signed by {name}+{key_id.hex()}")


def checkpoint_of(note: str, verifier_key: str) -> VerifiedCheckpoint:
    """Return the content of a checkpoint after checking its signature; its origin must be the name of the key."""
    origin, size, root, *rest = [*opened(note, verifier_key).split("\n"), "", ""]
    if origin != key_of(verifier_key)[0]:
        raise CheckFailed(f"it is a checkpoint of {origin}, not of {key_of(verifier_key)[0]}")
    if not re.fullmatch(r"0|[1-9]\d{0,17}", size):
        raise Unreadable("A checkpoint names its size on the second line.")
    try:
        found = b64decode(root, validate=True)
    except ValueError:
        found = b""
    if len(found) != 32:
        raise Unreadable("A checkpoint names its root on the third line.")
    epochs = [line.removeprefix("epoch ") for line in rest if line.startswith("epoch ")]
    return VerifiedCheckpoint(origin, int(size), found, epochs[0] if epochs else "")


def note_in(raw: bytes) -> str:
    """The checkpoint in a file: the note itself, a text around it, or a saved e-mail."""
    for text in (raw.decode(errors="replace"), _mail_text(raw)):
        found = NOTE.search(text.replace("\r\n", "\n"))
        if found:
            return found.group().rstrip("\n") + "\n"
    raise Unreadable("There is no checkpoint in this file.")


def _mail_text(raw: bytes) -> str:
    with suppress(LookupError, KeyError, ValueError):
        part = email.message_from_bytes(raw, policy=email.policy.default).get_body(("plain",))
        return "" if part is None else str(part.get_content())
    return ""


# Bundles ---------------------------------------------------------------------------------------------------------


@dataclass
class CheckLog:
    """Log of the checks made, as text."""

    lines: list[str] = field(default_factory=list)
    broken: int = 0
    shown: int = 20

    def holds(self, said: str) -> None:
        """A check held."""
        self.lines.append(f"ok      {said}")

    def breaks(self, said: str) -> None:
        """A check failed; only the first ones are written out."""
        self.broken += 1
        if self.broken <= self.shown:
            self.lines.append(f"BROKEN  {said}")

    def notes(self, said: str) -> None:
        """Something worth knowing that is no check."""
        self.lines.append(f"        {said}")


@dataclass
class PriorKnowledge:
    """Knowledge from before: the pinned key, the account, a kept checkpoint, and the number of facts."""

    key: str
    account: str | None = None
    checkpoint: VerifiedCheckpoint | None = None
    counts: dict[str, int] = field(default_factory=dict)


@dataclass
class BundleSummary:
    """Result of the checks of a bundle."""

    note: str = ""
    checkpoint: VerifiedCheckpoint | None = None
    account: str | None = None
    facts: int = 0


def lines_of(path: Path) -> Iterator[dict[str, Any]]:
    """The records of an exported bundle."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                record = json.loads(line)
            except ValueError:
                raise Unreadable(f"{path}:{number} is not JSON: cut off?") from None
            if not isinstance(record, dict):
                raise Unreadable(f"{path}:{number} is not a record.")
            yield record


def check(records: Iterable[dict[str, Any]], known: PriorKnowledge, log: CheckLog) -> BundleSummary:
    """Check every record of a bundle; `Unreadable` when it cannot be made sense of."""
    bundle = _Bundle(known, log)
    for record in records:
        bundle.take(record)
    return bundle.judged()


class _Bundle:
    """A bundle as it comes in: head, checkpoint, proofs of consistency, facts, end.

    Facts of one account come each with a proof. All facts of a company come without: the tree is built from them.
    """

    def __init__(self, known: PriorKnowledge, log: CheckLog) -> None:
        self._known, self._log = known, log
        self._found = BundleSummary()
        self._trail = _Trail(log)
        self._proofs: dict[int, list[bytes]] = {}
        self._whole: Growing | None = None
        self._end: int | None = None

    def take(self, record: dict[str, Any]) -> None:
        """Check one record."""
        match record:
            case {"bundle": "waarborg-audit", "version": 1, "account": account}:
                if self._known.account not in {None, account}:
                    raise Unreadable(f"The bundle is about account {account}.")
                self._found.account = account
                self._whole = Growing() if account is None else None
            case {"checkpoint": note} if self._found.checkpoint is None:
                self._found.note = note
                self._found.checkpoint = checkpoint_of(note, self._known.key)
            case {"consistency": {"from": old, "hashes": hashes}}:
                self._proofs[old] = _hashes(hashes)
            case {"fact": fact} if self._found.checkpoint is not None:
                if self._whole is None:
                    self._look_up(fact, self._found.checkpoint)
                else:
                    self._plant(fact, self._whole)
                self._trail.take(fact, self._found.account)
            case {"end": facts}:
                self._end = facts
            case _:
                raise Unreadable("A record of the bundle is of no known kind, or out of place.")

    def _look_up(self, fact: dict[str, Any], signed: VerifiedCheckpoint) -> None:
        leaf, place = leaf_hash(fact["text"].encode()), fact["position"]
        if root_by_inclusion(place, signed.size, leaf, _hashes(fact["hashes"])) != signed.root:
            self._log.breaks(f"fact at {place} is not in the signed tree: edited, or moved")

    def _plant(self, fact: dict[str, Any], tree: Growing) -> None:
        place, kept = fact["position"], self._known.checkpoint
        if place != tree.size:
            self._log.breaks(f"fact at {place} stands where {tree.size} is due: missing, or moved")
        tree.add(leaf_hash(fact["text"].encode()))
        if kept is not None and tree.size == kept.size:
            _same(tree.root, kept.root, f"the {kept.size} facts of the kept checkpoint", self._log)

    def judged(self) -> BundleSummary:
        """Say how it all is, once everything was taken."""
        found, log, signed = self._found, self._log, self._found.checkpoint
        if signed is None:
            raise Unreadable("There is no checkpoint in the bundle.")
        if self._end != self._trail.facts:
            raise Unreadable("The bundle is cut off.")
        log.holds(f"checkpoint over {signed.size} facts, signed by {signed.origin}")
        if self._whole is not None:
            _same(self._whole.root, signed.root, f"all {self._whole.size} facts together", log)
            if self._whole.size != signed.size:
                log.breaks(
                    f"the checkpoint is over {signed.size} facts, here are {self._whole.size}"
                )
        self._trail.sum_up(found, self._known)
        self._compare(signed)
        return found

    def _compare(self, now: VerifiedCheckpoint) -> None:
        """Compare with the checkpoint that was kept."""
        kept, whole = self._known.checkpoint, self._whole
        if kept is not None and kept.epoch and kept.epoch != now.epoch:
            self._log.notes(
                f"the ledger was restored from a backup since the kept checkpoint (epoch {kept.epoch},"
                f" now {now.epoch or 'not told'}): facts that are missing may have been lost with it"
            )
        if kept is None:
            self._log.notes("no earlier checkpoint to compare with: keep this one (--keep FILE)")
        elif kept.size > now.size or (whole is not None and whole.size < kept.size):
            self._log.breaks(
                f"the kept checkpoint is over {kept.size} facts, now there are fewer: cut off"
            )
        elif whole is None:  # else compared on the way, fact by fact
            self._continue(kept, now)

    def _continue(self, kept: VerifiedCheckpoint, now: VerifiedCheckpoint) -> None:
        hashes = [] if kept.size in {0, now.size} else self._proofs.get(kept.size)
        if hashes is None:
            raise Unreadable(
                f"The bundle holds no proof from the kept checkpoint: export it with --since {kept.size}."
            )
        if is_consistent(kept.size, now.size, kept.root, now.root, hashes):
            self._log.holds(f"nothing changed in the {kept.size} facts of the kept checkpoint")
        else:
            self._log.breaks(
                f"the tree does not continue the kept checkpoint of {kept.size} facts: rewritten"
            )


class _Draws:
    """The draws of random patrol rounds: each key fits what was committed to before, and each round its key.

    Round n of a day begins HMAC-SHA-256(key, "<day>|<n>"), a big-endian number, modulo (slot - round + 1) seconds after
    the start of its slot; the slots divide the window of the day evenly. What a shorter bundle leaves out is not
    checked: a key without its commitment, a round before its draw.
    """

    def __init__(self, log: CheckLog) -> None:
        self._log = log
        self._drawn: dict[tuple[str, str], tuple[int, dict[str, Any]]] = {}
        self._rounds: dict[tuple[str, str], list[tuple[int, dict[str, Any]]]] = {}
        self.rounds = 0

    def take(self, place: int, content: dict[str, Any]) -> None:
        """Look at one fact."""
        body = content["body"]
        match content["kind"]:
            case "patrol_route.drawn":
                key = (content["subject"], body["on_day"])
                if key in self._drawn:
                    self._log.breaks(f"fact at {place} draws the rounds of {key[1]} a second time")
                self._drawn.setdefault(key, (place, body))
            case "patrol_round.opened":
                key = (body["route_id"], body["on_day"])
                self._rounds.setdefault(key, []).append((place, body))
            case "patrol_route.draw_revealed":
                self._reveal(place, (content["subject"], body["on_day"]), body["key"])

    def _reveal(self, place: int, of: tuple[str, str], key: str) -> None:
        if of not in self._drawn:
            return
        _, drawn = self._drawn[of]
        raw = bytes.fromhex(key)
        if hashlib.sha256(raw).hexdigest() != drawn["commitment"]:
            self._log.breaks(f"fact at {place} reveals another key than was committed to")
            return
        for opened_place, body in self._rounds.get(of, ()):
            self.rounds += 1
            self._compare(opened_place, body, drawn, raw)

    def _compare(self, place: int, body: dict[str, Any], drawn: dict[str, Any], key: bytes) -> None:
        starts_at = datetime.fromisoformat(drawn["window_from_at"])
        whole = datetime.fromisoformat(drawn["window_until_at"]) - starts_at
        slot_s = int(whole.total_seconds()) // drawn["rounds"]
        most_s = slot_s - min(drawn["round_s"], slot_s)
        number = body["number"]
        digest = hmac.digest(key, f"{body['on_day']}|{number}".encode(), "sha256")
        offset_s = (number - 1) * slot_s + int.from_bytes(digest) % (most_s + 1)
        if datetime.fromisoformat(body["from_at"]) != starts_at + timedelta(seconds=offset_s):
            self._log.breaks(f"fact at {place}: the round began at another time than was drawn")
        if place < self._drawn[body["route_id"], body["on_day"]][0]:
            self._log.breaks(f"fact at {place}: the round began before it was drawn")

    def sum_up(self) -> None:
        """Say how many rounds were as drawn."""
        if self.rounds:
            self._log.holds(f"{self.rounds} random patrol rounds looked up in their draws")


class _Trail:
    """The facts of a bundle one after the other: their own words, their numbering, their personal parts."""

    def __init__(self, log: CheckLog) -> None:
        self._log = log
        self._last = -1
        self._draws = _Draws(log)
        self.facts = self.nth = self.open = self.closed = 0

    def take(self, fact: dict[str, Any], account: str | None) -> None:
        """Look at one fact."""
        place, content = fact["position"], json.loads(fact["text"])
        self.facts += 1
        if place <= self._last:
            self._log.breaks(f"fact at {place} comes after the one at {self._last}: out of order")
        self._last = place
        if account is not None:
            if content["account"] != account:
                self._log.breaks(f"fact at {place} is of another account")
            if content["nth"] is not None:
                if content["nth"] != self.nth + 1:
                    self._log.breaks(
                        f"fact at {place} is number {content['nth']} of the account, after"
                        f" {self.nth}: facts in between are missing"
                    )
                self.nth = content["nth"]
        self._draws.take(place, content)
        disclosures = fact.get("disclosures") or {}
        for name, value in (*content["body"].items(), ("actor", content["actor"])):
            if isinstance(value, str) and value.startswith(COMMITMENT):
                self._open(place, name, value, disclosures.get(name))

    def _open(
        self, place: int, name: str, commitment: str, disclosure: dict[str, str] | None
    ) -> None:
        if disclosure is None:
            self.closed += 1
            return
        salted = b64decode(disclosure["salt"]) + disclosure["words"].encode()
        if COMMITMENT + hashlib.sha256(salted).hexdigest() != commitment:
            self._log.breaks(f"fact at {place}: {name} is not what was written down")
        self.open += 1

    def sum_up(self, found: BundleSummary, known: PriorKnowledge) -> None:
        """Say what was found, and compare it with what there was before."""
        if found.account is not None:
            self._log.holds(
                f"{self.facts} facts of account {found.account}, each looked up in the tree"
            )
            before = known.counts.get(found.account, 0)
            if self.nth < before:
                self._log.breaks(f"the account had {before} facts before, now {self.nth}: cut off")
        self._draws.sum_up()
        if self.open or self.closed:
            self._log.notes(
                f"personal parts of facts: {self.open} shown and as committed, {self.closed} erased or withheld"
            )
        found.facts = self.nth


def _same(root: bytes, signed: bytes, what: str, log: CheckLog) -> None:
    if root == signed:
        log.holds(f"{what} give the signed root")
    else:
        log.breaks(f"{what} do not give the signed root: edited, removed, added or reordered")


def _hashes(encoded: Sequence[str]) -> list[bytes]:
    return [b64decode(each, validate=True) for each in encoded]


# Over the wire ---------------------------------------------------------------------------------------------------


class GraphQLSource:
    """The same records, asked over GraphQL with a token of the client's own."""

    def __init__(self, url: str, token: str) -> None:
        if not url.startswith(("https://", "http://")):
            raise Unreadable("The address of the API starts with https://.")
        self._url, self._token = url, token

    def ask(self, query: str, **variables: Any) -> Any:
        """The data of an answer."""
        request = urllib.request.Request(  # noqa: S310 - the scheme is checked above
            self._url,
            json.dumps({"query": query, "variables": variables}).encode(),
            {
                "Authorization": f"Bearer {self._token}",
                "Content-Type": "application/json",
                "Accept": "application/json",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - as above
                told = json.loads(answer.read(TOO_LARGE))
        except (OSError, ValueError) as error:
            raise Unreadable(f"{self._url}: {error}") from None
        if told.get("errors"):
            raise Unreadable(f"{self._url}: {told['errors'][0].get('message')}")
        return told["data"]

    def records(self, account: str, since: int | None) -> Iterator[dict[str, Any]]:
        """A bundle of one account as of now."""
        data = self.ask(
            "query($id: ID!) { auditCheckpoint { size note }"
            " auditFacts(accountId: $id, first: 0) { account } }",
            id=account,
        )
        if data["auditCheckpoint"] is None or data["auditFacts"] is None:
            raise Unreadable("There is no checkpoint yet, or no such account.")
        size = data["auditCheckpoint"]["size"]
        yield {"bundle": "waarborg-audit", "version": 1, "account": data["auditFacts"]["account"]}
        yield {"checkpoint": data["auditCheckpoint"]["note"]}
        if since is not None and 0 < since < size:
            proof = self.ask(
                "query($from: Long!, $to: Long!) { auditConsistency(from: $from, to: $to) { hashes } }",
                **{"from": since, "to": size},
            )["auditConsistency"]
            if proof is not None:
                yield {"consistency": {"from": since, "to": size, "hashes": proof["hashes"]}}
        after, facts = -1, 0
        while True:
            page = self.ask(
                "query($id: ID!, $size: Long!, $after: Long!, $first: Int!) {"
                " auditFacts(accountId: $id, treeSize: $size, after: $after, first: $first) {"
                " facts { position text hashes disclosures } } }",
                id=account,
                size=size,
                after=after,
                first=PAGE,
            )["auditFacts"]["facts"]
            yield from ({"fact": fact} for fact in page)
            facts += len(page)
            if len(page) < PAGE:
                break
            after = page[-1]["position"]
        yield {"end": facts}


# The program -----------------------------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """Check what the arguments name and say how it is; the exit code."""
    given = _parser().parse_args(arguments)
    log = CheckLog()
    try:
        known = _known(given)
        if given.bundle is not None:
            records = lines_of(given.bundle)
        else:
            token = os.environ.get("WAARBORG_TOKEN", "")
            since = None if known.checkpoint is None else known.checkpoint.size
            records = GraphQLSource(given.url, token).records(given.account, since)
        found = check(records, known, log)
    except CheckFailed as broken:
        log.breaks(str(broken))
    except (Unreadable, OSError) as error:
        return _say([*log.lines, f"waarborg-verify: {error}"], BROKEN if log.broken else UNREADABLE)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        said = f"waarborg-verify: the bundle is not in order ({type(error).__name__}: {error})"
        return _say([*log.lines, said], BROKEN if log.broken else UNREADABLE)
    else:
        if given.keep is not None and not log.broken:
            _keep(given.keep, known, found)
            log.notes(f"this checkpoint is kept in {given.keep}")
    if log.broken:
        return _say([*log.lines, f"NOT AS IT WAS: {log.broken} checks failed"], BROKEN)
    return _say([*log.lines, "everything holds"], HOLDS)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="waarborg-verify", description="Check that nobody rewrote the audit trail."
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("bundle", nargs="?", type=Path, help="a file of `waarborg export audit`")
    what.add_argument("--url", help="ask this GraphQL API; the token is read from WAARBORG_TOKEN")
    parser.add_argument("--account", help="the id of the account; needed with --url")
    parser.add_argument("--key", help="the pinned verifier key, or a file with it")
    parser.add_argument(
        "--earlier", type=Path, help="a checkpoint from before: a note, or the mail it came in"
    )
    parser.add_argument(
        "--keep",
        type=Path,
        help="remember key, checkpoint and count here, and compare with them next time",
    )
    return parser


def _known(given: argparse.Namespace) -> PriorKnowledge:
    if given.url is not None and given.account is None:
        _parser().error("--url needs --account")
    before: dict[str, Any] = {}
    if given.keep is not None and given.keep.exists():
        try:
            before = json.loads(given.keep.read_text("utf-8"))
        except ValueError:
            raise Unreadable(f"{given.keep} is not a file of ours.") from None
    key = given.key or before.get("key")
    if key is None:
        _parser().error("pin the key: --key (ask the company for it, not this server)")
    if "+" not in key:
        key = Path(key).read_text("utf-8")
    if before and key_of(key)[:2] != key_of(before["key"])[:2]:
        raise CheckFailed("the key is not the one that was kept")
    known = PriorKnowledge(key.strip(), _uuid(given.account), counts=before.get("counts", {}))
    notes = [before["note"]] if before else []
    if given.earlier is not None:
        notes.append(note_in(given.earlier.read_bytes()))
    checkpoints = sorted(checkpoint_of(note, key) for note in notes)
    if len({each.root for each in checkpoints}) > len({each.size for each in checkpoints}):
        raise CheckFailed(
            f"two signed checkpoints of {checkpoints[0].size} facts have different roots"
        )
    known.checkpoint = checkpoints[-1] if checkpoints else None
    return known


def _uuid(account: str | None) -> str | None:
    """The account's own id: what a global id (base64 of `Account:uuid`) holds, or the text itself."""
    with suppress(ValueError):
        kind, _, own = b64decode(account or "", validate=True).decode().partition(":")
        return own if kind == "Account" else account
    return account


def _keep(path: Path, known: PriorKnowledge, found: BundleSummary) -> None:
    counts = dict(known.counts)
    if found.account is not None:
        counts[found.account] = found.facts
    half = path.with_name(f".{path.name}.new")
    half.write_text(
        json.dumps({"key": known.key, "note": found.note, "counts": counts}, indent=1) + "\n",
        "utf-8",
    )
    half.replace(path)


def _say(lines: Sequence[str], code: int) -> int:
    (sys.stdout if code in {HOLDS, BROKEN} else sys.stderr).write("\n".join(lines) + "\n")
    return code


if __name__ == "__main__":
    raise SystemExit(main())
