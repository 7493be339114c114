"""Profiles of files to scan: which column holds the day, and which ones counts and levels. Written in TOML."""

import tomllib
from importlib import resources
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from domain.core.errors import Code, Refused


class DetectionProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Columns of a file. Without `counts` and `levels`, the rows of each day are counted."""

    date: str
    counts: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    time_zone: str = "UTC"
    title: str = ""


def shipped_profiles() -> list[str]:
    """List the names of the profiles that are shipped with Waarborg."""
    folder = resources.files("domain.detection") / "profiles"
    return sorted(each.name.removesuffix(".toml") for each in folder.iterdir())


def load_profile(name: str) -> DetectionProfile:
    """Load a shipped profile by its name, or any by its path; refused with file and key when it is invalid."""
    if name in shipped_profiles():
        text = (resources.files("domain.detection") / "profiles" / f"{name}.toml").read_text(
            "utf-8"
        )
    else:
        path = Path(name)
        if not path.is_file():
            known = ", ".join(shipped_profiles())
            raise _no(f"There is no profile {name!r}: neither a file nor one of {known}.")
        try:
            text = path.read_text("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise _no(f"{path}: {error}") from error
    try:
        profile = msgspec.convert(tomllib.loads(text), DetectionProfile)
        ZoneInfo(profile.time_zone)
    except (tomllib.TOMLDecodeError, ValueError, ZoneInfoNotFoundError) as error:
        raise _no(f"profile {name}: {error}") from error
    return profile


def _no(message: str) -> Refused:
    return Refused(Code.INVALID, message, argument="profile")
