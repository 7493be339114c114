"""Who is asking; kept as a short name for `domain.access.actor` and `domain.access.rights`."""

from domain.access.actor import Actor, Origin
from domain.access.rights import CLIENTS, Right, Role

__all__ = ["CLIENTS", "Actor", "Origin", "Right", "Role"]
