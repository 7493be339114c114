"""What an actor can see; the table is in `domain/access/rows.py`."""

from domain.access.visibility import visible_to as seen

__all__ = ["seen"]
