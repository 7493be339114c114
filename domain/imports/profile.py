"""Mapping profiles in files: written in TOML and read strictly."""

import tomllib
from importlib import resources
from pathlib import Path

import msgspec

from domain.calendars import closures_of
from domain.core.errors import Code, Refused
from domain.imports.checking import problems
from domain.imports.mapping import Profile

__all__ = ["Profile", "load", "parse", "shipped"]


def shipped() -> list[str]:
    """List the names of the profiles that are shipped with Waarborg."""
    folder = resources.files("domain.imports") / "profiles"
    return sorted(
        f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml")
    )


def load(name: str) -> Profile:
    """Load a shipped profile by its name, or any by its path; refused with file and key when it is invalid."""
    if name in shipped():
        text = (resources.files("domain.imports") / "profiles" / f"{name}.toml").read_text("utf-8")
        return parse(text, where=f"profile {name}")
    path = Path(name)
    if not path.is_file():
        known = ", ".join(shipped())
        raise _no(f"There is no profile {name!r}: neither a file nor one of {known}.")
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise _no(f"{path}: {error}") from error
    return parse(text, where=str(path), folder=path.parent)


def parse(text: str, *, where: str, folder: Path | None = None) -> Profile:
    """Parse a profile; every error names `where` and the key. Files that it names are in `folder`."""
    try:
        profile = msgspec.convert(tomllib.loads(text), Profile)
        profile = _with_closures(profile, folder or Path())
    except (tomllib.TOMLDecodeError, ValueError, RecursionError) as error:
        raise _no(f"{where}: {error}") from error
    for problem in problems(profile):
        raise _no(f"{where}: {problem}")
    return profile


def _with_closures(profile: Profile, folder: Path) -> Profile:
    """Read the iCalendar files that calendars name under `closures_from`."""
    calendars = {}
    for name, stored in profile.calendars.items():
        hours = dict(stored)
        files = hours.pop("closures_from", [])
        if not isinstance(files, list) or not all(isinstance(file, str) for file in files):
            raise ValueError(f"calendars.{name}.closures_from: a list of iCalendar files")
        listed = hours.get("closures", [])
        days = set(listed) if isinstance(listed, list) else set()
        for file in files:
            try:
                text = (folder / file).read_text("utf-8-sig")
                found = closures_of(text, str(hours.get("zone", profile.time_zone)))
            except (OSError, ValueError) as error:
                raise ValueError(f"calendars.{name}.closures_from: {file}: {error}") from error
            days |= {day.isoformat() for day in found.days}
        calendars[name] = hours | ({"closures": sorted(days, key=str)} if files else {})
    return msgspec.structs.replace(profile, calendars=calendars)


def _no(message: str) -> Refused:
    return Refused(Code.INVALID, message, argument="profile")
