"""Credits: what a broken promise gives back to the client."""

from domain.compensation.actions import decide
from domain.compensation.model import Credit

__all__ = ["Credit", "decide"]
