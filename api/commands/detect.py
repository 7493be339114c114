"""`detect`: unusual days, bursts and shifts of level in the daily series of a file."""

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from api.commands.progress import bars
from api.support.failures import CommandFailure, Exit
from domain import detection
from domain.detection import DayStanding, DetectionProfile, Episode, Scan

_WHY = {
    DayStanding.TOO_LITTLE_HISTORY: "have too little history",
    DayStanding.TOO_FEW_A_DAY: "have too few events a day for a weekday comparison",
    DayStanding.NO_VALUE: "have no value",
}


def profile_of(
    name: str | None, date: str | None, counts: list[str], levels: list[str], by: list[str]
) -> DetectionProfile:
    """Return the profile of this name with the columns that the options name in its place."""
    if name is None and date is None:
        known = ", ".join(detection.shipped_profiles())
        raise CommandFailure(f"Name a profile ({known}, or a TOML file), or a --date column.")
    given = {"counts": counts, "levels": levels, "by": by}
    chosen: dict[str, Any] = {key: tuple(values) for key, values in given.items() if values}
    if date is not None:
        chosen["date"] = date
    base = detection.load_profile(name) if name else DetectionProfile(date=date or "")
    if counts or levels:
        chosen = {"counts": (), "levels": (), **chosen}
    return msgspec.structs.replace(base, **chosen)


def run(file: Path, profile: DetectionProfile, *, retro: bool, as_json: bool) -> Exit:
    """Scan every series of the file and print what is unusual, with base, scale and z."""
    with bars() as progress:
        found = detection.read_series(file, profile, lambda share: progress("reading", share))
        scans: dict[str, Scan] = {}
        total = len(found.counts) + len(found.levels)
        for name, series in found.counts.items():
            scans[name] = detection.scan_counts(series, retro=retro)
            progress("scanning", len(scans) / total)
        for name, series in found.levels.items():
            scans[name] = detection.level_shifts(series)
            progress("scanning", len(scans) / total)
    if as_json:
        print(
            json.dumps(
                {
                    "rows": found.rows,
                    "unreadable": found.unreadable,
                    "series": [_figures(name, scan) for name, scan in scans.items()],
                }
            )
        )
        return Exit.DONE
    if found.unreadable:
        print(
            f"{found.unreadable:,} values were left out, such as {found.example}.", file=sys.stderr
        )
    for name, scan in scans.items():
        _tell(name, scan)
    return Exit.DONE


def _tell(name: str, scan: Scan) -> None:
    days = sum(scan.standings.values())
    judged = scan.standings.get(DayStanding.JUDGED, 0)
    rate = f", {len(scan.episodes) / judged * 365.25 / 12:.2f} a month" if judged else ""
    print(f"{name}: {days:,} days, {judged:,} judged, {len(scan.episodes):,} found{rate}.")
    for standing, words in _WHY.items():
        if count := scan.standings.get(standing):
            print(f"  {count:,} days {words}.")
    if not scan.episodes:
        return
    print(
        f"  {'detector':9}{'side':6}{'found on':12}{'from':12}{'to':12}{'most on':12}"
        f"{'value':>10}{'base':>10}{'scale':>9}{'z':>7}"
    )
    for each in scan.episodes:
        print(
            f"  {each.detector.value:9}{each.direction.value:6}{each.found_on!s:12}"
            f"{each.first_on!s:12}{each.last_on!s:12}{each.peak_on!s:12}"
            f"{each.value:10,.1f}{each.base:10,.1f}{each.scale:9,.1f}{each.z:7.1f}"
        )


def _figures(name: str, scan: Scan) -> dict[str, Any]:
    return {
        "name": name,
        "days": {standing.value: count for standing, count in scan.standings.items()},
        "found": [_episode(each) for each in scan.episodes],
    }


def _episode(each: Episode) -> dict[str, Any]:
    return {
        "detector": each.detector.value,
        "direction": each.direction.value,
        "found_on": each.found_on.isoformat(),
        "first_on": each.first_on.isoformat(),
        "last_on": each.last_on.isoformat(),
        "peak_on": each.peak_on.isoformat(),
        "value": each.value,
        "base": each.base,
        "scale": each.scale,
        "z": each.z,
        "probability": each.probability,
        "days": [day.isoformat() for day in each.days],
    }
