"""Profiles of files with clients and their outcome: which column says who left, and what the others are. In TOML."""

import tomllib
from importlib import resources
from pathlib import Path

import msgspec

from domain.core.errors import Code, Refused


class SignRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A yes/no sign that somebody of the trade would name: one of some values, or a number below or from a bound."""

    name: str
    column: str
    among: tuple[str, ...] = ()
    below: float | None = None
    at_least: float | None = None


class ChurnProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Columns of a file with one row for every client.

    Every column that is not ignored is used: numbers as they are, those under `logarithms` also as log(1 + x), texts by
    value. `signs` are the yes/no signs that are used instead with few clients, with published odds as priors.
    """

    outcome: str
    leaves: tuple[str, ...]
    ignore: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    logarithms: tuple[str, ...] = ()
    signs: tuple[SignRule, ...] = ()
    base_rate: float = 0.15
    title: str = ""


def shipped_profiles() -> list[str]:
    """List the names of the profiles that are shipped with Waarborg."""
    folder = resources.files("domain.churn") / "profiles"
    return sorted(each.name.removesuffix(".toml") for each in folder.iterdir())


def load_profile(name: str) -> ChurnProfile:
    """Load a shipped profile by its name, or any by its path; refused with file and key when it is invalid."""
    if name in shipped_profiles():
        text = (resources.files("domain.churn") / "profiles" / f"{name}.toml").read_text("utf-8")
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
        profile = msgspec.convert(tomllib.loads(text), ChurnProfile)
    except (tomllib.TOMLDecodeError, ValueError) as error:
        raise _no(f"profile {name}: {error}") from error
    for sign in profile.signs:
        if not (sign.among or sign.below is not None or sign.at_least is not None):
            raise _no(f"profile {name}: sign {sign.name!r} needs among, below or at_least.")
    if not 0 < profile.base_rate < 1:
        raise _no(f"profile {name}: base_rate is a share between 0 and 1.")
    return profile


def _no(message: str) -> Refused:
    return Refused(Code.INVALID, message, argument="profile")
