"""Import incidents from another system: a file, a mapping profile, and the resulting ledger facts."""

from domain.imports.actions import Imported, Progress, import_incidents
from domain.imports.arrival import Remaining, left
from domain.imports.mapping import Profile
from domain.imports.profile import load, shipped

__all__ = [
    "Imported",
    "Profile",
    "Progress",
    "Remaining",
    "import_incidents",
    "left",
    "load",
    "shipped",
]
