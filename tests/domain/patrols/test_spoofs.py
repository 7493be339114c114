"""A labelled set of spoofed and clean scans: how many of the spoofs have grade D, and how many of the clean ones."""

import random
from collections import Counter
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from domain.core.db import Sessions
from domain.evidence import Grade
from domain.patrols import PatrolScan, PointDraft, PointKind, ScanDraft
from tests.domain.patrols.site import (
    HOUR,
    LAT,
    LON,
    MINUTE,
    OPENS,
    STEP,
    UID,
    Patrolled,
    here,
    patrolled,
    tap,
)

KINDS = (PointKind.SIGNED_NFC, PointKind.NFC, PointKind.QR, PointKind.PHOTO)
FAR = 250  # the place of a point 55 km to the north
SPOOFS = (
    "photographed code", "cloned chip", "simulated position", "two places", "replayed tap",
    "cloned signature", "clock an hour back", "photo used again", "code with a hidden simulation",
)  # fmt: skip


def points() -> list[PointDraft]:
    near = [
        PointDraft(kind, kind, lat=LAT + STEP * place, lon=LON) for place, kind in enumerate(KINDS)
    ]
    return [*near, PointDraft("far", PointKind.GPS, lat=LAT + STEP * (FAR - 1), lon=LON)]


class Labelled:
    """Scans of one guard, each labelled with its spoof or None."""

    def __init__(self, site: Patrolled) -> None:
        self.site, self.draw = site, random.Random(11)
        self.at, self.scans, self.labels = OPENS, list[ScanDraft](), dict[int, str | None]()

    def add(self, place: int, label: str | None, **more: Any) -> ScanDraft:
        """Five to nine minutes later, with the noise of a phone: up to 20 m off, accurate to 4 to 40 m."""
        self.at += timedelta(minutes=self.draw.uniform(5, 9))
        return self.add_at(self.at, place, label, **more)

    def add_at(self, at: Any, place: int, label: str | None, **more: Any) -> ScanDraft:
        off, accuracy = self.draw.gauss(0, 8), self.draw.uniform(4, 40)
        given: dict[str, Any] = {"position": here(place, at, off_m=off, accuracy_m=accuracy)}
        if place == 4:
            given |= {"point_id": self.site.points[3].id, "uid": None, "code": None}
            given["photo_sha256"] = self.draw.randbytes(32).hex()
        if place == FAR:
            given |= {"point_id": self.site.points[4].id, "code": None}
        scan = self.site.scan(place, at, **(given | more))
        self.scans.append(scan)
        self.labels[scan.sequence] = label
        return scan

    def spoof(self, kind: str) -> None:
        away = here(40, self.at + 7 * MINUTE)
        match kind:
            case "photographed code":
                self.add(3, kind, position=away)
            case "cloned chip":
                self.add(2, kind, position=away)
            case "simulated position":
                self.add(2, kind)
                last = self.scans[-1]
                self.scans[-1] = _changed(last, position=here(2, last.at, is_mock=True))
            case "two places":
                last = self.add(2, None)
                self.add_at(last.at + timedelta(seconds=10), FAR, kind)
            case "replayed tap":
                taken = self.add(1, None)
                self.add(1, kind, picc=taken.picc, mac=taken.mac)
            case "cloned signature":
                self.add(1, kind, **tap(UID, 5_000 + self.site.counter, file=bytes(16)))
            case "photo used again":
                taken = self.add(4, None)
                self.add(4, kind, photo_sha256=taken.photo_sha256)
            case "code with a hidden simulation":
                self.add(3, kind)


def _changed(scan: ScanDraft, **more: Any) -> ScanDraft:
    return ScanDraft(**({name: getattr(scan, name) for name in scan.__slots__} | more))


async def test_spoofs_are_found_and_clean_scans_are_not_suspected(make: Sessions) -> None:
    site = await patrolled(make, points=points())
    made = Labelled(site)
    for _ in range(12):
        for kind in SPOOFS:
            made.add(made.draw.choice((1, 2, 3, 4)), None)
            made.add(made.draw.choice((1, 2, 3, 4)), None)
            made.spoof(kind)
    sent_at = made.at + HOUR
    for start in range(0, len(made.scans), 400):
        answer = await site.send(
            made.scans[start : start + 400], sent_at, skew=timedelta(seconds=70)
        )
        assert answer.refused == []
    wrong = [site.scan(2, made.at + (60 + n) * MINUTE) for n in range(12)]
    made.labels |= {each.sequence: "clock an hour back" for each in wrong}
    await site.send(wrong, made.at + 3 * HOUR, skew=HOUR)
    async with make() as session:
        rows = await session.execute(
            select(PatrolScan.sequence, PatrolScan.grade, PatrolScan.reasons).where(
                PatrolScan.user_id == site.guard.id
            )
        )
        found = {sequence: grade is Grade.D for sequence, grade, _ in rows}
    assert found.keys() == made.labels.keys()
    spoofed = {sequence for sequence, label in made.labels.items() if label is not None}
    suspected = {sequence for sequence, is_d in found.items() if is_d}
    hits = Counter(made.labels[each] for each in spoofed & suspected)
    recall = len(spoofed & suspected) / len(spoofed)
    precision = len(spoofed & suspected) / len(suspected)
    false = len(suspected - spoofed) / (len(found) - len(spoofed))
    for kind in SPOOFS:
        print(f"{kind}: {hits[kind]} of 12")  # noqa: T201 - the figures
    print(  # noqa: T201
        f"{len(spoofed)} spoofs, {len(found) - len(spoofed)} clean: precision {precision:.3f},"
        f" recall {recall:.3f}, clean ones suspected {false:.2%}"
    )
    assert precision >= 0.99
    assert false <= 0.01
    assert {kind for kind in SPOOFS if hits[kind] < 12} == {"code with a hidden simulation"}
